// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Views: where numbers lie and how they are laid out. Plain structs without ownership, the same for every backend, so that a user's
// own matrix, a mapped file and a device buffer look alike to an op.
#pragma once

#include <type_traits>

#include <lrp/core/config.hpp>
#include <lrp/core/error.hpp>
#include <lrp/core/scalar.hpp>

namespace lrp {

/// A row-major matrix that somebody else owns: element (i, j) is `data[i * stride + j]`.
template <class T>
struct View {
    T* data = nullptr;
    Index rows = 0;
    Index cols = 0;
    Index stride = 0;

    View() = default;
    LRP_HD View(T* data_, Index rows_, Index cols_) : View(data_, rows_, cols_, cols_) {}
    LRP_HD View(T* data_, Index rows_, Index cols_, Index stride_) : data(data_), rows(rows_), cols(cols_), stride(stride_) {}

    /// A view of mutable numbers may be read as one of constant numbers.
    template <class U>
        requires std::is_same_v<const U, T>
    LRP_HD View(const View<U>& other) : View(other.data, other.rows, other.cols, other.stride) {}

    LRP_HD T& operator()(Index row, Index col) const { return data[row * stride + col]; }
    LRP_HD T* row(Index index) const { return data + index * stride; }
    LRP_HD bool empty() const { return data == nullptr; }
    LRP_HD bool contiguous() const { return stride == cols; }

    /// The same rows, columns [first, first + count).
    LRP_HD View columns(Index first, Index count) const { return {data + first, rows, count, stride}; }
    /// The same columns, rows [first, first + count).
    LRP_HD View rows_from(Index first, Index count) const { return {data + first * stride, count, cols, stride}; }
};

/// One value per row, the same for every column: an input of `map` that is spread over the row.
template <class T>
struct PerRow {
    const T* data = nullptr;
    LRP_HD T operator()(Index row, Index) const { return data[row]; }
};

/// One value per column, the same for every row.
template <class T>
struct PerColumn {
    const T* data = nullptr;
    LRP_HD T operator()(Index, Index col) const { return data[col]; }
};

/// A view of stored numbers read as T.
template <Scalar T, Storage W>
struct Widened {
    View<const W> view;
    LRP_HD T operator()(Index row, Index col) const { return widen<T>(view(row, col)); }
};

/// `count` matrices of one shape that lie `step` elements apart; `group` neighbouring ones share a matrix (grouped-query attention:
/// query heads h with the same h / group read the same keys).
template <class T>
struct BatchView {
    View<T> first;
    Index count = 0;
    Index step = 0;
    Index group = 1;

    LRP_HD View<T> operator[](Index index) const {
        return {first.data + (index / group) * step, first.rows, first.cols, first.stride};
    }
};

/// How the heads of a tensor lie: side by side as column blocks of [T, heads * width], or stacked as row blocks of [heads * T, width].
enum class HeadLayout { columns, rows };

/// Cuts a tensor into one matrix per head; `count` heads read `count / group` stored blocks.
template <class T>
LRP_HD BatchView<T> split_heads(const View<T>& all, HeadLayout layout, Index count, Index group = 1) {
    const Index blocks = count / group;
    if (layout == HeadLayout::columns) {
        const Index width = all.cols / blocks;
        return {all.columns(0, width), count, width, group};
    }
    const Index height = all.rows / blocks;
    return {all.rows_from(0, height), count, height * all.stride, group};
}

/// Error unless the view has the shape; `what` names it in the message.
template <class T>
void require_shape(const View<T>& view, Index rows, Index cols, const char* what) {
    require(view.rows == rows && view.cols == cols, what, ": expected shape [", rows, ", ", cols, "], found [", view.rows, ", ", view.cols,
            "]");
}

}  // namespace lrp
