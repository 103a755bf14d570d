// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Products with weights as the Eigen backend forms them: product/<direction>/<weights>/<how>/<outputs>x<inputs>/<tokens>, with the shapes of a 1B
// LLaMA. "panels_eigen" and "panels_cblas" are what processors without AVX2 get; the label says what formed the product, and `share` is the part of
// the roofline that is reached: the longer of computing at this machine's best rate and of reading as many weights once, over the time taken, as a median.
// The weights change from product to product, so that they come from memory and not from a cache; others are read just before each product, as a shared
// machine's memory has another rate from one second to the next.
#include <algorithm>
#include <chrono>

#include <lrp/eigen/backend.hpp>

#include "data.hpp"
#include "roofline.hpp"

using namespace lrp;
using namespace lrp::bench;

namespace {

enum class How { exact, fast, panels_eigen, panels_cblas };

/// The machine's rates, measured once in this run; that of reading is measured before every product.
const cli::Roofline& machine() {
    static const cli::Roofline rates = cli::measure_roofline(0);
    return rates;
}

/// More weights than any cache holds, drawn once, in large pages: as those of a mapped file that the system read.
template <Storage W>
std::span<const W> random_weights() {
    static const detail::HostBlock memory = [] {
        detail::HostBlock block(std::size_t{256} << 20);
        std::mt19937 random(2);
        std::normal_distribution<float> normal;
        for (W& value : std::span(reinterpret_cast<W*>(block.data()), block.size() / sizeof(W))) value = narrow<W>(normal(random));
        return block;
    }();
    return {reinterpret_cast<const W*>(memory.data()), memory.size() / sizeof(W)};
}

template <Storage W>
void product(benchmark::State& state, bool forward, How how, Index outputs, Index inputs) {
    using Backend = EigenBackend<float, W>;
    typename Backend::context ctx;
    ctx.products.products = how == How::fast ? Products::fast : Products::exact;
    if (how == How::panels_eigen || how == How::panels_cblas) {
        ctx.products.cpu = {};
        ctx.products.provider = how == How::panels_cblas ? detail::PanelProvider::cblas : detail::PanelProvider::eigen;
    }
    const Index tokens = state.range(0), depth = forward ? inputs : outputs, width = forward ? outputs : inputs;
    std::mt19937 random(1);
    std::normal_distribution<float> normal;
    std::vector<float> host(static_cast<std::size_t>(tokens * depth));
    for (float& value : host) value = normal(random);
    Tensor<Backend> in(ctx, tokens, depth), out(ctx, tokens, width);
    in.upload(ctx, host);
    const std::span<const W> weights = random_weights<W>();
    const Index size = outputs * inputs, matrices = static_cast<Index>(weights.size()) / size;
    using Clock = std::chrono::steady_clock;
    const auto seconds_of = [](const auto& work) {
        const auto start = Clock::now();
        work();
        return std::chrono::duration<double>(Clock::now() - start).count();
    };
    Index next = 0;
    const auto matrix = [&] { return weights.subspan(static_cast<std::size_t>(next++ % matrices * size), static_cast<std::size_t>(size)); };
    const double flops = 2.0 * static_cast<double>(tokens * size), bytes = static_cast<double>(sizeof(W)) * static_cast<double>(size);
    const double computing = flops / machine().products_rate(ctx.products.products);
    std::vector<double> shares, rates;
    for (auto _ : state) {
        double reading = 1e9;
        for (const std::size_t streams : {1, 4}) reading = std::min(reading, seconds_of([&] { cli::read_once(*ctx.pool, std::as_bytes(matrix()), streams); }));
        const View<const W> w(matrix().data(), outputs, inputs);
        const double taken = seconds_of([&] { Backend::matmul(ctx, {.transpose_b = forward}, in.view(), w, out.view()); });
        state.SetIterationTime(taken);
        shares.push_back(std::max(computing, reading) / taken);
        rates.push_back(bytes / reading);
    }
    count(state, flops, bytes + 4.0 * static_cast<double>(tokens * (outputs + inputs)));
    state.counters["read"] = benchmark::Counter(cli::median(rates), benchmark::Counter::kDefaults, benchmark::Counter::kIs1024);
    state.counters["share"] = benchmark::Counter(cli::median(shares));
    state.SetLabel(Backend::product_code(ctx, tokens));
}

template <Storage W>
void add(const char* weights) {
    const auto [d, F, keys] = std::array{hidden, neurons, kv_heads * head_dim};
    for (const bool forward : {true, false})
        for (const auto& [how, name] : {std::pair{How::exact, "exact"}, {How::fast, "fast"}, {How::panels_eigen, "panels_eigen"}, {How::panels_cblas, "panels_cblas"}}) {
            if (how == How::panels_cblas && !detail::has_cblas()) continue;
            if (how == How::fast && !std::same_as<W, bf16>) continue;  // the same as exact
            for (const auto& [outputs, inputs] : {std::pair{d, d}, {keys, d}, {F, d}, {d, F}}) {
                const std::string full = std::string("product/") + (forward ? "forward/" : "back/") + weights + "/" + name + "/" + std::to_string(outputs) + "x" + std::to_string(inputs);
                auto* one = benchmark::RegisterBenchmark(full.c_str(), [=, n = outputs, k = inputs, how = how](benchmark::State& state) { product<W>(state, forward, how, n, k); });
                one->Arg(1)->Arg(4)->Arg(16)->Arg(128)->Arg(512)->Unit(benchmark::kMicrosecond)->UseManualTime();
            }
        }
}

[[maybe_unused]] const bool products_added = [] {
    add<bf16>("bf16");
    add<float>("f32");
    return true;
}();

}  // namespace
