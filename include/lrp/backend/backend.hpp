// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A backend is the conjunction of the primitives; a tensor is a backend's buffer with a shape.
#pragma once

#include <concepts>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <lrp/backend/primitives.hpp>
#include <lrp/core/carrier.hpp>

namespace lrp {

template <class B>
concept Backend = HasTypes<B> && HasAllocate<B> && HasUpload<B> && HasDownload<B> && HasCopy<B> && HasFill<B> && HasMatmul<B> &&
                  HasMatmulBatched<B> && HasMap<B> && HasForEachRow<B> && HasGatherRows<B> && HasScatterAddRows<B> && HasTopK<B>;

/// For authors of a backend: fails to compile with one sentence for each primitive that is missing.
template <class B>
consteval bool check_backend() {
    static_assert(HasTypes<B>, "backend: scalar, weight, context (with context::backend and context::scalar) and name are needed");
    static_assert(HasAllocate<B>, "backend: allocate<E>(ctx, n) must return B::buffer<E> with data() and size()");
    static_assert(HasUpload<B>, "backend: upload<E>(ctx, span<const E> host, E* device) is missing");
    static_assert(HasDownload<B>, "backend: download(ctx, const scalar* device, span<scalar> host) is missing");
    static_assert(HasCopy<B>, "backend: copy(ctx, View<const scalar>, View<scalar>) is missing");
    static_assert(HasFill<B>, "backend: fill(ctx, View<scalar>, scalar) is missing");
    static_assert(HasMatmul<B>, "backend: matmul(ctx, Product, A, B, C) is missing, or does not take B of scalars and of weights");
    static_assert(HasMatmulBatched<B>, "backend: matmul_batched(ctx, Product, A, B, C) over BatchView is missing");
    static_assert(HasMap<B>, "backend: map(ctx, functor, out, in...) is missing");
    static_assert(HasForEachRow<B>, "backend: for_each_row(ctx, n, width, row functor) is missing");
    static_assert(HasGatherRows<B>, "backend: gather_rows(ctx, table, ids, out) is missing, or does not take tables of scalars and of weights");
    static_assert(HasScatterAddRows<B>, "backend: scatter_add_rows(ctx, in, ids, table) is missing");
    static_assert(HasTopK<B>, "backend: top_k(ctx, x, n, ids) is missing");
    return Backend<B>;
}

/// The first argument of every op and rule: a backend's context. It tells the backend and the scalar type.
template <class C>
concept Context = requires {
    typename C::backend;
    typename C::scalar;
} && Backend<typename C::backend> && std::same_as<typename C::backend::context, C>;

/// Whether a backend can compute with memory of the host that somebody else holds: `borrow<E>(ctx, const E*, n, owner)` gives a buffer<E> of it.
template <class B>
concept Borrows = requires(typename B::context& ctx, const typename B::weight* data, std::shared_ptr<const void> owner) {
    { B::template borrow<typename B::weight>(ctx, data, Index{}, owner) } -> std::same_as<typename B::template buffer<typename B::weight>>;
};

/// A backend that forms products of few rows by other code than those of many, and can be told to choose as for one prompt's rows where several share
/// a pass: `alike(ctx, a, b)` says whether prompts of so many rows take the same code, `share_rows(ctx, prompts)` that the rows of products from now
/// on belong to so many such prompts.
template <class B>
concept PacksRows = requires(typename B::context& ctx) {
    { B::alike(ctx, Index{}, Index{}) } -> std::same_as<bool>;
    B::share_rows(ctx, Index{});
};

/// An owning matrix of a backend, uninitialised when made; move-only. `Tag` says what it carries (Tensor<B> alone: tables, small vectors),
/// E what its elements are.
template <Backend B, class Tag = void, Storage E = typename B::scalar>
class Tensor {
  public:
    using scalar = E;
    using context = typename B::context;

    Tensor() = default;
    Tensor(context& ctx, Index rows, Index cols) { resize(ctx, rows, cols); }

