// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// From a Hugging Face folder to a LLaMA model's configuration and weights; no tokenizer.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <lrp/io/checkpoint.hpp>
#include <lrp/io/hf_config.hpp>
#include <lrp/io/load.hpp>
#include <lrp/model/llama/weights.hpp>

namespace lrp {

/// The numbers of a LLaMA model from its config.json.
[[nodiscard]] inline LlamaConfig llama_config(const HfConfig& file) {
    const auto size = [](std::uint64_t value) { return static_cast<Index>(value); };
    LlamaConfig config;
    config.vocab_size = size(file.vocab_size);
    config.hidden_size = size(file.hidden_size);
    config.intermediate_size = size(file.intermediate_size);
    config.layers = size(file.num_hidden_layers);
    config.attention = {size(file.num_attention_heads), size(file.num_key_value_heads), size(file.head_dim)};
    config.rms_norm_eps = file.rms_norm_eps;
    config.tie_word_embeddings = file.tie_word_embeddings;
    config.attention_bias = file.attention_bias;
    config.mlp_bias = file.mlp_bias;
    config.rope.theta = file.rope.theta;
    config.rope.scaling = file.rope.type == "linear"   ? RopeScaling::linear
                          : file.rope.type == "llama3" ? RopeScaling::llama3
                                                       : RopeScaling::none;
    config.rope.factor = file.rope.factor;
    config.rope.low_freq_factor = file.rope.low_freq_factor;
    config.rope.high_freq_factor = file.rope.high_freq_factor;
    config.rope.original_max_positions = static_cast<double>(file.rope.original_max_position_embeddings);
    config.validate();
    return config;
}

/// A checkpoint's weights: where the backend can use them as they lie in the mapped files, they stay there; otherwise they are converted to the type
/// it keeps weights in. Error: a tensor that is missing, of another shape, or not finite.
template <Backend B>
[[nodiscard]] std::shared_ptr<const LlamaWeights<B>> load_llama_weights(typename B::context& ctx, const LlamaConfig& config,
                                                                       const Checkpoint& checkpoint) {
    const auto shape_of = [](Index rows, Index cols) {
        std::vector<std::uint64_t> shape{static_cast<std::uint64_t>(cols)};
        if (rows > 0) shape.insert(shape.begin(), static_cast<std::uint64_t>(rows));
        return shape;
    };
    ThreadPool pool;
    return std::make_shared<const LlamaWeights<B>>(make_llama_weights<B>(
        ctx, config,
        [&]<class E>(const std::string& name, Index rows, Index cols, std::span<E> host) { load_tensor<E>(checkpoint, name, shape_of(rows, cols), host); },
        [&]<class E>([[maybe_unused]] const std::string& name, [[maybe_unused]] Index rows, [[maybe_unused]] Index cols, [[maybe_unused]] Tensor<B, void, E>& tensor) {
            if constexpr (Borrows<B>) {
                const TensorEntry& entry = weights_entry(checkpoint, name, shape_of(rows, cols));
                if (const auto values = mapped_tensor<E>(entry, pool)) {
                    tensor = Tensor<B, void, E>::borrow(ctx, values->data(), std::max<Index>(rows, 1), cols, entry.mapping);
                    return true;
                }
            }
            return false;
        }));
}

/// Bytes that load_llama_weights will ask for: of what cannot be used where it lies, and of the largest tensor once more on its way.
template <Backend B>
[[nodiscard]] std::uint64_t weights_to_convert(const LlamaConfig& config, const Checkpoint& checkpoint) {
    std::uint64_t sum = 0, largest = 0;
    LlamaWeights<B> none;
    for_each_tensor(config, none, [&]<class E>(const std::string& name, Index rows, Index cols, Tensor<B, void, E>&) {
        const TensorEntry* entry = checkpoint.find(name);
        if (entry == nullptr || (Borrows<B> && lies_as<E>(*entry))) return;
        const auto bytes = static_cast<std::uint64_t>(std::max<Index>(rows, 1) * cols) * sizeof(E);
        sum += bytes;
        largest = std::max(largest, bytes);
    });
    return sum + largest;
}

/// What is worth telling of a model whose head is tied to the embedding and whose files hold a head all the same.
[[nodiscard]] inline std::vector<std::string> tied_head_notes(const LlamaConfig& config, const Checkpoint& checkpoint) {
    const auto* head = checkpoint.find("lm_head.weight");
    const auto* embedding = checkpoint.find("model.embed_tokens.weight");
    if (!config.tie_word_embeddings || head == nullptr || embedding == nullptr || head == embedding) return {};
    const bool same = head->bytes.size() == embedding->bytes.size() && std::equal(head->bytes.begin(), head->bytes.end(), embedding->bytes.begin());
    if (same) return {};
    return {"config.json says tie_word_embeddings, so the embedding serves as output matrix; the files hold another lm_head.weight, which is not used"};
}

}  // namespace lrp
