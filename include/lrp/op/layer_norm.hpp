// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>

#include <lrp/op/op.hpp>

namespace lrp {

/// LayerNorm: y_ij = w_j (x_ij - mu_i) / sigma_i + b_j with sigma_i = sqrt(var_i + eps), var the mean squared deviation.
/// x, y [T, d], w, b [d], mu, sigma [T]. With h = (w / sigma) c_y: c_x = h - mean(h) where sigma is held constant, and
/// c_x = h - mean(h) - n mean(h n) in full, n = (x - mu) / sigma.
struct LayerNorm {
    static constexpr std::string_view name = "LayerNorm";
    static constexpr bool norm = true;

    template <class T>
    struct Params {
        const T* weight = nullptr;  ///< [d]
        const T* bias = nullptr;    ///< [d]; nullptr: none
        double epsilon = 1e-5;      ///< under the root
    };
    template <class T>
    struct Saved {
        Activation<const T> input;        ///< x; read by the full backward only
        const T* mean = nullptr;          ///< mu [T]
        const T* inverse_std = nullptr;   ///< 1 / sigma [T]
        Activation<const T> output;       ///< y
    };

    template <class T>
    struct ForwardRow {
        Params<T> p;
        View<const T> x;
        View<T> y;
        T* mean;
        T* inverse_std;
        template <Group G>
        LRP_HD void operator()(G& group, Index row) const {
            using A = sum_t<G, T>;
            const A count = static_cast<A>(x.cols);
            const A mu = row_sum<A>(group, x.cols, [&](Index col) { return x(row, col); }) / count;
            const A squares = row_sum<A>(group, x.cols, [&](Index col) { return (x(row, col) - mu) * (x(row, col) - mu); });
            using std::sqrt;
            const A inverse = 1 / sqrt(squares / count + static_cast<A>(p.epsilon));
            row_each(group, x.cols, [&](Index col) {
                const T normal = static_cast<T>((x(row, col) - mu) * inverse);
                y(row, col) = p.weight[col] * normal + (p.bias != nullptr ? p.bias[col] : T(0));
            });
            if (group.rank() == 0) {
                mean[row] = static_cast<T>(mu);
                inverse_std[row] = static_cast<T>(inverse);
            }
        }
    };

    template <class T>
    struct BackwardRow {
        Params<T> p;
        Saved<T> s;
        bool frozen;
        View<const T> c_y;
        View<T> c_x;
        Store<T> store;
        template <Group G>
        LRP_HD void operator()(G& group, Index row) const {
            using A = sum_t<G, T>;
            const A count = static_cast<A>(c_y.cols);
            const T inverse = s.inverse_std[row];
            const auto h = [&](Index col) { return static_cast<A>(inverse * p.weight[col] * c_y(row, col)); };
            const auto normal = [&](Index col) { return static_cast<A>((s.input(row, col) - s.mean[row]) * inverse); };
            const A mean_h = row_sum<A>(group, c_y.cols, h) / count;
            const A pull = frozen ? A(0) : row_sum<A>(group, c_y.cols, [&](Index col) { return h(col) * normal(col); }) / count;
            row_each(group, c_y.cols, [&](Index col) {
                const A value = h(col) - mean_h - (frozen ? A(0) : normal(col) * pull);
                store(c_x(row, col), static_cast<T>(value));
            });
        }
    };

    /// `mean` and `inverse_std` [T] are written too; keep them for the backward pass.
    template <Context C, class T = typename C::scalar>
    static void forward(C& ctx, const Params<T>& p, ActivationIn<C> x, ActivationOut<C> y, T* mean, T* inverse_std) {
        require_shape(y, x.rows, x.cols, "LayerNorm: output");
        C::backend::for_each_row(ctx, x.rows, x.cols, ForwardRow<T>{p, x, y, mean, inverse_std});
    }

    template <Context C, class T = typename C::scalar>
    static void vjp(C& ctx, const Params<T>& p, const Saved<T>& s, CoefficientIn<C> c_y, CoefficientOut<C> c_x, Write write = {}) {
        require_shape(s.input, c_y.rows, c_y.cols, "LayerNorm: saved input");
        require_shape(c_x, c_y.rows, c_y.cols, "LayerNorm: coefficient of the input");
        C::backend::for_each_row(ctx, c_y.rows, c_y.cols, BackwardRow<T>{p, s, false, c_y, c_x, Store<T>(write)});
    }

    template <Context C, class T = typename C::scalar>
    static void frozen_vjp(C& ctx, const Params<T>& p, const Saved<T>& s, CoefficientIn<C> c_y, CoefficientOut<C> c_x, Write write = {}) {
        require_shape(c_x, c_y.rows, c_y.cols, "LayerNorm: coefficient of the input");
        C::backend::for_each_row(ctx, c_y.rows, c_y.cols, BackwardRow<T>{p, s, true, c_y, c_x, Store<T>(write)});
    }
};

}  // namespace lrp
