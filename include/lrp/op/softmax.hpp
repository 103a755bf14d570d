// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>

#include <lrp/backend/native.hpp>
#include <lrp/op/op.hpp>

namespace lrp {

/// Softmax: s_ij = exp(x_ij) / sum_k exp(x_ik) over the visible columns k of row i; 0 in the others.
/// x, s [rows, columns]. Under a causal mask row i sees the columns 0 .. columns - queries + i mod queries: each block of
/// `queries` rows is one head, and the queries are the last positions.
/// Backward: c_x = s * (c_s - sum_k s_k c_k). The largest score is subtracted first; sums are formed in the group's type.
struct Softmax {
    static constexpr std::string_view name = "Softmax";
    static constexpr bool softmax = true;

    template <class T>
    struct Params {
        Index queries = 0;  ///< rows per head under a causal mask, which are the last of the columns' positions; 0: no mask
        /// How many leading columns row `row` sees.
        LRP_HD Index visible(Index row, Index cols) const { return queries == 0 ? cols : row % queries + 1 + cols - queries; }
    };
    template <class T>
    struct Saved {
        Activation<const T> input;   ///< x; read by UniformRule
        Activation<const T> output;  ///< s
    };

    template <class T>
    struct ForwardRow {
        Params<T> p;
        View<const T> x;
        View<T> s;
        template <Group G>
        LRP_HD void operator()(G& group, Index row) const {
            const Index count = p.visible(row, x.cols);
            const T* in = x.row(row);
            T* out = s.row(row);
            T peak = in[0];
            for (Index col = group.rank(); col < count; col += group.size()) peak = in[col] > peak ? in[col] : peak;
            peak = group.max(peak);
            const auto total = row_sum<sum_t<G, T>>(group, count, [&](Index col) { return out[col] = exp_of(in[col] - peak); });
            const T inverse = static_cast<T>(1 / total);
            row_each(group, x.cols, [&](Index col) { out[col] = col < count ? out[col] * inverse : T(0); });
        }
        LRP_HD static T exp_of(T value) {
            using std::exp;
            return exp(value);
        }
    };

    template <class T>
    struct BackwardRow {
        Params<T> p;
        View<const T> s;
        View<const T> c_s;
        View<T> c_x;
        Store<T> store;
        template <Group G>
        LRP_HD void operator()(G& group, Index row) const {
            const Index count = p.visible(row, s.cols);
            const auto mean = row_sum<sum_t<G, T>>(
                group, count, [&](Index col) { return static_cast<sum_t<G, T>>(s(row, col)) * c_s(row, col); });
            row_each(group, s.cols, [&](Index col) {
                store(c_x(row, col), col < count ? s(row, col) * (c_s(row, col) - static_cast<T>(mean)) : T(0));
            });
        }
    };

    template <Context C, class T = typename C::scalar>
    static void forward(C& ctx, const Params<T>& p, ActivationIn<C> x, ActivationOut<C> s) {
        using B = typename C::backend;
        require_shape(s, x.rows, x.cols, "Softmax: output");
        require(p.queries <= x.cols, "Softmax: a causal mask of ", p.queries, " queries needs as many columns, found ", x.cols);
        if constexpr (is_native<B>(Native::softmax)) {
            B::softmax(ctx, x, s, p.queries);
        } else {
            B::for_each_row(ctx, x.rows, x.cols, ForwardRow<T>{p, x, s});
        }
    }

    template <Context C, class T = typename C::scalar>
    static void vjp(C& ctx, const Params<T>& p, const Saved<T>& saved, CoefficientIn<C> c_s, CoefficientOut<C> c_x, Write write = {}) {
        require_shape(saved.output, c_s.rows, c_s.cols, "Softmax: saved output");
        require_shape(c_x, c_s.rows, c_s.cols, "Softmax: coefficient of the input");
        C::backend::for_each_row(ctx, c_s.rows, c_s.cols, BackwardRow<T>{p, saved.output, c_s, c_x, Store<T>(write)});
    }
};

}  // namespace lrp
