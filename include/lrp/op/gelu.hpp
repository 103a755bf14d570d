// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <numbers>

#include <lrp/op/pointwise.hpp>

namespace lrp {

/// GELU in its exact form: y = x Phi(x), Phi the normal distribution function; y/x = Phi(x); y' = Phi(x) + x phi(x).
struct GELU : Pointwise<GELU> {
    static constexpr std::string_view name = "GELU";

    struct Ratio {
        template <class T>
        LRP_HD T operator()(T x) const {
            using std::erfc;
            return erfc(-x * static_cast<T>(1 / std::numbers::sqrt2)) / 2;
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
            using std::exp;
            constexpr double density = 0.5 * std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // 1 / sqrt(2 pi)
            return Ratio{}(x) + x * static_cast<T>(density) * exp(-x * x / 2);
        }
    };
};

/// GELU in its tanh form: y = x g(x), g = (1 + tanh(u)) / 2, u = sqrt(2/pi) (x + 0.044715 x^3); y/x = g(x);
/// y' = g + x u' (1 - tanh(u)^2) / 2.
struct TanhGELU : Pointwise<TanhGELU> {
    static constexpr std::string_view name = "TanhGELU";
    static constexpr double slope = std::numbers::sqrt2 * std::numbers::inv_sqrtpi;  // sqrt(2 / pi)
    static constexpr double cubic = 0.044715;

    struct Ratio {
        template <class T>
        LRP_HD T operator()(T x) const {
            using std::tanh;
            return (1 + tanh(static_cast<T>(slope) * (x + static_cast<T>(cubic) * x * x * x))) / 2;
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
            const T g = Ratio{}(x);
            const T inner = static_cast<T>(slope) * (1 + static_cast<T>(3 * cubic) * x * x);
            return g + x * inner * 2 * g * (1 - g);  // (1 - tanh^2) / 2 = 2 g (1 - g)
        }
    };
};

}  // namespace lrp
