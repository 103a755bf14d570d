// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// From a Hugging Face folder to a LLaMA model's configuration and weights; no tokenizer.
#pragma once

#include <algorithm>
#include <bit>
#include <charconv>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <lrp/core/human.hpp>
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

/// Names a model in results: `Checkpoint::hash` over its weights and what of its configuration changes results beyond their shapes.
[[nodiscard]] inline std::string model_hash(const LlamaConfig& config, const Checkpoint& checkpoint) {
    std::string text;
    const auto add = [&](auto value) { text += std::to_string(std::bit_cast<std::uint64_t>(value)) + ' '; };
    for (const Index value : {config.layers, config.attention.heads, config.attention.kv_heads, config.attention.head_dim, static_cast<Index>(config.tie_word_embeddings)}) add(value);
    add(config.rms_norm_eps);
    const RopeConfig& rope = config.rope;
    add(rope.theta);
    add(static_cast<std::uint64_t>(rope.scaling));
    if (rope.scaling != RopeScaling::none) add(rope.factor);
    if (rope.scaling == RopeScaling::llama3)
        for (const double value : {rope.low_freq_factor, rope.high_freq_factor, rope.original_max_positions}) add(value);
    return checkpoint.hash(text);
}

namespace detail {

/// Tensors that a model of this configuration does not have, and the files do.
inline std::vector<const TensorEntry*> unused_tensors(const LlamaConfig& config, const Checkpoint& checkpoint) {
    std::set<const TensorEntry*> used{checkpoint.find("lm_head.weight")};  // beside a tied embedding it is spoken of below
    for_each_tensor_name(config, [&](const std::string& name, Index, Index) { used.insert(checkpoint.find(name)); });
    std::vector<const TensorEntry*> result;
    for (const TensorEntry* entry : checkpoint.tensors())
        if (!used.contains(entry)) result.push_back(entry);
    return result;
}

/// The layer that a tensor's name speaks of, if it does.
inline std::optional<Index> layer_of(std::string_view name) {
    if (name.starts_with("model.")) name.remove_prefix(6);
    if (!name.starts_with("layers.")) return std::nullopt;
    Index layer = 0;
    const auto [end, code] = std::from_chars(name.data() + 7, name.data() + name.size(), layer);
    return code == std::errc() ? std::optional(layer) : std::nullopt;
}

}  // namespace detail

/// A checkpoint's weights: where the backend can use them as they lie in the mapped files, they stay there; otherwise they are converted to the type
/// it keeps weights in. Error: a tensor that is missing, of another shape, or not finite; one more in a layer than a LLaMA layer has (a bias, another norm), without
/// which results would be wrong.
template <Backend B>
[[nodiscard]] std::shared_ptr<const LlamaWeights<B>> load_llama_weights(typename B::context& ctx, const LlamaConfig& config,
                                                                       const Checkpoint& checkpoint) {
    const auto shape_of = [](Index rows, Index cols) {
        std::vector<std::uint64_t> shape{static_cast<std::uint64_t>(cols)};
        if (rows > 0) shape.insert(shape.begin(), static_cast<std::uint64_t>(rows));
        return shape;
    };
    for (const TensorEntry* entry : detail::unused_tensors(config, checkpoint))
        if (const auto layer = detail::layer_of(entry->name); layer && *layer < config.layers)
            fail(entry->file, ": tensor '", entry->name, "' is none that a LLaMA layer of this config.json has (attention_bias ", config.attention_bias ? "true" : "false",
                 ", mlp_bias ", config.mlp_bias ? "true" : "false", "); this model is not supported");
    std::optional<ThreadPool> own;
    const auto pool = [&]() -> ThreadPool& {
        if constexpr (requires { *ctx.pool; }) {
            return *ctx.pool;
        } else {
            return own ? *own : own.emplace();
        }
    };
    return std::make_shared<const LlamaWeights<B>>(make_llama_weights<B>(
        ctx, config,
        [&]<class E>(const std::string& name, Index rows, Index cols, std::span<E> host) { load_tensor<E>(checkpoint, name, shape_of(rows, cols), host); },
        [&]<class E>([[maybe_unused]] const std::string& name, [[maybe_unused]] Index rows, [[maybe_unused]] Index cols, [[maybe_unused]] Tensor<B, void, E>& tensor) {
            if constexpr (Borrows<B>) {
                const TensorEntry& entry = weights_entry(checkpoint, name, shape_of(rows, cols));
                if (const auto values = mapped_tensor<E>(entry, pool())) {
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

/// What is worth telling of tensors that are there and not used: a head of its own beside a tied one, layers beyond those of config.json, and whatever else is
/// no part of a LLaMA model.
[[nodiscard]] inline std::vector<std::string> unused_notes(const LlamaConfig& config, const Checkpoint& checkpoint) {
    std::vector<std::string> notes;
    const auto* head = checkpoint.find("lm_head.weight");
    const auto* embedding = checkpoint.find("model.embed_tokens.weight");
    if (config.tie_word_embeddings && head != nullptr && embedding != nullptr && head != embedding) {
        const bool same = head->bytes.size() == embedding->bytes.size() && std::equal(head->bytes.begin(), head->bytes.end(), embedding->bytes.begin());
        if (!same) notes.emplace_back("config.json says tie_word_embeddings, so the embedding serves as output matrix; the files hold another lm_head.weight, which is not used");
    }
    const std::vector<const TensorEntry*> unused = detail::unused_tensors(config, checkpoint);
    if (!unused.empty())
        notes.push_back(detail::concat("the files hold ", counted(unused.size(), "tensor"), " that config.json knows no use for, such as '", unused.front()->name, "' (num_hidden_layers is ",
                                       config.layers, ")"));
    return notes;
}

}  // namespace lrp
