// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>

#include <lrp/op/pointwise.hpp>

namespace lrp {

/// Tanh: y = tanh(x); y/x with its limit 1 at 0; y' = 1 - y^2.
struct Tanh : Pointwise<Tanh> {
    static constexpr std::string_view name = "Tanh";

    struct Ratio {
        template <class T>
        LRP_HD T operator()(T x) const {
            using std::tanh;
            return x == 0 ? T(1) : tanh(x) / x;
        }
    };
    struct Value {
        template <class T>
        LRP_HD T operator()(T x) const {
            using std::tanh;
            return tanh(x);
        }
    };
    struct Derivative {
        template <class T>
        LRP_HD T operator()(T x) const {
            const T y = Value{}(x);
            return 1 - y * y;
        }
    };
};

}  // namespace lrp
