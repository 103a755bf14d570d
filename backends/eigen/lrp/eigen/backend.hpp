// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The CPU backend: matrix products by Eigen on panels, everything else on rows, both shared among the threads of one pool. The cut
// into panels and chunks depends on shapes alone, so results are the same bits for every number of threads.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <thread>

#include <Eigen/Core>

#include <lrp/backend/backend.hpp>
#include <lrp/backend/native.hpp>
#include <lrp/core/thread_pool.hpp>
#include <lrp/reference/backend.hpp>

namespace lrp {

template <Scalar T>
struct EigenBackend {
    using scalar = T;
    using weight = T;
    static constexpr const char* name = "eigen";
    static constexpr std::array native{Native::softmax};

    struct context {
        using backend = EigenBackend;
        using scalar = T;

        /// `threads` 0: as many as the machine has.
        explicit context(unsigned threads = 0) : pool(std::make_unique<ThreadPool>(threads)) {}
        std::unique_ptr<ThreadPool> pool;
    };

    /// Host memory on cache-line boundaries.
    template <class E>
    class buffer {
      public:
        buffer() = default;
        explicit buffer(Index size)
            : data_(static_cast<E*>(::operator new[](static_cast<std::size_t>(size) * sizeof(E), std::align_val_t{64}))), size_(size) {}
        E* data() { return data_.get(); }
        [[nodiscard]] Index size() const { return size_; }

      private:
        struct Free {
            void operator()(E* data) const { ::operator delete[](data, std::align_val_t{64}); }
        };
        std::unique_ptr<E, Free> data_;
        Index size_ = 0;
    };

    using Matrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using ConstMap = Eigen::Map<const Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;
    using MutableMap = Eigen::Map<Matrix, Eigen::Unaligned, Eigen::OuterStride<>>;
    using RowMap = Eigen::Map<const Eigen::Array<T, 1, Eigen::Dynamic>>;
    using MutableRowMap = Eigen::Map<Eigen::Array<T, 1, Eigen::Dynamic>>;

    template <class E>
    static buffer<E> allocate(context&, Index count) {
        return buffer<E>(count);
    }
    template <class E>
    static void upload(context&, std::span<const E> host, E* device) {
        std::copy(host.begin(), host.end(), device);
    }
    static void download(context&, const T* device, std::span<T> host) { std::copy_n(device, host.size(), host.begin()); }

    static void copy(context& ctx, View<const T> in, View<T> out) {
        rows(ctx, out.rows, out.cols, [&](Index row) { std::copy_n(in.row(row), out.cols, out.row(row)); });
    }
    static void fill(context& ctx, View<T> out, T value) {
        rows(ctx, out.rows, out.cols, [&](Index row) { std::fill_n(out.row(row), out.cols, value); });
    }

    static void matmul(context& ctx, const Product& p, View<const T> a, View<const T> b, View<T> c) {
        // Panels of output columns; a tall and narrow result is cut into panels of rows instead.
        const bool by_rows = c.cols < 2 * panel && c.rows >= 2 * panel;
        const Index extent = by_rows ? c.rows : c.cols;
        ctx.pool->parallel_for((extent + panel - 1) / panel, [&](Index index) {
            const Index first = index * panel;
            const Index count = std::min(panel, extent - first);
            if (by_rows) {
                product(p, p.transpose_a ? a.columns(first, count) : a.rows_from(first, count), b, c.rows_from(first, count));
            } else {
                product(p, a, p.transpose_b ? b.rows_from(first, count) : b.columns(first, count), c.columns(first, count));
            }
        });
    }

    static void matmul_batched(context& ctx, const Product& p, BatchView<const T> a, BatchView<const T> b, BatchView<T> c) {
        ctx.pool->parallel_for(c.count / c.group, [&](Index block) {
            for (Index member = 0; member < c.group; ++member) {
                Product own = p;
                if (member != 0) own.beta = 1;  // the block already holds the sum over earlier heads of its group
                const Index h = block * c.group + member;
                product(own, a[h], b[h], c[h]);
            }
        });
    }

    template <class F, class... In>
    static void map(context& ctx, F f, View<T> out, In... in) {
        rows(ctx, out.rows, out.cols, [&](Index row) {
            T* to = out.row(row);
            for (Index col = 0; col < out.cols; ++col) to[col] = f(in(row, col)...);
        });
    }

    template <class F>
    static void for_each_row(context& ctx, Index count, Index width, F f) {
        rows(ctx, count, width, [&](Index row) {
            SerialGroup group;
            f(group, row);
        });
    }

    static void gather_rows(context& ctx, View<const T> table, std::span<const std::int32_t> ids, View<T> out) {
        rows(ctx, out.rows, out.cols, [&](Index row) { std::copy_n(table.row(ids[static_cast<std::size_t>(row)]), out.cols, out.row(row)); });
    }
    static void scatter_add_rows(context&, View<const T> in, std::span<const std::int32_t> ids, View<T> table) {
        for (std::size_t i = 0; i < ids.size(); ++i)
            MutableRowMap(table.row(ids[i]), in.cols) += RowMap(in.row(static_cast<Index>(i)), in.cols);
    }
    static void top_k(context&, const T* x, Index count, std::span<std::int32_t> ids) {
        typename ReferenceBackend<T>::context plain;
        ReferenceBackend<T>::top_k(plain, x, count, ids);
    }

    /// Native row softmax: Eigen's vectorised exponential. Row i sees the columns 0 .. i mod queries, or all if `queries` is 0.
    static void softmax(context& ctx, View<const T> x, View<T> s, Index queries) {
        rows(ctx, x.rows, x.cols, [&](Index row) {
            const Index count = queries == 0 ? x.cols : row % queries + 1;
            const RowMap in(x.row(row), count);
            MutableRowMap out(s.row(row), count);
            out = (in - in.maxCoeff()).exp();
            out *= static_cast<T>(1 / out.template cast<double>().sum());
            MutableRowMap(s.row(row) + count, x.cols - count).setZero();
        });
    }

  private:
    static constexpr Index panel = 256;

    static ConstMap matrix(const View<const T>& v) { return {v.data, v.rows, v.cols, Eigen::OuterStride<>(v.stride)}; }

    static void product(const Product& p, const View<const T>& a, const View<const T>& b, const View<T>& c) {
        MutableMap out(c.data, c.rows, c.cols, Eigen::OuterStride<>(c.stride));
        if (p.beta == 0) {
            out.setZero();
        } else if (p.beta != 1) {
            out *= static_cast<T>(p.beta);
        }
        const T alpha = static_cast<T>(p.alpha);
        const ConstMap left = matrix(a);
        const ConstMap right = matrix(b);
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

    /// work(row) for all rows, in chunks large enough to be worth a thread.
    template <class F>
    static void rows(context& ctx, Index count, Index cols, const F& work) {
        const Index chunk = std::max<Index>(1, 16384 / std::max<Index>(1, cols));
        ctx.pool->parallel_for((count + chunk - 1) / chunk, [&](Index index) {
            const Index end = std::min(count, (index + 1) * chunk);
            for (Index row = index * chunk; row < end; ++row) work(row);
        });
    }
};

static_assert(check_backend<EigenBackend<float>>() && check_backend<EigenBackend<double>>());

}  // namespace lrp
