// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: for a norm or a pointwise op IdentityRule
#include <lrp/rule/composite.hpp>

using namespace lrp;

#if defined(LRP_BAD)
using Chosen = EpsilonRule<SiLU>;
#else
using Chosen = EpsilonRule<Add>;
#endif
