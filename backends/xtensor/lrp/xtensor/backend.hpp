// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The xtensor backend: matrix products by the BLAS behind xtensor-blas, on slices as they lie, with that BLAS's own threads, and xtensor's
// storage; everything else is the reference's plain loops.
#pragma once

#include <algorithm>
#include <limits>

#include <lrp/reference/backend.hpp>
#include <lrp/xtensor/includes.hpp>

namespace lrp {

template <Scalar T>
struct XtensorBackend : ReferenceBackend<T> {
    using scalar = T;
    static constexpr const char* name = "xtensor";

    struct context : ReferenceBackend<T>::context {
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

    static void matmul(context&, const Product& p, View<const T> a, View<const T> b, View<T> c) { product(p, a, b, c); }

    static void matmul_batched(context&, const Product& p, BatchView<const T> a, BatchView<const T> b, BatchView<T> c) {
        for (Index h = 0; h < c.count; ++h) {
            Product own = p;
            if (h % c.group != 0) own.beta = 1;  // the block already holds the sum over earlier heads of its group
            product(own, a[h], b[h], c[h]);
        }
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
