// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// How much there is to do in a pass, whoever does it: what measured times are divided by.
#pragma once

#include <vector>

#include <lrp/model/llama/config.hpp>

namespace lrp {

/// Work of one pass over one prompt. A multiplication and an addition are two flops; row operations (norms, softmax, activations) count nothing.
struct PassWork {
    /// What is done before the next can begin: the linear maps of a layer, its attention (the causal half of T x T alone, no weights), the head.
    struct Part {
        double flops = 0;
        double weights = 0;  ///< elements of weight matrices, each read at least once
    };
    std::vector<Part> parts;

    [[nodiscard]] double flops() const { return linear_flops() + attention_flops(); }
    [[nodiscard]] double linear_flops() const {  ///< products with weights
        return sum([](const Part& part) { return part.weights > 0 ? part.flops : 0; });
    }
    [[nodiscard]] double attention_flops() const {  ///< products of activations
        return sum([](const Part& part) { return part.weights > 0 ? 0 : part.flops; });
    }
    [[nodiscard]] double weights_read() const {
        return sum([](const Part& part) { return part.weights; });
    }

  private:
    [[nodiscard]] double sum(const auto& of) const {
        double total = 0;
        for (const Part& part : parts) total += of(part);
        return total;
    }
};

/// Elements of a layer's weight matrices: q and o [H D, d], k and v [K D, d], gate, up and down [F, d].
[[nodiscard]] inline double layer_weights(const LlamaConfig& config) {
    const auto d = static_cast<double>(config.hidden_size);
    return d * static_cast<double>(2 * config.attention.queries() + 2 * config.attention.keys() + 3 * config.intermediate_size);
}

namespace detail {

/// Flops of the linear maps of one layer over T tokens in one direction: 2 T (layer weights). `lean`: only the last position is explained,
/// so that in the last layer all but k and v have one row.
inline double layer_linear_flops(const LlamaConfig& config, Index tokens, bool lean) {
    const auto d = static_cast<double>(config.hidden_size), t = static_cast<double>(tokens);
    if (!lean) return 2 * t * layer_weights(config);
    const double key_value = d * static_cast<double>(2 * config.attention.keys());
    return 2 * t * key_value + 2 * (layer_weights(config) - key_value);
}

/// Position pairs (t, s <= t) that a layer's attention looks at: T(T+1)/2, or T where one query is left.
inline double attention_pairs(Index tokens, bool lean) {
    const auto t = static_cast<double>(tokens);
    return lean ? t : t * (t + 1) / 2;
}

}  // namespace detail

/// Work of the forward pass over T tokens with logits at the last one: every layer, and the vocabulary matrix once with one row.
/// Attention: QK^T and AV, 2 D flops a pair and head each. `lean`: the last layer is worked at the explained position alone.
[[nodiscard]] inline PassWork forward_work(const LlamaConfig& config, Index tokens, bool lean) {
    PassWork work;
    for (Index l = 0; l < config.layers; ++l) {
        const bool one_row = lean && l == config.layers - 1;
        work.parts.push_back({detail::layer_linear_flops(config, tokens, one_row), layer_weights(config)});
        work.parts.push_back({4 * static_cast<double>(config.attention.queries()) * detail::attention_pairs(tokens, one_row), 0});
    }
    const auto vocabulary = static_cast<double>(config.vocab_size) * static_cast<double>(config.hidden_size);
    work.parts.push_back({2 * vocabulary, vocabulary});
    return work;
}

/// Work of the relevance pass: every linear map transposed; of the vocabulary matrix only the target's row, which counts nothing.
/// Attention: dV, dA, dQ and dK, 2 D flops a pair and head each.
[[nodiscard]] inline PassWork relevance_work(const LlamaConfig& config, Index tokens, bool lean) {
    PassWork work;
    for (Index l = config.layers; l-- > 0;) {
        const bool one_row = lean && l == config.layers - 1;
        work.parts.push_back({detail::layer_linear_flops(config, tokens, one_row), layer_weights(config)});
        work.parts.push_back({8 * static_cast<double>(config.attention.queries()) * detail::attention_pairs(tokens, one_row), 0});
    }
    return work;
}

}  // namespace lrp
