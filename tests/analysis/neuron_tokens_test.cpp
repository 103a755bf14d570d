// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Tokens that neurons write and read, against loops over the weights.
#include <lrp/analysis/neuron_tokens.hpp>
#include <lrp/reference/backend.hpp>

#include "support/catch.hpp"
#include "support/random_model.hpp"

using namespace lrp;

TEST_CASE("neuron_tokens: every neuron, both sides and poles, tied and untied heads") {
    LlamaConfig config;
    config.vocab_size = 31;
    config.hidden_size = 12;
    config.intermediate_size = 70;  // more than one block
    config.layers = 2;
    config.attention = {4, 2, 4};
    config.tie_word_embeddings = GENERATE(true, false);
    const NeuronSide side = GENERATE(NeuronSide::writes, NeuronSide::reads);
    ReferenceBackend<double>::context ctx;
    const auto weights = test::random_weights<ReferenceBackend<double>>(ctx, config, 3);
    const auto& layer = weights->layers[1];
    const auto output = weights->output(), embedding = weights->embedding.view(), down = layer.down.weight.view(), gate = layer.gate.weight.view();
    const auto norm = layer.mlp_norm.view();

    std::vector<std::vector<int>> seen(2, std::vector<int>(70, 0));
    neuron_tokens<ReferenceBackend<double>>(ctx, config, *weights, 1, side, 5, [&](Index neuron, std::size_t pole, const std::vector<ScoredToken>& list) {
        ++seen.at(pole).at(static_cast<std::size_t>(neuron));
        std::vector<ScoredToken> naive;
        for (Index v = 0; v < 31; ++v) {
            double score = 0;
            for (Index i = 0; i < 12; ++i) score += side == NeuronSide::writes ? output(v, i) * down(i, neuron) : embedding(v, i) * gate(neuron, i) * norm(0, i);
            naive.push_back({static_cast<std::int32_t>(v), pole == 0 ? score : -score});
        }
        naive = best_scored(naive, 5);
        REQUIRE(list.size() == 5);
        for (std::size_t i = 0; i < 5; ++i) {
            CHECK(list[i].token == naive[i].token);
            CHECK(list[i].score == Approx(naive[i].score).epsilon(1e-9).margin(1e-12));
        }
    });
    CHECK(seen == std::vector<std::vector<int>>(2, std::vector<int>(70, 1)));
}
