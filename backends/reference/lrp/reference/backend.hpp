// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The reference backend: plain loops in the order of the formulas, sums in double, no dependency. It is the executable specification
// of the primitives, the yardstick of the other backends, and the folder to copy when adding one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <numeric>
#include <span>
#include <vector>

#include <lrp/backend/backend.hpp>

namespace lrp {

/// Computes in T; weights lie in W and are widened where they are read.
template <Scalar T, Storage W = T>
struct ReferenceBackend {
    using scalar = T;
    using weight = W;
    static constexpr const char* name = "reference";

    struct context {
        using backend = ReferenceBackend;
        using scalar = T;
    };

    template <class E>
    class buffer {
      public:
        buffer() = default;
        explicit buffer(Index size) : data_(new E[static_cast<std::size_t>(size)]), size_(size) {}
        E* data() { return data_.get(); }
        [[nodiscard]] Index size() const { return size_; }

      private:
        std::unique_ptr<E[]> data_;
        Index size_ = 0;
    };

    template <class E>
    static buffer<E> allocate(context&, Index count) {
        return buffer<E>(count);
    }
    template <class E>
    static void upload(context&, std::span<const E> host, E* device) {
        std::copy(host.begin(), host.end(), device);
    }
    static void download(context&, const T* device, std::span<T> host) { std::copy_n(device, host.size(), host.begin()); }

    static void copy(context&, View<const T> in, View<T> out) {
        for (Index row = 0; row < out.rows; ++row) std::copy_n(in.row(row), out.cols, out.row(row));
    }
    static void fill(context&, View<T> out, T value) {
        for (Index row = 0; row < out.rows; ++row) std::fill_n(out.row(row), out.cols, value);
    }

    template <Storage U>
    static void matmul(context&, const Product& p, View<const T> a, View<const U> b, View<T> c) {
        const Index inner = p.transpose_a ? a.rows : a.cols;
        for (Index i = 0; i < c.rows; ++i) {
            for (Index j = 0; j < c.cols; ++j) {
                double sum = 0;
                for (Index k = 0; k < inner; ++k) {
                    const T left = p.transpose_a ? a(k, i) : a(i, k);
                    const T right = widen<T>(p.transpose_b ? b(j, k) : b(k, j));
                    sum += static_cast<double>(left) * right;
                }
                sum *= p.alpha;
                if (p.beta != 0) sum += p.beta * c(i, j);
                c(i, j) = static_cast<T>(sum);
            }
        }
    }

    static void matmul_batched(context& ctx, const Product& p, BatchView<const T> a, BatchView<const T> b, BatchView<T> c) {
        for (Index h = 0; h < c.count; ++h) {
            Product own = p;
            if (h % c.group != 0) own.beta = 1;  // the block already holds the sum over earlier heads of its group
            matmul<T>(ctx, own, a[h], b[h], c[h]);
        }
    }

    template <class F, class... In>
    static void map(context&, F f, View<T> out, In... in) {
        for (Index row = 0; row < out.rows; ++row)
            for (Index col = 0; col < out.cols; ++col) out(row, col) = f(in(row, col)...);
    }

    template <class F>
    static void for_each_row(context&, Index rows, Index, F f) {
        SerialGroup group;
        for (Index row = 0; row < rows; ++row) f(group, row);
    }

    template <Storage U, Storage V>
    static void gather_rows(context&, View<const U> table, std::span<const std::int32_t> ids, View<V> out) {
        for (std::size_t i = 0; i < ids.size(); ++i)
            for (Index col = 0; col < out.cols; ++col) {
                if constexpr (std::same_as<U, V>) {
                    out(static_cast<Index>(i), col) = table(ids[i], col);
                } else {
                    out(static_cast<Index>(i), col) = widen<T>(table(ids[i], col));
                }
            }
    }
    static void scatter_add_rows(context&, View<const T> in, std::span<const std::int32_t> ids, View<T> table) {
        for (std::size_t i = 0; i < ids.size(); ++i)
            for (Index col = 0; col < in.cols; ++col) table(ids[i], col) += in(static_cast<Index>(i), col);
    }

    static void top_k(context&, const T* x, Index count, std::span<std::int32_t> ids) {
        std::vector<std::int32_t> order(static_cast<std::size_t>(count));
        std::iota(order.begin(), order.end(), 0);
        const auto larger = [x](std::int32_t a, std::int32_t b) { return x[a] != x[b] ? x[a] > x[b] : a < b; };
        std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(ids.size()), order.end(), larger);
        std::copy_n(order.begin(), ids.size(), ids.begin());
    }
};

static_assert(check_backend<ReferenceBackend<float>>() && check_backend<ReferenceBackend<double>>());

}  // namespace lrp
