// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Models of random weights for tests.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <type_traits>
#include <vector>

#include <lrp/model/llama/weights.hpp>

namespace lrp::test {

/// What the tests of models need at least: three layers of 24, four heads of 8 over two, 40 neurons, 50 tokens.
inline LlamaConfig small_llama(bool biases = false) {
    LlamaConfig config;
    config.vocab_size = 50;
    config.hidden_size = 24;
    config.intermediate_size = 40;
    config.layers = 3;
    config.attention = {4, 2, 8};
    config.rms_norm_eps = 1e-5;
    config.attention_bias = config.mlp_bias = biases;
    return config;
}

/// A prompt for it, in which a token comes twice and the last one is the vocabulary's last.
inline const std::vector<std::int32_t> small_prompt{1, 7, 9, 33, 2, 2, 8, 49};

/// Normal numbers with standard deviation 0.3, about 1 in the norms; for one seed the same on every backend, but for rounding.
template <Backend B>
std::shared_ptr<const LlamaWeights<B>> random_weights(typename B::context& ctx, const LlamaConfig& config, unsigned seed = 1) {
    std::mt19937 random(seed);
    std::normal_distribution<double> draw(0, 0.3);
    return std::make_shared<const LlamaWeights<B>>(make_llama_weights<B>(ctx, config, [&](const std::string& name, Index, Index, auto host) {
        for (auto& value : host)
            value = narrow<std::remove_reference_t<decltype(value)>>(static_cast<typename B::scalar>(draw(random) + (name.ends_with("norm.weight") ? 1 : 0)));
    }));
}

}  // namespace lrp::test
