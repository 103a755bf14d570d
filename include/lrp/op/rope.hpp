// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/op.hpp>

namespace lrp {

/// Rope: rotary position embedding in the "rotate half" convention. For a head vector of size D at position t and i < D/2:
/// y_i = x_i cos_ti - x_(i+D/2) sin_ti,  y_(i+D/2) = x_(i+D/2) cos_ti + x_i sin_ti.
/// x, y [T, heads * D]; cos, sin [T, D/2]. Backward: the inverse rotation. x and y may be the same memory.
struct Rope {
    static constexpr std::string_view name = "Rope";
    static constexpr bool linear = true;

    template <class T>
    struct Params {
        View<const T> cos;  ///< [T, D/2]
        View<const T> sin;  ///< [T, D/2]
    };
    template <class T>
    struct Saved {
        Activation<const T> output;  ///< y; read where epsilon is not 0
    };

    template <class T>
    struct Row {
        Params<T> p;
        T direction;  // +1 forward, -1 back
        Index heads;
        View<const T> x;
        View<T> y;
        Store<T> store;
        template <Group G>
        LRP_HD void operator()(G& group, Index index) const {
            const Index row = index / heads;
            const Index half = p.cos.cols;
            const Index base = (index % heads) * 2 * half;
            row_each(group, half, [&](Index i) {
                const T c = p.cos(row, i);
                const T s = direction * p.sin(row, i);
                const T low = x(row, base + i);
                const T high = x(row, base + half + i);
                store(y(row, base + i), low * c - high * s);
                store(y(row, base + half + i), high * c + low * s);
            });
        }
    };

    template <Context C, class T = typename C::scalar>
    static void forward(C& ctx, const Params<T>& p, ActivationIn<C> x, ActivationOut<C> y) {
        rotate<C>(ctx, p, T(1), x, y, {});
    }
    template <Context C, class T = typename C::scalar>
    static void vjp(C& ctx, const Params<T>& p, const Saved<T>&, CoefficientIn<C> c_y, CoefficientOut<C> c_x, Write write = {}) {
        rotate<C>(ctx, p, T(-1), c_y, c_x, write);
    }

  private:
    template <Context C, class T = typename C::scalar>
    static void rotate(C& ctx, const Params<T>& p, T direction, View<const T> x, View<T> y, Write write) {
        const Index width = 2 * p.cos.cols;
        require(width > 0 && x.cols % width == 0 && p.cos.rows >= x.rows, "Rope: input [", x.rows, ", ", x.cols, "] does not fit tables [",
                p.cos.rows, ", ", p.cos.cols, "]");
        require_shape(y, x.rows, x.cols, "Rope: output");
        const Index heads = x.cols / width;
        C::backend::for_each_row(ctx, x.rows * heads, p.cos.cols, Row<T>{p, direction, heads, x, y, Store<T>(write)});
    }
};

}  // namespace lrp
