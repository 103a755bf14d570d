// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/op.hpp>

namespace lrp {

/// Multiply: y = a * b, element by element, both dependent on the input; any shape. Backward: c_a = b c_y, c_b = a c_y.
struct Multiply {
    static constexpr std::string_view name = "Multiply";
    static constexpr bool bilinear = true;

    template <class T>
    struct Params {};
    template <class T>
    struct Saved {
        Activation<const T> first;   ///< a
        Activation<const T> second;  ///< b
        Activation<const T> output;  ///< y; read where epsilon is not 0
    };

    template <class T>
    struct Times {
        T scale = 1;
        LRP_HD T operator()(T a, T b) const { return scale * a * b; }
    };
    template <class T>
    struct TimesAdd {
        T scale = 1;
        LRP_HD T operator()(T a, T b, T old) const { return old + scale * a * b; }
    };

    template <Context C, class T = typename C::scalar>
    static void forward(C& ctx, const Params<T>&, ActivationIn<C> a, ActivationIn<C> b, ActivationOut<C> y) {
        require_shape(b, a.rows, a.cols, "Multiply: second factor");
        require_shape(y, a.rows, a.cols, "Multiply: output");
        C::backend::map(ctx, Times<T>{}, y, View<const T>(a), View<const T>(b));
    }

    template <Context C, class T = typename C::scalar>
    static void vjp_first(C& ctx, const Params<T>&, const Saved<T>& s, CoefficientIn<C> c_y, CoefficientOut<C> c_a, Write write = {}) {
        chain(ctx, s.second, c_y, c_a, write);
    }
    template <Context C, class T = typename C::scalar>
    static void vjp_second(C& ctx, const Params<T>&, const Saved<T>& s, CoefficientIn<C> c_y, CoefficientOut<C> c_b, Write write = {}) {
        chain(ctx, s.first, c_y, c_b, write);
    }

  private:
    template <Context C, class T = typename C::scalar>
    static void chain(C& ctx, ActivationIn<C> other, CoefficientIn<C> c_y, CoefficientOut<C> c, Write write) {
        require_shape(other, c_y.rows, c_y.cols, "Multiply: saved factor");
        require_shape(c, c_y.rows, c_y.cols, "Multiply: coefficient of a factor");
        const T scale = static_cast<T>(write.scale);
        if (write.accumulate) {
            C::backend::map(ctx, TimesAdd<T>{scale}, c, View<const T>(other), View<const T>(c_y), View<const T>(c));
        } else {
            C::backend::map(ctx, Times<T>{scale}, c, View<const T>(other), View<const T>(c_y));
        }
    }
};

}  // namespace lrp