    /// Takes the shape; memory is kept if it is large enough, contents are not. Where it is not, it is given back first: an error leaves an empty tensor.
    void resize(context& ctx, Index rows, Index cols) {
        require_context(ctx);
        if (rows * cols > buffer_.size()) {
            rows_ = cols_ = 0;
            buffer_ = {};
            buffer_ = B::template allocate<E>(ctx, rows * cols);
        }
        rows_ = rows;
        cols_ = cols;
    }

    [[nodiscard]] Index rows() const { return rows_; }
    [[nodiscard]] Index cols() const { return cols_; }
    [[nodiscard]] bool empty() const { return rows_ * cols_ == 0; }

    [[nodiscard]] auto view() { return as_carrier(View<scalar>(data(), rows_, cols_)); }
    [[nodiscard]] auto view() const { return as_carrier(View<const scalar>(data(), rows_, cols_)); }

    /// A matrix in memory that somebody else holds, for reading only; `owner` keeps it there. For backends that compute where the host's memory is.
    [[nodiscard]] static Tensor borrow(context& ctx, const scalar* data, Index rows, Index cols, std::shared_ptr<const void> owner)
        requires Borrows<B>
    {
        Tensor result;
        result.buffer_ = B::template borrow<E>(ctx, data, rows * cols, std::move(owner));
        result.rows_ = rows;
        result.cols_ = cols;
        return result;
    }

    /// Copies a whole matrix, row-major, from the host. Error: another number of values.
    void upload(context& ctx, std::span<const scalar> host) {
        require_context(ctx);
        require(std::ssize(host) == rows_ * cols_, "upload: a tensor [", rows_, ", ", cols_, "] takes ", rows_ * cols_, " values, found ", host.size());
        B::template upload<E>(ctx, host, data());
    }
    [[nodiscard]] std::vector<scalar> download(context& ctx) const
        requires std::same_as<E, typename B::scalar>
    {
        require_context(ctx);
        std::vector<scalar> host(static_cast<std::size_t>(rows_ * cols_));
        B::download(ctx, data(), host);
        return host;
    }

    /// Error if the backend's memory belongs to contexts and this was made by another one.
    void require_context(const context& ctx) const {
        if constexpr (requires { B::check_owner(ctx, buffer_); }) B::check_owner(ctx, buffer_);
    }

  private:
    scalar* data() const { return empty() ? nullptr : const_cast<typename B::template buffer<E>&>(buffer_).data(); }
    template <class T>
    static auto as_carrier(View<T> view) {
        if constexpr (std::is_void_v<Tag>) {
            return view;
        } else {
            return Carrier<Tag, T>(view);
        }
    }

    typename B::template buffer<E> buffer_{};
    Index rows_ = 0;
    Index cols_ = 0;
};

template <Backend B>
using ActivationTensor = Tensor<B, ActivationTag>;
template <Backend B>
using CoefficientTensor = Tensor<B, CoefficientTag>;
template <Backend B>
using RelevanceTensor = Tensor<B, RelevanceTag>;
/// Weights of products and tables, in the type the backend stores them in.
template <Backend B>
using WeightTensor = Tensor<B, void, typename B::weight>;

/// Copies a view of the backend, rows apart or not, to the host in row-major order.
template <Context C, class T>
[[nodiscard]] std::vector<typename C::scalar> download(C& ctx, const View<T>& view) {
    using B = typename C::backend;
    std::vector<typename C::scalar> host(static_cast<std::size_t>(view.rows * view.cols));
    if (view.contiguous()) {
        B::download(ctx, view.data, host);
    } else {
        for (Index row = 0; row < view.rows; ++row)
            B::download(ctx, view.row(row), std::span(host).subspan(static_cast<std::size_t>(row * view.cols), static_cast<std::size_t>(view.cols)));
    }
    return host;
}

/// The same shape and memory read another way, e.g. [T, H*D] as [T*H, D]. Needs rows without gaps.
template <class T>
[[nodiscard]] View<T> reshape(const View<T>& view, Index rows, Index cols) {
    require(view.contiguous() && rows * cols == view.rows * view.cols, "reshape: [", view.rows, ", ", view.cols, "] (row stride ", view.stride,
            ") cannot be read as [", rows, ", ", cols, "]");
    return {view.data, rows, cols};
}

}  // namespace lrp
