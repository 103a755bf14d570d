// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <numbers>
#include <vector>

#include <lrp/core/error.hpp>
#include <lrp/core/scalar.hpp>
#include <lrp/model/block/attention.hpp>

namespace lrp {

/// How RoPE's frequencies are scaled.
enum class RopeScaling { none, linear, llama3 };

/// Rotary position embedding: base and scaling.
struct RopeConfig {
    double theta = 10000;
    RopeScaling scaling = RopeScaling::none;
    double factor = 1;                     ///< linear and llama3
    double low_freq_factor = 1;            ///< llama3
    double high_freq_factor = 4;           ///< llama3
    double original_max_positions = 8192;  ///< llama3

    /// The D/2 angular frequencies f_i = theta^(-2i/D), scaled. linear: f_i / factor. llama3, with wavelength l_i = 2 pi / f_i, context L
    /// and bounds a (low) and b (high): f_i where l_i < L/b, f_i / factor where l_i > L/a, between them (1 - t) f_i / factor + t f_i
    /// with t = (L / l_i - a) / (b - a).
    [[nodiscard]] std::vector<double> frequencies(Index head_dim) const {
        std::vector<double> result(static_cast<std::size_t>(head_dim / 2));
        for (std::size_t i = 0; i < result.size(); ++i) {
            const double plain = std::pow(theta, -2.0 * static_cast<double>(i) / static_cast<double>(head_dim));
            result[i] = scaled(plain);
        }
        return result;
    }

  private:
    [[nodiscard]] double scaled(double frequency) const {
        if (scaling == RopeScaling::none) return frequency;
        if (scaling == RopeScaling::linear) return frequency / factor;
        const double wavelength = 2 * std::numbers::pi / frequency;
        const double turns = original_max_positions / wavelength;
        if (turns > high_freq_factor) return frequency;
        if (turns < low_freq_factor) return frequency / factor;
        const double t = (turns - low_freq_factor) / (high_freq_factor - low_freq_factor);
        return (1 - t) * frequency / factor + t * frequency;
    }
};

/// The numbers of a LLaMA model. Names follow Hugging Face's config.json where they can.
struct LlamaConfig {
    Index vocab_size = 0;         ///< V
    Index hidden_size = 0;        ///< d
    Index intermediate_size = 0;  ///< F
    Index layers = 0;             ///< L
    AttentionShape attention;     ///< H, K, D
    double rms_norm_eps = 1e-6;
    bool tie_word_embeddings = false;
    bool attention_bias = false;  ///< on q, k, v and o
    bool mlp_bias = false;        ///< on gate, up and down
    RopeConfig rope;

    /// Error unless the numbers make a model.
    void validate() const {
        const auto positive = [](Index value, const char* field) { require(value > 0, "config: ", field, " must be positive, found ", value); };
        positive(vocab_size, "vocab_size");
        positive(hidden_size, "hidden_size");
        positive(intermediate_size, "intermediate_size");
        positive(layers, "num_hidden_layers");
        positive(attention.heads, "num_attention_heads");
        positive(attention.kv_heads, "num_key_value_heads");
        positive(attention.head_dim, "head_dim");
        require(attention.heads % attention.kv_heads == 0, "config: num_attention_heads ", attention.heads,
                " must be a multiple of num_key_value_heads ", attention.kv_heads);
        require(attention.head_dim % 2 == 0, "config: head_dim must be even for RoPE, found ", attention.head_dim);
        require(rms_norm_eps >= 0, "config: rms_norm_eps must not be negative, found ", rms_norm_eps);
    }
};

}  // namespace lrp
