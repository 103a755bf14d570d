// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The least time a pass can take on a card, from shapes and the card's measured ceilings: for each step the longer of its arithmetic and of the memory
// that must move, nothing overlapping. Steps are those of a layer whose q, k, v and whose gate, up are one product each, with the residual added by the
// product and attention never stored: what could be had, not what is built.
#pragma once

#include <algorithm>

#include <lrp/model/llama/config.hpp>

namespace lrp::bench {

/// FLOP/s of products with float and with bf16 operands, bytes/s of a copy (read and written).
struct Ceilings {
    double f32 = 0, bf16 = 0, copy = 0;
};

/// The types a pass works in: bytes of an activation and of a weight.
struct Widths {
    double activation = 4, weight = 4;
};

struct Floor {
    LlamaConfig config;
    Ceilings ceilings;
    Widths widths;

    /// Seconds of one step.
    [[nodiscard]] double step(double flops, double bytes, double rate) const { return std::max(flops / rate, bytes / ceilings.copy); }
    [[nodiscard]] double weighted(double tokens, double inner, double outer, double activations) const {
        return step(2 * tokens * inner * outer, widths.weight * inner * outer + widths.activation * tokens * activations,
                    widths.weight == 2 ? ceilings.bf16 : ceilings.f32);
    }
    [[nodiscard]] double rows(double scalars) const { return step(0, widths.activation * scalars, ceilings.copy); }

    [[nodiscard]] double layer_forward(double T) const {
        const auto [d, q, k, f] = sizes();
        const double attention = step(2 * T * T * q, T * (widths.activation * (2 * q + 2 * k) + 4 * heads()), attention_rate());
        return rows(2 * T * d) + weighted(T, d, q + 2 * k, d + q + 2 * k) + rows(2 * T * (q + k)) + attention + weighted(T, q, d, q + 2 * d) +
               rows(2 * T * d) + weighted(T, d, 2 * f, d + 2 * f) + rows(3 * T * f) + weighted(T, f, d, f + 2 * d);
    }
    [[nodiscard]] double layer_relevance(double T) const {
        const auto [d, q, k, f] = sizes();
        const double attention = step(5 * T * T * q, T * (widths.activation * (4 * q + 4 * k) + 8 * q), attention_rate());
        return weighted(T, f, d, d + f) + rows(5 * T * f) + weighted(T, d, 2 * f, 2 * f + d) + rows(3 * T * d) + weighted(T, q, d, d + q) + attention +
               rows(2 * T * (q + k)) + weighted(T, d, q + 2 * k, q + 2 * k + d) + rows(3 * T * d);
    }
    /// Forward and relevance of the whole model with one row of logits, whose way back is a gather.
    [[nodiscard]] double pass(double T) const {
        const auto d = static_cast<double>(config.hidden_size);
        const double embedding = step(0, (widths.weight + widths.activation) * T * d, ceilings.copy);
        return embedding + static_cast<double>(config.layers) * (layer_forward(T) + layer_relevance(T)) +
               weighted(1, d, static_cast<double>(config.vocab_size), d + static_cast<double>(config.vocab_size));
    }

  private:
    struct Sizes {
        double d, q, k, f;
    };
    [[nodiscard]] Sizes sizes() const {
        return {static_cast<double>(config.hidden_size), static_cast<double>(config.attention.queries()), static_cast<double>(config.attention.keys()),
                static_cast<double>(config.intermediate_size)};
    }
    [[nodiscard]] double heads() const { return static_cast<double>(config.attention.heads); }
    [[nodiscard]] double attention_rate() const { return widths.activation == 2 ? ceilings.bf16 : ceilings.f32; }
};

/// The shapes of two LLaMA models.
[[nodiscard]] inline LlamaConfig shape(Index layers, Index hidden, Index neurons, AttentionShape attention, bool tied) {
    LlamaConfig config;
    config.vocab_size = 128256;
    config.hidden_size = hidden;
    config.intermediate_size = neurons;
    config.layers = layers;
    config.attention = attention;
    config.tie_word_embeddings = tied;
    config.rope.theta = 500000;
    return config;
}
[[nodiscard]] inline LlamaConfig shape_1b() { return shape(16, 2048, 8192, {32, 8, 64}, true); }
[[nodiscard]] inline LlamaConfig shape_8b() { return shape(32, 4096, 14336, {32, 8, 128}, false); }

}  // namespace lrp::bench
