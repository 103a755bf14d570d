// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/composite.hpp>

namespace lrp {

/// CP-LRP (Ali et al. 2022): attention weights and gates are constants; relevance flows through the values and the up projection only.
/// On a model without biases the logit is conserved at every cut.
struct CpLRP {
    static constexpr std::string_view label = "cp-lrp";
    using norm       = IdentityRule<RMSNorm>;
    using projection = EpsilonRule<Linear>;
    using scores     = StopRule<MatMul>;
    using softmax    = StopRule<Softmax>;
    using mix        = EpsilonRule<MatMul>;
    using activation = StopRule<SiLU>;
    using gating     = EpsilonRule<Multiply>;
    using residual   = EpsilonRule<Add>;
};

static_assert(check_composite<CpLRP>());

}  // namespace lrp
