// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A backend that passes every call on and counts them, so that a test which never reached the backend can be failed. What it allocates holds NaN, and
// so does the scratch of every tile: a step that reads what nobody has written is seen in its result.
#pragma once

#include <array>
#include <limits>
#include <vector>

#include <lrp/backend/backend.hpp>
#include <lrp/backend/native.hpp>

namespace lrp::test {

/// A tile functor whose scratch holds NaN when it begins.
template <class F>
struct OnPoisonedScratch {
    F f;
    Index scratch;
    template <Group G, class T>
    LRP_HD void operator()(G& group, Index tile, T* memory) const {
        row_each(group, scratch, [&](Index i) { memory[i] = static_cast<T>(__builtin_nanf("")); });
        group.barrier();
        f(group, tile, memory);
    }
};

template <class Inner>
struct CountingBackend {
    using scalar = typename Inner::scalar;
    using weight = typename Inner::weight;
    template <class E>
    using buffer = typename Inner::template buffer<E>;
    static constexpr const char* name = Inner::name;
    static constexpr auto native = [] {
        if constexpr (requires { Inner::native; }) {
            return Inner::native;
        } else {
            return std::array<Native, 0>{};
        }
    }();

    struct context {
        using backend = CountingBackend;
        using scalar = typename Inner::scalar;
        typename Inner::context inner;
        long calls = 0;
    };
    using In = View<const scalar>;
    using Out = View<scalar>;
    using Ids = std::span<const std::int32_t>;

    static typename Inner::context& pass(context& ctx) { return ++ctx.calls, ctx.inner; }
    template <class E>
    static buffer<E> allocate(context& ctx, Index n) {
        auto fresh = Inner::template allocate<E>(ctx.inner, n);
        const std::vector<E> poison(static_cast<std::size_t>(n), narrow<E>(std::numeric_limits<scalar>::quiet_NaN()));
        Inner::template upload<E>(ctx.inner, poison, fresh.data());
        return fresh;
    }
    template <class E>
    static void upload(context& ctx, std::span<const E> host, E* device) {
        Inner::template upload<E>(ctx.inner, host, device);
    }
    static void download(context& ctx, const scalar* device, std::span<scalar> host) { Inner::download(ctx.inner, device, host); }
    static void copy(context& ctx, In in, Out out) { Inner::copy(pass(ctx), in, out); }
    static void fill(context& ctx, Out out, scalar value) { Inner::fill(pass(ctx), out, value); }
    template <class U>
    static void matmul(context& ctx, const Product& p, In a, View<const U> b, Out c) {
        Inner::matmul(pass(ctx), p, a, b, c);
    }
    static void matmul_batched(context& ctx, const Product& p, BatchView<const scalar> a, BatchView<const scalar> b, BatchView<scalar> c) {
        Inner::matmul_batched(pass(ctx), p, a, b, c);
    }
    template <class F, class... Ins>
    static void map(context& ctx, F f, Out out, Ins... in) {
        Inner::map(pass(ctx), f, out, in...);
    }
    template <class F>
    static void for_each_row(context& ctx, Index rows, Index width, F f) {
        Inner::for_each_row(pass(ctx), rows, width, f);
    }
    template <class U, class V>
    static void gather_rows(context& ctx, View<const U> table, Ids ids, View<V> out) {
        Inner::gather_rows(pass(ctx), table, ids, out);
    }
    static void scatter_add_rows(context& ctx, In in, Ids ids, Out table) { Inner::scatter_add_rows(pass(ctx), in, ids, table); }
    static void top_k(context& ctx, const scalar* x, Index n, std::span<std::int32_t> ids) { Inner::top_k(pass(ctx), x, n, ids); }
    template <class F>
    static void for_each_tile(context& ctx, Index n, Index scratch, F f)
        requires(is_native<Inner>(Native::tiles))
    {
        Inner::for_each_tile(pass(ctx), n, scratch, OnPoisonedScratch<F>{f, scratch});
    }
    static constexpr Index widest_head = [] {
        if constexpr (requires { Inner::widest_head; }) return Inner::widest_head;
        return Index{0};
    }();
    static void attention_forward(context& ctx, const AttentionForward<scalar>& call)
        requires(is_native<Inner>(Native::attention))
    {
        Inner::attention_forward(pass(ctx), call);
    }
    static void attention_backward(context& ctx, const AttentionBackward<scalar>& call)
        requires(is_native<Inner>(Native::attention))
    {
        Inner::attention_backward(pass(ctx), call);
    }
    static void softmax(context& ctx, In x, Out s, Index queries)
        requires(is_native<Inner>(Native::softmax))
    {
        Inner::softmax(pass(ctx), x, s, queries);
    }
};

}  // namespace lrp::test
