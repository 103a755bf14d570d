// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Level 2: one LLaMA layer with rules of your own choice, forward and relevance.
#include <iostream>
#include <random>

#include <lrp/analysis/relevance_sum.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/layer.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

using namespace lrp;
using B = EigenBackend<float>;

// AttnLRP with one role changed.
struct Mine : AttnLRP {
    using softmax = UniformRule<Softmax>;
};

template <class Rules>
void explain(B::context& ctx, const LlamaConfig& config, const LlamaWeights<B>& weights, const char* name) {
    const Index tokens = 5;
    const RopeTables<B> rope(ctx, config, tokens);
    const LlamaLayer<B, Rules> layer(config, weights.layers[0], rope.params());
    ActivationTensor<B> x(ctx, tokens, config.hidden_size), y(ctx, tokens, config.hidden_size);
    CoefficientTensor<B> c(ctx, tokens, config.hidden_size);
    std::mt19937 random(7);
    std::normal_distribution<float> normal;
    std::vector<float> host(static_cast<std::size_t>(tokens * config.hidden_size));
    for (float& value : host) value = normal(random);
    x.upload(ctx, host);

    LlamaLayerSaved<B> saved;
    saved.resize(ctx, config, tokens);
    LlamaLayerCoefficients<B> work;
    work.resize(ctx, config, tokens);
    const Station<B::context> at{ctx};
    layer.forward(at, x.view(), saved, y.view());
    B::fill(ctx, c.view(), 0);
    B::fill(ctx, c.view().rows_from(tokens - 1, 1), 1);  // explain the sum of the last token's output
    layer.relevance(at, x.view(), saved, y.view(), work, c.view());

    std::cout << name << ':';
    for (const float r : relevance_sum(ctx, x.view().as_const(), c.view().as_const())) std::cout << ' ' << r;
    std::cout << '\n';
}

int main() {
    B::context ctx;
    LlamaConfig config;
    config.vocab_size = 1;
    config.hidden_size = 16;
    config.intermediate_size = 24;
    config.layers = 1;
    config.attention = {4, 2, 4};
    std::mt19937 random(1);
    std::normal_distribution<float> normal(0, 0.3f);
    const auto weights = make_llama_weights<B>(ctx, config, [&](const std::string&, Index, Index, auto host) {
        for (float& value : host) value = normal(random);
    });
    std::cout << "relevance of each token at the layer's input\n";
    explain<AttnLRP>(ctx, config, weights, "AttnLRP        ");
    explain<Mine>(ctx, config, weights, "uniform softmax");
    return 0;
}
