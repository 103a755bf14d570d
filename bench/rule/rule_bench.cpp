// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Every rule, backward. The argument is the number of tokens.
#include <lrp/rule/composite.hpp>

#include "data.hpp"

using namespace lrp;
using namespace lrp::bench;

namespace {

/// `products`: how many products of the linear map's size the rule forms; `reads_output`: whether it reads z besides the coefficient.
template <class R>
void linear_rule(benchmark::State& state, R rule, double products = 1, bool reads_output = false) {
    C ctx;
    const Index T = state.range(0);
    auto x = activation(ctx, T, hidden), z = activation(ctx, T, neurons);
    auto c_z = coefficient(ctx, T, neurons), c_x = coefficient(ctx, T, hidden);
    auto w = random_tensor(ctx, neurons, hidden);
    const Linear::Params<float> p{std::as_const(w).view()};
    for (auto _ : state) timed(ctx, [&] { rule.propagate(ctx, p, {x.view(), z.view()}, c_z.view().as_const(), c_x.view()); });
    const double flops = products * 2.0 * static_cast<double>(T * hidden * neurons);
    if (products == 0) return count(state, 0, 4.0 * static_cast<double>(T * hidden));  // only c_x is written
    count(state, flops, 4.0 * static_cast<double>(hidden * neurons + T * (hidden + (reads_output ? 2 : 1) * neurons)));
}
void epsilon_zero(benchmark::State& state) { linear_rule(state, EpsilonRule<Linear>{}); }
void epsilon_linear(benchmark::State& state) { linear_rule(state, EpsilonRule<Linear>{1e-6}, 1, true); }
void gamma_linear(benchmark::State& state) { linear_rule(state, GammaRule<Linear>{}, 8, true); }
void gradient_linear(benchmark::State& state) { linear_rule(state, GradientRule<Linear>{}); }
void stop_linear(benchmark::State& state) { linear_rule(state, StopRule<Linear>{}, 0); }

template <class R>
void softmax_rule(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto x = activation(ctx, heads * T, T), s = activation(ctx, heads * T, T);
    auto c_s = coefficient(ctx, heads * T, T), c_x = coefficient(ctx, heads * T, T);
    Softmax::forward(ctx, {T}, x.view().as_const(), s.view());
    for (auto _ : state) timed(ctx, [&] { R{}.propagate(ctx, {T}, {x.view(), s.view()}, c_s.view().as_const(), c_x.view()); });
    const double reads = std::same_as<R, UniformRule<Softmax>> ? 3 : 2;  // the uniform rule reads the scores too
    count(state, 0, (2.0 * reads + 4.0) * static_cast<double>(heads * T * T));  // causal: halves are read, all is written
}

template <class R>
void matmul_rule(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto a = activation(ctx, heads * T, T), v = activation(ctx, T, kv_heads * head_dim), z = activation(ctx, T, heads * head_dim);
    auto c_z = coefficient(ctx, T, heads * head_dim), c_a = coefficient(ctx, heads * T, T), c_v = coefficient(ctx, T, kv_heads * head_dim);
    const MatMul::Params<float> p{.count = heads, .group = heads / kv_heads, .a_layout = HeadLayout::rows};
    for (auto _ : state) timed(ctx, [&] { R{}.propagate(ctx, p, {a.view(), v.view(), z.view()}, c_z.view().as_const(), c_a.view(), c_v.view()); });
    const double products = std::same_as<R, UniformRule<MatMul>> ? 2 : 1;  // the epsilon rule holds the first factor constant
    count(state, products * 2.0 * static_cast<double>(heads * T * T * head_dim), 8.0 * static_cast<double>(heads * T * T));
}

template <class R>
void multiply_rule(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto a = activation(ctx, T, neurons), b = activation(ctx, T, neurons), y = activation(ctx, T, neurons);
    auto c_y = coefficient(ctx, T, neurons), c_a = coefficient(ctx, T, neurons), c_b = coefficient(ctx, T, neurons);
    for (auto _ : state) timed(ctx, [&] { R{}.propagate(ctx, {}, {a.view(), b.view(), y.view()}, c_y.view().as_const(), c_a.view(), c_b.view()); });
    count(state, 0, 20.0 * static_cast<double>(T * neurons));
}

template <class R>
void silu_rule(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto x = activation(ctx, T, neurons), y = activation(ctx, T, neurons);
    auto c_y = coefficient(ctx, T, neurons), c_x = coefficient(ctx, T, neurons);
    for (auto _ : state) timed(ctx, [&] { R{}.propagate(ctx, {}, {x.view(), y.view()}, c_y.view().as_const(), c_x.view()); });
    count(state, 0, 12.0 * static_cast<double>(T * neurons));
}

template <class R>
void norm_rule(benchmark::State& state) {
    C ctx;
    const Index T = state.range(0);
    auto x = activation(ctx, T, hidden), y = activation(ctx, T, hidden);
    auto c_y = coefficient(ctx, T, hidden), c_x = coefficient(ctx, T, hidden);
    auto w = random_tensor(ctx, 1, hidden), r = random_tensor(ctx, 1, T);
    for (auto _ : state) timed(ctx, [&] { R{}.propagate(ctx, {w.view().data, 1e-5}, {x.view(), r.view().data, y.view()}, c_y.view().as_const(), c_x.view()); });
    const double reads = std::same_as<R, GradientRule<RMSNorm>> ? 2 : 1;  // the gradient reads x too
    count(state, 0, 4.0 * (reads + 1) * static_cast<double>(T * hidden));
}

}  // namespace

BENCHMARK(epsilon_zero)->Name("rule/epsilon_0_linear")->Apply(tokens);
BENCHMARK(epsilon_linear)->Name("rule/epsilon_linear")->Apply(tokens);
BENCHMARK(gamma_linear)->Name("rule/gamma_linear")->Apply(tokens);
BENCHMARK(gradient_linear)->Name("rule/gradient_linear")->Apply(tokens);
BENCHMARK(stop_linear)->Name("rule/stop_linear")->Apply(tokens);
BENCHMARK(softmax_rule<TaylorRule<Softmax>>)->Name("rule/taylor_softmax")->Apply(tokens);
BENCHMARK(softmax_rule<UniformRule<Softmax>>)->Name("rule/uniform_softmax")->Apply(tokens);
BENCHMARK(matmul_rule<UniformRule<MatMul>>)->Name("rule/uniform_matmul")->Apply(tokens);
BENCHMARK(matmul_rule<EpsilonRule<MatMul>>)->Name("rule/epsilon_matmul")->Apply(tokens);
BENCHMARK(multiply_rule<UniformRule<Multiply>>)->Name("rule/uniform_multiply")->Apply(tokens);
BENCHMARK(silu_rule<IdentityRule<SiLU>>)->Name("rule/identity_silu")->Apply(tokens);
BENCHMARK(silu_rule<GradientRule<SiLU>>)->Name("rule/gradient_silu")->Apply(tokens);
BENCHMARK(norm_rule<IdentityRule<RMSNorm>>)->Name("rule/identity_rms_norm")->Apply(tokens);
BENCHMARK(norm_rule<GradientRule<RMSNorm>>)->Name("rule/gradient_rms_norm")->Apply(tokens);
