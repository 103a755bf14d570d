// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/multiply.hpp>
#include <lrp/op/pointwise.hpp>

namespace lrp {

/// An activation and the product behind it in one step, y = f(g) u, for where nobody looks at f(g): the same numbers as `Act` and `Multiply` one
/// after the other, with fewer passes over memory. g, u, y [T, F]. It is no op of its own: rules see `Act` and `Multiply`.
template <PointwiseOp Act>
struct GatedProduct {
    template <class T>
    struct Value {
        LRP_HD T operator()(T g, T u) const { return typename Act::Value{}(g) * u; }
    };

    /// c_g = F(g) (first u c_y), c_u = second f(g) c_y.
    template <class Factor, class T>
    struct BackwardRow {
        T first, second;
        View<const T> g, u, c_y;
        View<T> c_g, c_u;
        template <Group G>
        LRP_HD void operator()(G& group, Index row) const {
            row_each(group, c_y.cols, [&](Index col) {
                const T gate = g(row, col), c = c_y(row, col);
                c_g(row, col) = Factor{}(gate) * (first * u(row, col) * c);
                c_u(row, col) = second * typename Act::Value{}(gate) * c;
            });
        }
    };

    template <Context C, class T = typename C::scalar>
    static void forward(C& ctx, ActivationIn<C> g, ActivationIn<C> u, ActivationOut<C> y) {
        require_shape(u, g.rows, g.cols, "GatedProduct: second factor");
        require_shape(y, g.rows, g.cols, "GatedProduct: output");
        C::backend::map(ctx, Value<T>{}, y, View<const T>(g), View<const T>(u));
    }

    /// `Factor` is F, the activation's derivative or ratio; `first` and `second` are the product rule's shares.
    template <class Factor, Context C, class T = typename C::scalar>
    static void backward(C& ctx, double first, double second, ActivationIn<C> g, ActivationIn<C> u, CoefficientIn<C> c_y, CoefficientOut<C> c_g,
                         CoefficientOut<C> c_u) {
        require_shape(c_y, g.rows, g.cols, "GatedProduct: coefficient of the output");
        C::backend::for_each_row(ctx, g.rows, g.cols, BackwardRow<Factor, T>{static_cast<T>(first), static_cast<T>(second), g, u, c_y, c_g, c_u});
    }
};

}  // namespace lrp
