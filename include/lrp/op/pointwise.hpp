// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What all pointwise ops share. A new one supplies a name and three functors and is done.
#pragma once

#include <lrp/op/op.hpp>

namespace lrp {

namespace detail {

/// store(out, F(x) * c) as a functor of `map`; the last input is the old value of out.
template <class F, class T>
struct Chain {
    F f;
    T scale;
    LRP_HD T operator()(T x, T c) const { return scale * f(x) * c; }
};
template <class F, class T>
struct ChainAdd {
    F f;
    T scale;
    LRP_HD T operator()(T x, T c, T old) const { return old + scale * f(x) * c; }
};

}  // namespace detail

/// Base of a pointwise op y_i = f(x_i); x, y of any shape. `Derived` has `Value` f(x), `Derivative` f'(x) and `Ratio` f(x)/x, the
/// last in a closed form without the division. Backward: c_x = f'(x) c_y; with the ratio in place of the derivative it is the
/// identity rule.
template <class Derived>
struct Pointwise {
    template <class T>
    struct Params {};
    template <class T>
    struct Saved {
        Activation<const T> input;   ///< x
        Activation<const T> output;  ///< y; read by no rule of a pointwise op, kept for the relevance form
    };

    template <Context C, class T = typename C::scalar>
    static void forward(C& ctx, const Params<T>&, ActivationIn<C> x, ActivationOut<C> y) {
        require_shape(y, x.rows, x.cols, "pointwise op: output");
        C::backend::map(ctx, typename Derived::Value{}, y, View<const T>(x));
    }

    template <Context C, class T = typename C::scalar>
    static void vjp(C& ctx, const Params<T>&, const Saved<T>& s, CoefficientIn<C> c_y, CoefficientOut<C> c_x, Write write = {}) {
        chain<typename Derived::Derivative>(ctx, s, c_y, c_x, write);
    }

    template <Context C, class T = typename C::scalar>
    static void ratio_vjp(C& ctx, const Params<T>&, const Saved<T>& s, CoefficientIn<C> c_y, CoefficientOut<C> c_x, Write write = {}) {
        chain<typename Derived::Ratio>(ctx, s, c_y, c_x, write);
    }

  private:
    template <class F, Context C, class T = typename C::scalar>
    static void chain(C& ctx, const Saved<T>& s, CoefficientIn<C> c_y, CoefficientOut<C> c_x, Write write) {
        using B = typename C::backend;
        require_shape(s.input, c_y.rows, c_y.cols, "pointwise op: saved input");
        require_shape(c_x, c_y.rows, c_y.cols, "pointwise op: coefficient of the input");
        const T scale = static_cast<T>(write.scale);
        if (write.accumulate) {
            B::map(ctx, detail::ChainAdd<F, T>{{}, scale}, c_x, View<const T>(s.input), View<const T>(c_y), View<const T>(c_x));
        } else {
            B::map(ctx, detail::Chain<F, T>{{}, scale}, c_x, View<const T>(s.input), View<const T>(c_y));
        }
    }
};

}  // namespace lrp
