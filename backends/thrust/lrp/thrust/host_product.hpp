// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Matrix products on the host systems: blocks of C, each formed by one call of a functor that a Thrust algorithm spreads over threads.
#pragma once

#include <algorithm>

#include <lrp/backend/primitives.hpp>

namespace lrp::detail {

/// Block number `index` of C[h] <- alpha op(A[h]) op(B[h]) + beta C[h]. The operands' blocks are copied into panels (widened, transposed),
/// the sum over k is formed in T, slice by slice. Heads that share a block of C are added by one call, in order.
template <class T, class U>
struct ProductBlock {
    static constexpr Index rows = 32, cols = 64, depth = 128;

    Product p;
    BatchView<const T> a;
    BatchView<const U> b;
    BatchView<T> c;
    Index down, across;  // blocks of one C

    ProductBlock(const Product& product, const BatchView<const T>& a_, const BatchView<const U>& b_, const BatchView<T>& c_)
        : p(product), a(a_), b(b_), c(c_), down((c.first.rows + rows - 1) / rows), across((c.first.cols + cols - 1) / cols) {}
    [[nodiscard]] Index count() const { return c.count / c.group * down * across; }

    void operator()(Index index) const {
        const Index shared = index / (down * across) * c.group;
        const Index i = index / across % down * rows, j = index % across * cols;
        for (Index member = 0; member < c.group; ++member) {
            const Index h = shared + member;
            block(a[h], b[h], c[h], i, j, member == 0 ? static_cast<T>(p.beta) : T(1));
        }
    }

  private:
    void block(const View<const T>& left, const View<const U>& right, const View<T>& out, Index i0, Index j0, T beta) const {
        const Index m = std::min(rows, out.rows - i0), n = std::min(cols, out.cols - j0);
        const Index inner = p.transpose_a ? left.rows : left.cols;
        T panel_a[rows][depth], panel_b[depth][cols], sum[rows][cols] = {};
        for (Index k0 = 0; k0 < inner; k0 += depth) {
            const Index count = std::min(depth, inner - k0);
            for (Index i = 0; i < m; ++i)
                for (Index k = 0; k < count; ++k) panel_a[i][k] = p.transpose_a ? left(k0 + k, i0 + i) : left(i0 + i, k0 + k);
            if (p.transpose_b) {
                for (Index j = 0; j < n; ++j)
                    for (Index k = 0; k < count; ++k) panel_b[k][j] = widen<T>(right(j0 + j, k0 + k));
            } else {
                for (Index k = 0; k < count; ++k)
                    for (Index j = 0; j < n; ++j) panel_b[k][j] = widen<T>(right(k0 + k, j0 + j));
            }
            for (Index k = 0; k < count; ++k) std::fill(panel_b[k] + n, panel_b[k] + cols, T(0));
            for (Index i = 0; i < m; ++i)
                for (Index k = 0; k < count; ++k) {
                    const T factor = panel_a[i][k];
                    for (Index j = 0; j < cols; ++j) sum[i][j] += factor * panel_b[k][j];
                }
        }
        const T alpha = static_cast<T>(p.alpha);
        for (Index i = 0; i < m; ++i)
            for (Index j = 0; j < n; ++j) {
                T& to = out(i0 + i, j0 + j);
                to = beta == 0 ? alpha * sum[i][j] : alpha * sum[i][j] + beta * to;
            }
    }
};

}  // namespace lrp::detail
