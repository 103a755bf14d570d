// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>

#include <lrp/op/op.hpp>

namespace lrp {

/// RMSNorm: y_ij = w_j x_ij r_i with r_i = 1 / sqrt(mean_j x_ij^2 + eps).
/// x, y [T, d], w [d], r [T]. Backward: c_x = r (w c_y) - x r^3 mean(x w c_y); with r held constant: c_x = r (w c_y).
struct RMSNorm {
    static constexpr std::string_view name = "RMSNorm";
    static constexpr bool norm = true;

    template <class T>
    struct Params {
        const T* weight = nullptr;  ///< [d]
        double epsilon = 1e-6;      ///< under the root
    };
    template <class T>
    struct Saved {
        Activation<const T> input;        ///< x; read by the full backward only
        const T* inverse_rms = nullptr;   ///< r [T]
        Activation<const T> output;       ///< y
    };

    template <class T>
    struct ForwardRow {
        Params<T> p;
        View<const T> x;
        View<T> y;
        T* inverse_rms;
        template <Group G>
        LRP_HD void operator()(G& group, Index row) const {
            using A = sum_t<G, T>;
            const A squares = row_sum<A>(group, x.cols, [&](Index col) { return static_cast<A>(x(row, col)) * x(row, col); });
            using std::sqrt;
            const T r = static_cast<T>(1 / sqrt(squares / static_cast<A>(x.cols) + static_cast<A>(p.epsilon)));
            row_each(group, x.cols, [&](Index col) { y(row, col) = p.weight[col] * (x(row, col) * r); });
            if (group.rank() == 0) inverse_rms[row] = r;
        }
    };

    template <class T>
    struct BackwardRow {
        Params<T> p;
        View<const T> x;  // empty: r held constant
        const T* inverse_rms;
        View<const T> c_y;
        View<T> c_x;
        Store<T> store;
        template <Group G>
        LRP_HD void operator()(G& group, Index row) const {
            using A = sum_t<G, T>;
            const T r = inverse_rms[row];
            T pull = 0;
            if (!x.empty()) {
                const A dot = row_sum<A>(
                    group, x.cols, [&](Index col) { return static_cast<A>(x(row, col)) * p.weight[col] * c_y(row, col); });
                pull = static_cast<T>(dot * r * r * r / static_cast<A>(x.cols));
            }
            row_each(group, c_y.cols, [&](Index col) {
                const T straight = r * p.weight[col] * c_y(row, col);
                store(c_x(row, col), x.empty() ? straight : straight - pull * x(row, col));
            });
        }
    };

    /// `inverse_rms` [T] is written too; keep it for the backward pass.
    template <Context C, class T = typename C::scalar>
    static void forward(C& ctx, const Params<T>& p, ActivationIn<C> x, ActivationOut<C> y, T* inverse_rms) {
        require_shape(y, x.rows, x.cols, "RMSNorm: output");
        C::backend::for_each_row(ctx, x.rows, x.cols, ForwardRow<T>{p, x, y, inverse_rms});
    }

    template <Context C, class T = typename C::scalar>
    static void vjp(C& ctx, const Params<T>& p, const Saved<T>& s, CoefficientIn<C> c_y, CoefficientOut<C> c_x, Write write = {}) {
        require_shape(s.input, c_y.rows, c_y.cols, "RMSNorm: saved input");
        require_shape(c_x, c_y.rows, c_y.cols, "RMSNorm: coefficient of the input");
        C::backend::for_each_row(ctx, c_y.rows, c_y.cols, BackwardRow<T>{p, s.input, s.inverse_rms, c_y, c_x, Store<T>(write)});
    }

    template <Context C, class T = typename C::scalar>
    static void frozen_vjp(C& ctx, const Params<T>& p, const Saved<T>& s, CoefficientIn<C> c_y, CoefficientOut<C> c_x, Write write = {}) {
        require_shape(c_x, c_y.rows, c_y.cols, "RMSNorm: coefficient of the input");
        C::backend::for_each_row(ctx, c_y.rows, c_y.cols, BackwardRow<T>{p, {}, s.inverse_rms, c_y, c_x, Store<T>(write)});
    }
};

}  // namespace lrp
