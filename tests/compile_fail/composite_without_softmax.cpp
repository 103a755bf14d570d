// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: composite: role softmax needs a rule of Softmax
#include <lrp/rule/preset/attn_lrp.hpp>

using namespace lrp;
struct Mine {
    using norm = IdentityRule<RMSNorm>;
    using projection = EpsilonRule<Linear>;
    using scores = UniformRule<MatMul>;
#if !defined(LRP_BAD)
    using softmax = TaylorRule<Softmax>;
#endif
    using mix = UniformRule<MatMul>;
    using activation = IdentityRule<SiLU>;
    using gating = UniformRule<Multiply>;
    using residual = EpsilonRule<Add>;
};
static_assert(check_composite<Mine>());
