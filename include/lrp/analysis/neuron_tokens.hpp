// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What a neuron says by its weights alone: the tokens whose logits it moves, and those whose embedding moves it.
#pragma once

#include <numeric>

#include <lrp/analysis/scored_token.hpp>
#include <lrp/model/llama/weights.hpp>

namespace lrp {

/// Writes: output matrix [V, d] times the neuron's column of down_proj. Reads: embedding [V, d] times its row of gate_proj, scaled by the norm before it.
enum class NeuronSide { writes, reads };

/// Calls visit(neuron, pole, list) for every neuron of a layer and both poles (0: the largest scores, 1: the smallest, with their sign turned): the `count`
/// best tokens of all V.
template <Backend B, class Visit>
void neuron_tokens(typename B::context& ctx, const LlamaConfig& config, const LlamaWeights<B>& weights, std::size_t layer, NeuronSide side, std::size_t count, const Visit& visit) {
    using T = typename B::scalar;
    const auto& mine = weights.layers[layer];
    const bool writes = side == NeuronSide::writes;
    const View<const typename B::weight> from = writes ? mine.down.weight.view() : mine.gate.weight.view();
    const View<const typename B::weight> tokens = writes ? weights.output() : weights.embedding.view();
    const Index width = config.hidden_size, block = 64;

    std::vector<std::int32_t> every(static_cast<std::size_t>(from.rows));
    std::iota(every.begin(), every.end(), 0);
    ActivationTensor<B> rows(ctx, from.rows, from.cols);
    B::gather_rows(ctx, from, every, rows.view());
    const std::vector<T> values = rows.download(ctx), norm = mine.mlp_norm.download(ctx);
    const auto direction = [&](Index neuron, Index i) {
        if (writes) return values[static_cast<std::size_t>(i * config.intermediate_size + neuron)];
        return values[static_cast<std::size_t>(neuron * width + i)] * norm[static_cast<std::size_t>(i)];
    };

    for (Index first = 0; first < config.intermediate_size; first += block) {
        const Index units = std::min(block, config.intermediate_size - first);
        std::vector<T> host;
        for (Index u = 0; u < units; ++u)
            for (Index i = 0; i < width; ++i) host.push_back(direction(first + u, i));
        ActivationTensor<B> directions(ctx, units, width), scores(ctx, units, tokens.rows);
        directions.upload(ctx, host);
        B::matmul(ctx, {.transpose_b = true}, View<const T>(directions.view()), tokens, View<T>(scores.view()));
        const std::vector<T> found = scores.download(ctx);
        for (Index u = 0; u < units; ++u)
            for (std::size_t pole = 0; pole < 2; ++pole) {
                std::vector<ScoredToken> list;
                for (Index v = 0; v < tokens.rows; ++v)
                    list.push_back({static_cast<std::int32_t>(v), (pole == 0 ? 1.0 : -1.0) * static_cast<double>(found[static_cast<std::size_t>(u * tokens.rows + v)])});
                visit(first + u, pole, best_scored(std::move(list), count));
            }
    }
}

}  // namespace lrp
