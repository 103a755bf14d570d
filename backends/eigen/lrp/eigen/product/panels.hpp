// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Products without kernels of our own: panels of the result by Eigen or, where the program is built with it, by a CBLAS; weights of another type
// are widened panel by panel. This is what machines without AVX2 use, doubles, and products with a transposed first factor.
#pragma once

#include <algorithm>

#include <Eigen/Core>

#include <lrp/backend/primitives.hpp>
#include <lrp/core/thread_pool.hpp>
#include <lrp/eigen/product/scratch.hpp>

#if defined(LRP_EIGEN_CBLAS)
#include <cblas.h>
#include <dlfcn.h>
#endif

namespace lrp::detail {

/// Who multiplies a panel.
enum class PanelProvider { eigen, cblas };

/// Whether this program was built with a CBLAS.
[[nodiscard]] constexpr bool has_cblas() {
#if defined(LRP_EIGEN_CBLAS)
    return true;
#else
    return false;
#endif
}

template <Scalar T>
struct PanelProduct {
    static constexpr Index panel = 256;

    using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using ConstMap = Eigen::Map<const Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;
    using MutableMap = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;

    /// C <- alpha op(A) op(B) + beta C. Panels of output columns; a tall and narrow result is cut into panels of rows instead.
    template <Storage W>
    static void run(ThreadPool& pool, ProductScratch& scratch, PanelProvider provider, const Product& p, const View<const T>& a, const View<const W>& b, const View<T>& c) {
        if (provider == PanelProvider::cblas) keep_to_one_thread();
        const bool by_rows = std::same_as<W, T> && c.cols < 2 * panel && c.rows >= 2 * panel;
        const Index extent = by_rows ? c.rows : c.cols;
        pool.parallel_for((extent + panel - 1) / panel, [&](Index index, unsigned worker) {
            const Index first = index * panel;
            const Index count = std::min(panel, extent - first);
            if constexpr (std::same_as<W, T>) {
                if (by_rows) return product(provider, p, p.transpose_a ? a.columns(first, count) : a.rows_from(first, count), b, c.rows_from(first, count));
            }
            const View<const W> part = p.transpose_b ? b.rows_from(first, count) : b.columns(first, count);
            if constexpr (std::same_as<W, T>) {
                product(provider, p, a, part, c.columns(first, count));
            } else {
                T* wide = scratch.own<T>(worker, part.rows * part.cols);
                for (Index row = 0; row < part.rows; ++row)
                    for (Index col = 0; col < part.cols; ++col) wide[row * part.cols + col] = widen<T>(part(row, col));
                product(provider, p, a, View<const T>(wide, part.rows, part.cols), c.columns(first, count));
            }
        });
    }

    /// One product on the calling thread.
    static void product(PanelProvider provider, const Product& p, const View<const T>& a, const View<const T>& b, const View<T>& c) {
#if defined(LRP_EIGEN_CBLAS)
        if constexpr (std::same_as<T, float>) {
            if (provider == PanelProvider::cblas) {
                const auto whole = [](Index value) { return static_cast<int>(value); };
                cblas_sgemm(CblasRowMajor, p.transpose_a ? CblasTrans : CblasNoTrans, p.transpose_b ? CblasTrans : CblasNoTrans, whole(c.rows), whole(c.cols),
                            whole(p.transpose_a ? a.rows : a.cols), static_cast<float>(p.alpha), a.data, whole(a.stride), b.data, whole(b.stride), static_cast<float>(p.beta),
                            c.data, whole(c.stride));
                return;
            }
        }
#endif
        (void)provider;
        MutableMap out(c.data, c.rows, c.cols, Eigen::OuterStride<>(c.stride));
        if (p.beta == 0) {
            out.setZero();
        } else if (p.beta != 1) {
            out *= static_cast<T>(p.beta);
        }
        const T alpha = static_cast<T>(p.alpha);
        const ConstMap left(a.data, a.rows, a.cols, Eigen::OuterStride<>(a.stride));
        const ConstMap right(b.data, b.rows, b.cols, Eigen::OuterStride<>(b.stride));
        if (p.transpose_a && p.transpose_b) {
            out.noalias() += alpha * left.transpose() * right.transpose();
        } else if (p.transpose_a) {
            out.noalias() += alpha * left.transpose() * right;
        } else if (p.transpose_b) {
            out.noalias() += alpha * left * right.transpose();
        } else {
            out.noalias() += alpha * left * right;
        }
    }

  private:
    /// Our panels are dealt over our threads; OpenBLAS would put threads of its own below each. Other CBLAS have no such call.
    static void keep_to_one_thread() {
#if defined(LRP_EIGEN_CBLAS)
        static const bool done = [] {
            if (auto* set = reinterpret_cast<void (*)(int)>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"))) set(1);
            return true;
        }();
        (void)done;
#endif
    }
};

}  // namespace lrp::detail
