// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What a backend must be able to do: one concept per primitive, each with its formula. Everything else is composed of these once.
#pragma once

#include <concepts>
#include <cstdint>
#include <span>
#include <type_traits>

#include <lrp/backend/group.hpp>
#include <lrp/core/tensor.hpp>

namespace lrp {

/// C <- alpha * op(A) op(B) + beta * C, where op transposes if the flag says so. With beta = 0, C need not be initialised.
struct Product {
    bool transpose_a = false;
    bool transpose_b = false;
    double alpha = 1;
    double beta = 0;
};

namespace detail {

struct ProbeMap {  // a pointwise functor, only to ask whether a backend accepts one
    template <class T>
    LRP_HD T operator()(T value) const {
        return value;
    }
};
struct ProbeRow {  // a row functor, for the same purpose
    template <Group G>
    LRP_HD void operator()(G&, Index) const {}
};

template <class B>
using probe_context = typename B::context;
template <class B>
using probe_out = View<typename B::scalar>;
template <class B>
using probe_in = View<const typename B::scalar>;
template <class B>
using probe_weight = View<const typename B::weight>;
template <class B>
using probe_ids = std::span<const std::int32_t>;

}  // namespace detail

/// Names: `B::scalar` (float or double) is the type computed in; `B::weight` (that, or bf16) the type weights lie in; `B::context` carries
/// threads, streams and arenas, is passed first to every call, and names its backend as `context::backend` and its scalar as
/// `context::scalar`; `B::name` says who it is.
template <class B>
concept HasTypes = Scalar<typename B::scalar> && Storage<typename B::weight> && std::same_as<typename B::context::backend, B> &&
                   std::same_as<typename B::context::scalar, typename B::scalar> && std::convertible_to<decltype(B::name), const char*>;

namespace detail {
template <class B, class E>
concept Allocates = requires(probe_context<B>& ctx, Index n, typename B::template buffer<E>& buffer) {
    { B::template allocate<E>(ctx, n) } -> std::same_as<typename B::template buffer<E>>;
    { buffer.data() } -> std::same_as<E*>;
    { buffer.size() } -> std::convertible_to<Index>;
} && std::movable<typename B::template buffer<E>>;
template <class B, class E>
concept Uploads = requires(probe_context<B>& ctx, std::span<const E> host, E* device) { B::template upload<E>(ctx, host, device); };
}  // namespace detail

/// allocate<E>(ctx, n): an owning, move-only buffer<E> of n uninitialised elements with `data()` and `size()`; E is scalar or weight.
template <class B>
concept HasAllocate = detail::Allocates<B, typename B::scalar> && detail::Allocates<B, typename B::weight>;

/// upload<E>(ctx, host, device): device[i] <- host[i]; `host` may be changed when the call returns. E is scalar or weight.
template <class B>
concept HasUpload = detail::Uploads<B, typename B::scalar> && detail::Uploads<B, typename B::weight>;

/// download(ctx, device, host): host[i] <- device[i]; all earlier work on those values is finished.
template <class B>
concept HasDownload = requires(detail::probe_context<B>& ctx, const typename B::scalar* device, std::span<typename B::scalar> host) {
    B::download(ctx, device, host);
};

/// copy(ctx, x, y): y_ij <- x_ij.
template <class B>
concept HasCopy = requires(detail::probe_context<B>& ctx, detail::probe_in<B> in, detail::probe_out<B> out) { B::copy(ctx, in, out); };

/// fill(ctx, y, a): y_ij <- a.
template <class B>
concept HasFill = requires(detail::probe_context<B>& ctx, detail::probe_out<B> out, typename B::scalar value) { B::fill(ctx, out, value); };

/// matmul(ctx, p, A, B, C): C <- alpha op(A) op(B) + beta C; B of scalars or of weights.
template <class B>
concept HasMatmul =
    requires(detail::probe_context<B>& ctx, Product p, detail::probe_in<B> in, detail::probe_weight<B> weight, detail::probe_out<B> out) {
        B::matmul(ctx, p, in, in, out);
        B::matmul(ctx, p, in, weight, out);
    };

/// matmul_batched(ctx, p, A, B, C): for every h < count: C[h] <- alpha op(A[h]) op(B[h]) + beta C[h]; blocks of C that several h share
/// receive the sum over them, in order of h.
template <class B>
concept HasMatmulBatched =
    requires(detail::probe_context<B>& ctx, Product p, BatchView<const typename B::scalar> in, BatchView<typename B::scalar> out) {
        B::matmul_batched(ctx, p, in, in, out);
    };

/// map(ctx, f, y, x...): y_ij <- f(x_ij...); an input is anything whose operator()(i, j) gives a scalar (View, PerRow, PerColumn,
/// Widened), passed by value; y may be one of the inputs.
template <class B>
concept HasMap = requires(detail::probe_context<B>& ctx, detail::probe_in<B> in, detail::probe_out<B> out) {
    B::map(ctx, detail::ProbeMap{}, out, in);
};

/// for_each_row(ctx, n, width, f): f(group, i) for every row i < n, rows in any order, each by one group of lanes; `width` says how many
/// columns a row has, from which a backend chooses how many lanes share it.
template <class B>
concept HasForEachRow = requires(detail::probe_context<B>& ctx, Index n) { B::for_each_row(ctx, n, n, detail::ProbeRow{}); };

/// gather_rows(ctx, X, ids, Y): Y_i <- X_(ids_i); scalars to scalars, weights to scalars, weights to weights. `ids` lie on the host and may
/// be changed when the call returns.
template <class B>
concept HasGatherRows = requires(detail::probe_context<B>& ctx, detail::probe_in<B> in, detail::probe_weight<B> weight, detail::probe_ids<B> ids,
                                 detail::probe_out<B> out, View<typename B::weight> rows) {
    B::gather_rows(ctx, in, ids, out);
    B::gather_rows(ctx, weight, ids, out);
    B::gather_rows(ctx, weight, ids, rows);
};

/// scatter_add_rows(ctx, X, ids, Y): Y_(ids_i) <- Y_(ids_i) + X_i, in order of i.
template <class B>
concept HasScatterAddRows =
    requires(detail::probe_context<B>& ctx, detail::probe_in<B> in, detail::probe_ids<B> ids, detail::probe_out<B> out) {
        B::scatter_add_rows(ctx, in, ids, out);
    };

/// top_k(ctx, x, n, ids): the places of the ids.size() largest of the n values x, largest first, the lower place first among equals.
template <class B>
concept HasTopK = requires(detail::probe_context<B>& ctx, const typename B::scalar* x, Index n, std::span<std::int32_t> ids) {
    B::top_k(ctx, x, n, ids);
};

}  // namespace lrp
