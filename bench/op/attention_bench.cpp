// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Attention without T x T matrices, forward and back, on backends that have it. The argument is the number of tokens.
#include <lrp/op/tiled_attention.hpp>

#include "data.hpp"

using namespace lrp;
using namespace lrp::bench;

namespace {

/// Over all backends by a template, so that what a backend lacks is not compiled.
template <class Backend>
struct Heads {
    explicit Heads(Index tokens)
        : q(activation(ctx, tokens, heads * head_dim)), k(activation(ctx, tokens, kv_heads * head_dim)), v(activation(ctx, tokens, kv_heads * head_dim)),
          z(activation(ctx, tokens, heads * head_dim)), rows(random_tensor(ctx, heads * tokens, 2)), c_z(coefficient(ctx, tokens, heads * head_dim)),
          c_q(coefficient(ctx, tokens, heads * head_dim)), c_k(coefficient(ctx, tokens, kv_heads * head_dim)), c_v(coefficient(ctx, tokens, kv_heads * head_dim)) {}
    void forward() { TiledAttention::forward(ctx, params, q.view().as_const(), k.view().as_const(), v.view().as_const(), z.view(), rows.view().data); }
    void back() {
        TiledAttention::vjp(ctx, params, {q.view().as_const(), k.view().as_const(), v.view().as_const(), z.view().as_const(), rows.view().data}, factors, c_z.view().as_const(),
                            c_q.view(), c_k.view(), c_v.view());
    }

    C ctx;
    TiledAttention::Params<float> params{heads, kv_heads, head_dim, 0.125};
    TiledAttention::Factors factors{0.25, 0.25, 0.5};
    ActivationTensor<Backend> q, k, v, z;
    Tensor<Backend> rows;
    CoefficientTensor<Backend> c_z, c_q, c_k, c_v;
};

/// Of `products` products over the causal half of all pairs of tokens; activations in and out.
void count_pairs(benchmark::State& state, double products, double rows) {
    const auto T = static_cast<double>(state.range(0));
    count(state, products * T * (T + 1) * static_cast<double>(heads * head_dim), 4.0 * rows * T * static_cast<double>(head_dim));
}

template <class Backend>
void forward(benchmark::State& state) {
    Heads<Backend> all(state.range(0));
    for (auto _ : state) timed(all.ctx, [&] { all.forward(); });
    count_pairs(state, 2, static_cast<double>(2 * heads + 2 * kv_heads));
}

template <class Backend>
void back(benchmark::State& state) {
    Heads<Backend> all(state.range(0));
    all.forward();
    for (auto _ : state) timed(all.ctx, [&] { all.back(); });
    count_pairs(state, 4, static_cast<double>(4 * heads + 4 * kv_heads));
}

template <class Backend>
int add_benchmarks() {
    if constexpr (is_native<Backend>(Native::tiles) || is_native<Backend>(Native::attention)) {
        const auto lengths = [](benchmark::internal::Benchmark* one) { one->Arg(16)->Arg(128)->Arg(512)->Arg(2048)->Unit(benchmark::kMicrosecond)->UseRealTime(); };
        lengths(benchmark::RegisterBenchmark("op/tiled_attention", forward<Backend>));
        lengths(benchmark::RegisterBenchmark("op/tiled_attention_back", back<Backend>));
    }
    return 0;
}
[[maybe_unused]] const int added = add_benchmarks<B>();

}  // namespace
