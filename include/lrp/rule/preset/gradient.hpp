// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/composite.hpp>

namespace lrp {

/// Input x Gradient: the plain derivative in every role. The baseline of the field.
struct Gradient {
    static constexpr std::string_view label = "gradient";
    using norm       = GradientRule<RMSNorm>;
    using projection = GradientRule<Linear>;
    using scores     = GradientRule<MatMul>;
    using softmax    = GradientRule<Softmax>;
    using mix        = GradientRule<MatMul>;
    using activation = GradientRule<SiLU>;
    using gating     = GradientRule<Multiply>;
    using residual   = GradientRule<Add>;
};

static_assert(check_composite<Gradient>());

}  // namespace lrp
