// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/op.hpp>

namespace lrp {

/// MatMul: Z_h = s A_h B_h (or s A_h B_h^T), both factors dependent on the input, for every head h < count.
/// A_h [T, n], B_h [n, m] (or [m, n]), Z_h [T, m]; `group` heads share one B (grouped-query attention), whose coefficient is their sum.
/// Backward: C_A = s C_Z B^T, C_B = s A^T C_Z.
struct MatMul {
    static constexpr std::string_view name = "MatMul";
    static constexpr bool bilinear = true;

    template <class T>
    struct Params {
        Index count = 1;  ///< heads
        Index group = 1;  ///< heads per B
        bool transpose_b = false;
        double scale = 1;
        HeadLayout a_layout = HeadLayout::columns;
        HeadLayout b_layout = HeadLayout::columns;
        HeadLayout z_layout = HeadLayout::columns;

        template <class U>
        [[nodiscard]] BatchView<U> a(const View<U>& all) const { return split(all, a_layout, 1); }
        template <class U>
        [[nodiscard]] BatchView<U> b(const View<U>& all) const { return split(all, b_layout, group); }
        template <class U>
        [[nodiscard]] BatchView<U> z(const View<U>& all) const { return split(all, z_layout, 1); }

      private:
        template <class U>
        [[nodiscard]] BatchView<U> split(const View<U>& all, HeadLayout layout, Index shared) const {
            require(count > 0 && group > 0 && count % group == 0, "MatMul: ", count, " heads cannot share factors in groups of ", group);
            const Index blocks = count / shared, cut = layout == HeadLayout::columns ? all.cols : all.rows;
            require(cut % blocks == 0, "MatMul: ", layout == HeadLayout::columns ? "columns" : "rows", " of [", all.rows, ", ", all.cols, "] cannot be cut into ", blocks, " heads");
            return split_heads(all, layout, count, shared);
        }
    };
    template <class T>
    struct Saved {
        Activation<const T> first;   ///< A, all heads
        Activation<const T> second;  ///< B, all heads
        Activation<const T> output;  ///< Z, all heads; read where epsilon is not 0
    };

    template <Context C, class T = typename C::scalar>
    static void forward(C& ctx, const Params<T>& p, ActivationIn<C> a, ActivationIn<C> b, ActivationOut<C> z) {
        check(p, p.a(a)[0], p.b(b)[0], p.z(View<const T>(z))[0]);
        C::backend::matmul_batched(ctx, {.transpose_b = p.transpose_b, .alpha = p.scale}, p.a(a), p.b(b), p.z(z));
    }

    template <Context C, class T = typename C::scalar>
    static void vjp_first(C& ctx, const Params<T>& p, const Saved<T>& s, CoefficientIn<C> c_z, CoefficientOut<C> c_a, Write write = {}) {
        check(p, p.a(View<const T>(c_a))[0], p.b(s.second)[0], p.z(c_z)[0]);
        C::backend::matmul_batched(ctx, {.transpose_b = !p.transpose_b, .alpha = p.scale * write.scale, .beta = write.beta()}, p.z(c_z),
                                   p.b(s.second), p.a(c_a));
    }

    template <Context C, class T = typename C::scalar>
    static void vjp_second(C& ctx, const Params<T>& p, const Saved<T>& s, CoefficientIn<C> c_z, CoefficientOut<C> c_b, Write write = {}) {
        check(p, p.a(s.first)[0], p.b(View<const T>(c_b))[0], p.z(c_z)[0]);
        const Product product{.transpose_a = true, .alpha = p.scale * write.scale, .beta = write.beta()};
        if (p.transpose_b) {
            C::backend::matmul_batched(ctx, product, p.z(c_z), p.a(s.first), p.b(c_b));
        } else {
            C::backend::matmul_batched(ctx, product, p.a(s.first), p.z(c_z), p.b(c_b));
        }
    }

  private:
    template <class T>
    static void check(const Params<T>& p, View<const T> a, View<const T> b, View<const T> z) {
        const Index inner = p.transpose_b ? b.cols : b.rows;
        const Index outer = p.transpose_b ? b.rows : b.cols;
        require(a.cols == inner && z.rows == a.rows && z.cols == outer, "MatMul: shapes of one head do not fit: A [", a.rows, ", ", a.cols,
                "], B [", b.rows, ", ", b.cols, "]", p.transpose_b ? " (transposed)" : "", ", Z [", z.rows, ", ", z.cols, "]");
    }
};

}  // namespace lrp
