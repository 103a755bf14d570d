// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What all microbenchmarks share: the backend under test, and tensors of random numbers. Shapes are those of one layer of a 1B LLaMA:
// hidden 2048, intermediate 8192, 32 heads of 64 over 8 key/value heads.
#pragma once

#include <random>

#include <benchmark/benchmark.h>

#include LRP_BENCH_BACKEND_HEADER

#include <lrp/backend/backend.hpp>

namespace lrp::bench {

using B = LRP_BENCH_BACKEND<float>;
using C = B::context;

inline constexpr Index hidden = 2048, neurons = 8192, heads = 32, kv_heads = 8, head_dim = 64;

template <class Tag = void>
Tensor<B, Tag> random_tensor(C& ctx, Index rows, Index cols, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    std::vector<float> host(static_cast<std::size_t>(rows * cols));
    for (float& value : host) value = normal(random);
    Tensor<B, Tag> tensor(ctx, rows, cols);
    tensor.upload(ctx, host);
    return tensor;
}
inline auto activation(C& ctx, Index rows, Index cols) { return random_tensor<ActivationTag>(ctx, rows, cols, 2); }
inline auto coefficient(C& ctx, Index rows, Index cols) { return random_tensor<CoefficientTag>(ctx, rows, cols, 3); }

/// The prompt lengths every op and rule is timed at.
inline void tokens(benchmark::internal::Benchmark* one) { one->Arg(16)->Arg(128)->Unit(benchmark::kMicrosecond)->UseRealTime(); }

/// Runs one step of a benchmark's loop to its end: on a card the host waits for it, so launching and waiting are in the figure.
template <class AnyContext, class F>
void timed([[maybe_unused]] AnyContext& ctx, const F& step) {
    step();
    if constexpr (requires { ctx.device().wait("benchmark"); }) ctx.device().wait("benchmark");
}

/// Rates per second of arithmetic and of memory that must move at least once.
inline void count(benchmark::State& state, double flops, double bytes) {
    const auto iterations = static_cast<double>(state.iterations());
    if (flops > 0) state.counters["FLOP/s"] = benchmark::Counter(flops * iterations, benchmark::Counter::kIsRate);
    state.counters["bytes/s"] = benchmark::Counter(bytes * iterations, benchmark::Counter::kIsRate, benchmark::Counter::kIs1024);
}

}  // namespace lrp::bench
