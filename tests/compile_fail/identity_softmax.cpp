// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: IdentityRule admits pointwise ops
#include <lrp/rule/composite.hpp>

using namespace lrp;

#if defined(LRP_BAD)
using Chosen = IdentityRule<Softmax>;
#else
using Chosen = IdentityRule<SiLU>;
#endif
