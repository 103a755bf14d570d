// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/composite.hpp>

namespace lrp {

/// AttnLRP (Achtibat et al. 2024): the identity rule for norms and activations, the epsilon rule for linear maps and sums, the uniform
/// rule for products, and the softmax by its Taylor expansion.
struct AttnLRP {
    static constexpr std::string_view label = "attnlrp";
    using norm       = IdentityRule<RMSNorm>;
    using projection = EpsilonRule<Linear>;
    using scores     = UniformRule<MatMul>;
    using softmax    = TaylorRule<Softmax>;
    using mix        = UniformRule<MatMul>;
    using activation = IdentityRule<SiLU>;
    using gating     = UniformRule<Multiply>;
    using residual   = EpsilonRule<Add>;
};

static_assert(check_composite<AttnLRP>());

}  // namespace lrp
