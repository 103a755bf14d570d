// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// One layer of a 1B LLaMA, forward and relevance. The argument is the number of tokens.
#include <lrp/model/llama/layer.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "data.hpp"

using namespace lrp;
using namespace lrp::bench;

namespace {

struct OneLayer {
    explicit OneLayer(Index tokens) {
        config.vocab_size = 1;
        config.hidden_size = hidden;
        config.intermediate_size = neurons;
        config.layers = 1;
        config.attention = {heads, kv_heads, head_dim};
        std::mt19937 random(1);
        std::uniform_real_distribution<float> small(-0.03f, 0.03f);
        weights = make_llama_weights<B>(ctx, config, [&](const std::string&, Index, Index, auto host) {
            for (float& value : host) value = small(random);
        });
        rope = RopeTables<B>(ctx, config, tokens);
        x = activation(ctx, tokens, hidden);
        y = activation(ctx, tokens, hidden);
        c = coefficient(ctx, tokens, hidden);
        saved.resize(ctx, config, tokens);
        work.resize(ctx, config, tokens);
    }
    [[nodiscard]] LlamaLayer<B, AttnLRP> layer() const { return {config, weights.layers[0], rope.params()}; }
    /// Products over all pairs of tokens, masked or not: two forward, four back. They are formed in full where attention is not in tiles.
    [[nodiscard]] static double attention_flops(Index tokens, double products) {
        return products * 2 * static_cast<double>(tokens * tokens * heads * head_dim);
    }
    [[nodiscard]] static double flops(Index tokens, double products) {
        return 2 * parameters() * static_cast<double>(tokens) + attention_flops(tokens, products);
    }
    /// Weights once, the stream in and out.
    [[nodiscard]] static double bytes(Index tokens) { return 4 * (parameters() + 2 * static_cast<double>(tokens * hidden)); }
    [[nodiscard]] static double parameters() { return static_cast<double>(hidden * (2 * heads + 2 * kv_heads) * head_dim + 3 * hidden * neurons); }

    C ctx;
    LlamaConfig config;
    LlamaWeights<B> weights;
    RopeTables<B> rope;
    ActivationTensor<B> x, y;
    CoefficientTensor<B> c;
    LlamaLayerSaved<B> saved;
    LlamaLayerCoefficients<B> work;
};

void forward(benchmark::State& state) {
    OneLayer one(state.range(0));
    const Station<C> at{one.ctx};
    const auto layer = one.layer();
    for (auto _ : state) timed(one.ctx, [&] { layer.forward(at, one.x.view(), one.saved, one.y.view()); });
    count(state, OneLayer::flops(state.range(0), 2), OneLayer::bytes(state.range(0)));
}

void relevance(benchmark::State& state) {
    OneLayer one(state.range(0));
    const Station<C> at{one.ctx};
    const auto layer = one.layer();
    layer.forward(at, one.x.view(), one.saved, one.y.view());
    for (auto _ : state) timed(one.ctx, [&] { layer.relevance(at, one.x.view(), one.saved, one.y.view(), one.work, one.c.view()); });
    count(state, OneLayer::flops(state.range(0), 4), OneLayer::bytes(state.range(0)));
}

}  // namespace

BENCHMARK(forward)->Name("layer/forward")->Arg(16)->Arg(128)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(relevance)->Name("layer/relevance")->Arg(16)->Arg(128)->Unit(benchmark::kMillisecond)->UseRealTime();
