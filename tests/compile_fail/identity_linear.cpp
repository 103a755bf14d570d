// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: for a linear op use EpsilonRule
#include <lrp/rule/composite.hpp>

using namespace lrp;

#if defined(LRP_BAD)
using Chosen = IdentityRule<Linear>;
#else
using Chosen = IdentityRule<RMSNorm>;
#endif
