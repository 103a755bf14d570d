// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The xtensor backend: matrix products by the BLAS behind xtensor-blas, on slices as they lie, with that BLAS's own threads; everything
// else on rows, in plain loops.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <limits>
#include <span>

#include <lrp/backend/backend.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/xtensor/includes.hpp>

namespace lrp {

template <Scalar T>
struct XtensorBackend {
    using scalar = T;
    using weight = T;
    static constexpr const char* name = "xtensor";

    struct context {
        using backend = XtensorBackend;
        using scalar = T;
    };

    /// xtensor's own uninitialised storage.
    template <class E>
    class buffer {
      public:
        buffer() = default;
        explicit buffer(Index size) : data_(static_cast<std::size_t>(size)) {}
        buffer(const buffer&) = delete;
        buffer& operator=(const buffer&) = delete;
        buffer(buffer&&) noexcept = default;
        buffer& operator=(buffer&&) noexcept = default;
        ~buffer() = default;
        E* data() { return data_.data(); }
        [[nodiscard]] Index size() const { return static_cast<Index>(data_.size()); }

      private:
        xt::uvector<E> data_;
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

    static void matmul(context&, const Product& p, View<const T> a, View<const T> b, View<T> c) { product(p, a, b, c); }

    static void matmul_batched(context&, const Product& p, BatchView<const T> a, BatchView<const T> b, BatchView<T> c) {
        for (Index h = 0; h < c.count; ++h) {
            Product own = p;
            if (h % c.group != 0) own.beta = 1;  // the block already holds the sum over earlier heads of its group
            product(own, a[h], b[h], c[h]);
        }
    }

    template <class F, class... In>
    static void map(context&, F f, View<T> out, In... in) {
        for (Index row = 0; row < out.rows; ++row) {
            T* to = out.row(row);
            for (Index col = 0; col < out.cols; ++col) to[col] = f(in(row, col)...);
        }
    }

    template <class F>
    static void for_each_row(context&, Index rows, Index, F f) {
        SerialGroup group;
        for (Index row = 0; row < rows; ++row) f(group, row);
    }

    static void gather_rows(context&, View<const T> table, std::span<const std::int32_t> ids, View<T> out) {
        for (std::size_t i = 0; i < ids.size(); ++i) std::copy_n(table.row(ids[i]), out.cols, out.row(static_cast<Index>(i)));
    }
    static void scatter_add_rows(context&, View<const T> in, std::span<const std::int32_t> ids, View<T> table) {
        for (std::size_t i = 0; i < ids.size(); ++i) {
            const T* from = in.row(static_cast<Index>(i));
            T* to = table.row(ids[i]);
            for (Index col = 0; col < in.cols; ++col) to[col] += from[col];
        }
    }
    static void top_k(context&, const T* x, Index count, std::span<std::int32_t> ids) {
        typename ReferenceBackend<T>::context plain;
        ReferenceBackend<T>::top_k(plain, x, count, ids);
    }

  private:
    using blas_int = xt::blas_index_t;

    /// A length as BLAS counts, which may be in 32 bits.
    static blas_int length(Index value) {
        require(value <= static_cast<Index>(std::numeric_limits<blas_int>::max()), "matmul: ", value, " is more than this BLAS can count");
        return static_cast<blas_int>(value);
    }
    /// From one row to the next; BLAS wants at least a row's length of it even where there is no next row.
    static blas_int leading(const View<const T>& v) { return length(std::max<Index>({1, v.cols, v.rows > 1 ? v.stride : 0})); }

    // xt::blas::gemm would copy a slice; the call below it takes rows that lie apart.
    static void product(const Product& p, const View<const T>& a, const View<const T>& b, const View<T>& c) {
        const auto flag = [](bool transpose) { return transpose ? cxxblas::Trans : cxxblas::NoTrans; };
        const Index inner = p.transpose_a ? a.rows : a.cols;
        cxxblas::gemm<blas_int>(cxxblas::RowMajor, flag(p.transpose_a), flag(p.transpose_b), length(c.rows), length(c.cols), length(inner),
                                static_cast<T>(p.alpha), a.data, leading(a), b.data, leading(b), static_cast<T>(p.beta), c.data, leading(c));
    }
};

static_assert(check_backend<XtensorBackend<float>>() && check_backend<XtensorBackend<double>>());

}  // namespace lrp
