// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Two layers over 33 tokens: against the reference in double, twice for the same bits, attention stored and in tiles. Small enough for every tool of
// compute-sanitizer, and without a test framework. Ends with 0, with 1 if something disagrees, with 77 without a device.
#include <cmath>
#include <cstdio>
#include <random>

#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/thrust/cuda.hpp>

namespace lrp::bench {

LlamaConfig two_layers() {
    LlamaConfig config;
    config.vocab_size = 96;
    config.hidden_size = 64;
    config.intermediate_size = 144;
    config.layers = 2;
    config.attention = {4, 2, 16};
    return config;
}

/// Coefficients at the embedding, from weights that are the same for every backend.
template <class B>
std::vector<double> coefficients(Index tiled_from) {
    const LlamaConfig config = two_layers();
    typename B::context ctx;
    std::mt19937 random(5);
    std::uniform_real_distribution<float> uniform(-0.3f, 0.3f);
    auto weights = make_llama_weights<B>(ctx, config, [&]<class E>(const std::string&, Index rows, Index, std::span<E> host) {
        for (E& value : host) value = narrow<E>(static_cast<typename B::scalar>((rows == 0 ? 1.0f : 0.0f) + uniform(random)));
    });
    LlamaModel<B, AttnLRP> model(config, std::make_shared<const LlamaWeights<B>>(std::move(weights)));
    model.set_tiled_from(tiled_from);
    std::vector<std::int32_t> ids(33);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>((i * 37 + 5) % 96);
    const std::int32_t last[] = {32};
    const Seed seeds[] = {{32, 7, 1}};
    LlamaPass<B> pass = model.forward(ctx, ids, last, Recompute::keep());
    const auto host = model.relevance(ctx, pass, seeds).download(ctx);
    return {host.begin(), host.end()};
}

/// The largest difference over the largest value; infinite if either holds something that is no number.
double deviation(const std::vector<double>& found, const std::vector<double>& expected) {
    double difference = 0, largest = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        if (!std::isfinite(found[i]) || !std::isfinite(expected[i])) return INFINITY;
        difference = std::max(difference, std::abs(found[i] - expected[i]));
        largest = std::max(largest, std::abs(expected[i]));
    }
    return largest > 0 && found.size() == expected.size() ? difference / largest : INFINITY;
}

template <class B, class Oracle>
bool agrees(const char* name, double most) {
    bool good = true;
    const std::vector<double> expected = coefficients<Oracle>(1 << 20);
    for (const Index tiled_from : {Index{1} << 20, Index{1}}) {
        const std::vector<double> one = coefficients<B>(tiled_from), two = coefficients<B>(tiled_from);
        const double found = deviation(one, expected);
        const bool fine = found <= most && one == two;
        std::printf("%s, attention %s: deviation %.2g of at most %.2g, two runs %s: %s\n", name, tiled_from == 1 ? "in tiles" : "stored", found, most,
                    one == two ? "the same bits" : "DIFFER", fine ? "ok" : "FAILED");
        good = good && fine;
    }
    return good;
}

}  // namespace lrp::bench

int main() {
    using namespace lrp;
    if (const std::string reason = cuda_unavailable(); !reason.empty()) {
        std::printf("SKIPPED: %s\n", reason.c_str());
        return 77;
    }
    try {
        const bool f32 = bench::agrees<CudaBackend<float>, ReferenceBackend<double>>("float", 1e-4);
        const bool f64 = bench::agrees<CudaBackend<double>, ReferenceBackend<double>>("double", 1e-12);
        const bool narrow = bench::agrees<CudaBackend<float, bf16>, ReferenceBackend<double, bf16>>("bf16 weights", 5e-2);
        return f32 && f64 && narrow ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "two_layers: %s\n", error.what());
        return 1;
    }
}
