// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/core/exponential.hpp>
#include <lrp/op/pointwise.hpp>

namespace lrp {

/// SiLU: y = x sigma(x), sigma(x) = 1 / (1 + exp(-x)); y/x = sigma(x); y' = sigma(x) (1 + x (1 - sigma(x))).
struct SiLU : Pointwise<SiLU> {
    static constexpr std::string_view name = "SiLU";

    struct Ratio {
        template <class T>
        LRP_HD T operator()(T x) const {
            return T(1) / (T(1) + fast_exp(-x));
        }
    };
    struct Value {
        template <class T>
        LRP_HD T operator()(T x) const {
            return x * Ratio{}(x);
        }
    };
    struct Derivative {
        template <class T>
        LRP_HD T operator()(T x) const {
            const T s = Ratio{}(x);
            return s * (T(1) + x * (T(1) - s));
        }
    };
};

}  // namespace lrp
