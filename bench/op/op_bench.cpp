// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Every op, forward. The argument is the number of tokens.
#include <lrp/op/add.hpp>
#include <lrp/op/embedding.hpp>
#include <lrp/op/gelu.hpp>
#include <lrp/op/layer_norm.hpp>
#include <lrp/op/linear.hpp>
#include <lrp/op/matmul.hpp>
#include <lrp/op/multiply.hpp>
#include <lrp/op/relu.hpp>
#include <lrp/op/rms_norm.hpp>
#include <lrp/op/rope.hpp>
#include <lrp/op/silu.hpp>
#include <lrp/op/softmax.hpp>
#include <lrp/op/tanh.hpp>

#include "data.hpp"

using namespace lrp;
using namespace lrp::bench;

namespace {

void linear(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto x = activation(ctx, T, hidden), z = activation(ctx, T, neurons);
    auto w = random_tensor(ctx, neurons, hidden);
    for (auto _ : state) timed(ctx, [&] { Linear::forward(ctx, {std::as_const(w).view()}, x.view().as_const(), z.view()); });
    count(state, 2.0 * static_cast<double>(T * hidden * neurons), 4.0 * static_cast<double>(hidden * neurons + T * (hidden + neurons)));
}

void matmul(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto q = activation(ctx, T, heads * head_dim), k = activation(ctx, T, kv_heads * head_dim), z = activation(ctx, heads * T, T);
    const MatMul::Params<float> p{.count = heads, .group = heads / kv_heads, .transpose_b = true, .z_layout = HeadLayout::rows};
    for (auto _ : state) timed(ctx, [&] { MatMul::forward(ctx, p, q.view().as_const(), k.view().as_const(), z.view()); });
    count(state, 2.0 * static_cast<double>(heads * T * T * head_dim), 4.0 * static_cast<double>(heads * T * T + T * (heads + kv_heads) * head_dim));
}

void softmax(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto x = activation(ctx, heads * T, T), s = activation(ctx, heads * T, T);
    for (auto _ : state) timed(ctx, [&] { Softmax::forward(ctx, {T}, x.view().as_const(), s.view()); });
    count(state, 0, 6.0 * static_cast<double>(heads * T * T));  // causal: half is read, all is written
}

void rms_norm(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto x = activation(ctx, T, hidden), y = activation(ctx, T, hidden);
    auto w = random_tensor(ctx, 1, hidden), r = random_tensor(ctx, 1, T);
    for (auto _ : state) timed(ctx, [&] { RMSNorm::forward(ctx, {w.view().data, 1e-5}, x.view().as_const(), y.view(), r.view().data); });
    count(state, 0, 8.0 * static_cast<double>(T * hidden));
}

void layer_norm(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto x = activation(ctx, T, hidden), y = activation(ctx, T, hidden);
    auto w = random_tensor(ctx, 1, hidden), m = random_tensor(ctx, 1, T), s = random_tensor(ctx, 1, T);
    for (auto _ : state) timed(ctx, [&] { LayerNorm::forward(ctx, {w.view().data, w.view().data, 1e-5}, x.view().as_const(), y.view(), m.view().data, s.view().data); });
    count(state, 0, 8.0 * static_cast<double>(T * hidden));
}

template <class O>
void pointwise(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto x = activation(ctx, T, neurons), y = activation(ctx, T, neurons);
    for (auto _ : state) timed(ctx, [&] { O::forward(ctx, {}, x.view().as_const(), y.view()); });
    count(state, 0, 8.0 * static_cast<double>(T * neurons));
}

template <class O>
void binary(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto a = activation(ctx, T, neurons), b = activation(ctx, T, neurons), y = activation(ctx, T, neurons);
    for (auto _ : state) timed(ctx, [&] { O::forward(ctx, {}, a.view().as_const(), b.view().as_const(), y.view()); });
    count(state, 0, 12.0 * static_cast<double>(T * neurons));
}

void rope(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto x = activation(ctx, T, heads * head_dim), y = activation(ctx, T, heads * head_dim);
    auto cos = random_tensor(ctx, T, head_dim / 2), sin = random_tensor(ctx, T, head_dim / 2);
    for (auto _ : state) timed(ctx, [&] { Rope::forward(ctx, {std::as_const(cos).view(), std::as_const(sin).view()}, x.view().as_const(), y.view()); });
    count(state, 0, 8.0 * static_cast<double>(T * heads * head_dim));
}

void embedding(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto table = random_tensor(ctx, 32000, hidden);
    auto y = activation(ctx, T, hidden);
    std::vector<std::int32_t> ids(static_cast<std::size_t>(T));
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>((i * 7919) % 32000);
    for (auto _ : state) timed(ctx, [&] { Embedding::forward(ctx, {std::as_const(table).view(), ids}, y.view()); });
    count(state, 0, 8.0 * static_cast<double>(T * hidden));
}

}  // namespace

BENCHMARK(linear)->Name("op/linear")->Apply(tokens);
BENCHMARK(matmul)->Name("op/matmul")->Apply(tokens);
BENCHMARK(softmax)->Name("op/softmax")->Apply(tokens);
BENCHMARK(rms_norm)->Name("op/rms_norm")->Apply(tokens);
BENCHMARK(layer_norm)->Name("op/layer_norm")->Apply(tokens);
BENCHMARK(pointwise<SiLU>)->Name("op/silu")->Apply(tokens);
BENCHMARK(pointwise<GELU>)->Name("op/gelu")->Apply(tokens);
BENCHMARK(pointwise<TanhGELU>)->Name("op/tanh_gelu")->Apply(tokens);
BENCHMARK(pointwise<ReLU>)->Name("op/relu")->Apply(tokens);
BENCHMARK(pointwise<Tanh>)->Name("op/tanh")->Apply(tokens);
BENCHMARK(binary<Multiply>)->Name("op/multiply")->Apply(tokens);
BENCHMARK(binary<Add>)->Name("op/add")->Apply(tokens);
BENCHMARK(rope)->Name("op/rope")->Apply(tokens);
BENCHMARK(embedding)->Name("op/embedding")->Apply(tokens);
