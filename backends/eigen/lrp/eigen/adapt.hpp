// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Between Eigen's matrices and views of this library, both ways; nothing is copied. What comes out must not outlive what went in.
#pragma once

#include <concepts>
#include <type_traits>

#include <Eigen/Core>

#include <lrp/core/tensor.hpp>

namespace lrp {

/// An Eigen expression whose numbers lie in memory: a matrix, an array, a map, or a block of one.
template <class E>
concept EigenInMemory = Scalar<typename std::remove_cv_t<E>::Scalar> && std::derived_from<std::remove_cv_t<E>, Eigen::DenseBase<std::remove_cv_t<E>>> &&
                        (std::remove_cv_t<E>::Flags & Eigen::DirectAccessBit) != 0;

/// The matrix as the library sees it; of constant numbers if the expression is constant. Takes lvalues only, so that nothing dies before its view.
/// Does not compile for a matrix by columns, Eigen's default; error where the numbers of a row are not neighbours.
template <EigenInMemory E>
[[nodiscard]] auto as_view(E& matrix) {
    using M = std::remove_cv_t<E>;
    constexpr bool one_row = M::RowsAtCompileTime == 1, one_column = M::ColsAtCompileTime == 1;
    static_assert(M::IsRowMajor || one_row || one_column, "as_view: this matrix lies by columns; the library reads rows, so declare it Eigen::RowMajor");
    constexpr bool by_rows = M::IsRowMajor && !one_column;
    const Index step = by_rows || one_row ? static_cast<Index>(matrix.innerStride()) : 1, cols = matrix.cols();
    require(cols <= 1 || step == 1, "as_view: expected rows of neighbouring numbers, found shape [", matrix.rows(), ", ", cols, "] with ", step, " from one to the next");
    const Index stride = one_row ? cols : by_rows ? static_cast<Index>(matrix.outerStride()) : static_cast<Index>(matrix.innerStride());
    auto* const data = matrix.data();
    return View<std::remove_pointer_t<std::remove_const_t<decltype(data)>>>(data, matrix.rows(), cols, stride);
}

template <EigenInMemory E>
void as_view(const E&& matrix) = delete;

/// The view as a map of Eigen's: read it, or assign to it if its numbers are not constant.
template <class T>
[[nodiscard]] auto as_eigen(const View<T>& view) {
    using Matrix = Eigen::Matrix<std::remove_const_t<T>, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    using Lent = std::conditional_t<std::is_const_v<T>, const Matrix, Matrix>;
    return Eigen::Map<Lent, Eigen::Unaligned, Eigen::OuterStride<>>(view.data, view.rows, view.cols, Eigen::OuterStride<>(view.stride));
}

}  // namespace lrp
