// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/pointwise.hpp>

namespace lrp {

/// ReLU: y = max(x, 0); y/x = y' = [x > 0], and 0 at x = 0.
struct ReLU : Pointwise<ReLU> {
    static constexpr std::string_view name = "ReLU";

    struct Ratio {
        template <class T>
        LRP_HD T operator()(T x) const {
            return x > 0 ? T(1) : T(0);
        }
    };
    using Derivative = Ratio;
    struct Value {
        template <class T>
        LRP_HD T operator()(T x) const {
            return x > 0 ? x : T(0);
        }
    };
};

}  // namespace lrp
