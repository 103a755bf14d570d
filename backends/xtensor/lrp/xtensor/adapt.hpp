// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Between xtensor's arrays and views of this library, both ways; nothing is copied. What comes out must not outlive what went in.
#pragma once

#include <array>
#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>

#include <lrp/core/tensor.hpp>
#include <lrp/xtensor/includes.hpp>

namespace lrp {

/// An xtensor expression whose numbers lie in memory: xarray, xtensor, an adaptor, or a strided view of one.
template <class E>
concept XtensorInMemory = Scalar<typename std::remove_cv_t<E>::value_type> && requires(E& array) {
    { *array.data() } -> std::convertible_to<typename std::remove_cv_t<E>::value_type>;
    { array.data_offset() } -> std::convertible_to<std::size_t>;
    { array.dimension() } -> std::convertible_to<std::size_t>;
    array.shape();
    array.strides();
};

/// The matrix or vector (one row) as the library sees it; of constant numbers if the array is constant. Takes lvalues only, so that no array
/// dies before its view. Error if the array has another rank, or if its rows are not runs of neighbouring numbers that follow each other.
template <XtensorInMemory E>
[[nodiscard]] auto as_view(E& array) {
    const std::size_t rank = array.dimension();
    require(rank == 1 || rank == 2, "as_view: expected an array of 1 or 2 dimensions, found ", rank);
    const auto extent = [&](std::size_t axis) { return static_cast<Index>(array.shape()[axis]); };
    const auto step = [&](std::size_t axis) { return static_cast<Index>(array.strides()[axis]); };
    const Index rows = rank == 1 ? 1 : extent(0);
    const Index cols = extent(rank - 1);
    // An axis of one element has no stride; xtensor calls it 0.
    const Index stride = rows > 1 ? step(0) : cols;
    const bool neighbours = cols <= 1 || step(rank - 1) == 1;
    if (rank == 1) {
        require(neighbours, "as_view: expected a vector of stride 1, found shape [", cols, "] with stride ", step(0));
    } else {
        require(neighbours && stride >= cols, "as_view: expected row-major rows (strides [at least ", cols, ", 1]), found shape [", rows, ", ", cols,
                "] with strides [", step(0), ", ", step(1), "]");
    }
    auto* const data = array.data() + array.data_offset();
    return View<std::remove_pointer_t<std::remove_const_t<decltype(data)>>>(data, rows, cols, stride);
}

template <XtensorInMemory E>
void as_view(const E&& array) = delete;

/// The view as an xtensor expression of two dimensions: read it, or assign to it if its numbers are not constant.
template <class T>
[[nodiscard]] auto as_xtensor(const View<T>& view) {
    std::array<std::size_t, 2> shape{static_cast<std::size_t>(view.rows), static_cast<std::size_t>(view.cols)};
    std::array<std::ptrdiff_t, 2> strides{view.rows > 1 ? view.stride : 0, view.cols > 1 ? 1 : 0};
    const std::array<std::size_t, 1> reach{view.rows == 0 ? 0 : static_cast<std::size_t>((view.rows - 1) * view.stride + view.cols)};
    // The pointer is passed as a value: xtensor would keep a reference to a named one. An adaptor with strides would not do: it fails when a
    // result is assigned to it by way of a temporary.
    auto memory = xt::adapt(static_cast<T*>(view.data), reach[0], xt::no_ownership(), reach);
    return xt::strided_view(std::move(memory), std::move(shape), std::move(strides), 0, xt::layout_type::dynamic);
}

}  // namespace lrp
