// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The tensors of a LLaMA model and the names they have in a Hugging Face checkpoint, in one place.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include <lrp/model/llama/config.hpp>

namespace lrp {

/// One linear map: weight [out, in] and, in models that have it, bias [1, out].
template <Backend B>
struct LinearWeights {
    WeightTensor<B> weight;
    Tensor<B> bias;

    [[nodiscard]] params_t<Linear, typename B::context> params() const { return {weight.view(), bias.view().data}; }
};

/// The tensors of one layer.
template <Backend B>
struct LlamaLayerWeights {
    Tensor<B> attn_norm;              ///< [1, d]
    LinearWeights<B> q, k, v, o;      ///< [H*D, d], [K*D, d], [K*D, d], [d, H*D]
    Tensor<B> mlp_norm;               ///< [1, d]
    LinearWeights<B> gate, up, down;  ///< [F, d], [F, d], [d, F]
};

/// The tensors of the model.
template <Backend B>
struct LlamaWeights {
    WeightTensor<B> embedding;  ///< [V, d]
    std::vector<LlamaLayerWeights<B>> layers;
    Tensor<B> final_norm;       ///< [1, d]
    WeightTensor<B> head;       ///< [V, d]; empty where the head is tied to the embedding

    /// The output matrix: the embedding where tied. As a linear map of its own it takes no part in the embedding's relevance.
    [[nodiscard]] View<const typename B::weight> output() const { return head.empty() ? embedding.view() : head.view(); }
};

/// Calls visit(name, rows, cols, tensor) for every tensor of a model of this shape; 1-D tensors have rows = 0 and `cols` values.
template <class Weights, class Visit>
void for_each_tensor(const LlamaConfig& config, Weights& weights, const Visit& visit) {
    const Index d = config.hidden_size;
    const Index queries = config.attention.queries();
    const Index keys = config.attention.keys();
    const auto linear = [&](const std::string& name, Index out, Index in, bool bias, auto& target) {
        visit(name + ".weight", out, in, target.weight);
        if (bias) visit(name + ".bias", Index{0}, out, target.bias);
    };
    visit(std::string("model.embed_tokens.weight"), config.vocab_size, d, weights.embedding);
    weights.layers.resize(static_cast<std::size_t>(config.layers));
    for (Index l = 0; l < config.layers; ++l) {
        auto& layer = weights.layers[static_cast<std::size_t>(l)];
        const std::string base = "model.layers." + std::to_string(l) + ".";
        visit(base + "input_layernorm.weight", Index{0}, d, layer.attn_norm);
        linear(base + "self_attn.q_proj", queries, d, config.attention_bias, layer.q);
        linear(base + "self_attn.k_proj", keys, d, config.attention_bias, layer.k);
        linear(base + "self_attn.v_proj", keys, d, config.attention_bias, layer.v);
        linear(base + "self_attn.o_proj", d, queries, config.attention_bias, layer.o);
        visit(base + "post_attention_layernorm.weight", Index{0}, d, layer.mlp_norm);
        linear(base + "mlp.gate_proj", config.intermediate_size, d, config.mlp_bias, layer.gate);
        linear(base + "mlp.up_proj", config.intermediate_size, d, config.mlp_bias, layer.up);
        linear(base + "mlp.down_proj", d, config.intermediate_size, config.mlp_bias, layer.down);
    }
    visit(std::string("model.norm.weight"), Index{0}, d, weights.final_norm);
    if (!config.tie_word_embeddings) visit(std::string("lm_head.weight"), config.vocab_size, d, weights.head);
}

namespace detail {
/// LlamaWeights' form without the tensors.
struct NoTensors {
    struct Map {
        std::monostate weight, bias;
    };
    struct Layer {
        std::monostate attn_norm, mlp_norm;
        Map q, k, v, o, gate, up, down;
    };
    std::monostate embedding, final_norm, head;
    std::vector<Layer> layers;
};
}  // namespace detail

/// As for_each_tensor where there are no tensors yet: calls visit(name, rows, cols).
template <class Visit>
void for_each_tensor_name(const LlamaConfig& config, const Visit& visit) {
    detail::NoTensors none;
    for_each_tensor(config, none, [&](const std::string& name, Index rows, Index cols, std::monostate&) { visit(name, rows, cols); });
}

/// Lends nothing: every tensor is read.
struct LendNothing {
    bool operator()(const std::string&, Index, Index, auto&) const { return false; }
};

/// Fills a model's tensors: `read(name, rows, cols, host)` puts the values of one tensor, row-major, into `host`, a span of scalars (norms,
/// biases) or of the backend's weight type (matrices). Before that `lend(name, rows, cols, tensor)` may make the tensor one of memory that is
/// already there, and say so by returning true.
template <Backend B, class Read, class Lend = LendNothing>
[[nodiscard]] LlamaWeights<B> make_llama_weights(typename B::context& ctx, const LlamaConfig& config, const Read& read, const Lend& lend = {}) {
    config.validate();
    LlamaWeights<B> weights;
    for_each_tensor(config, weights, [&]<class E>(const std::string& name, Index rows, Index cols, Tensor<B, void, E>& tensor) {
        if (lend(name, rows, cols, tensor)) return;
        tensor.resize(ctx, std::max<Index>(rows, 1), cols);
        std::vector<E> host(static_cast<std::size_t>(tensor.rows() * cols));
        read(name, rows, cols, std::span<E>(host));
        tensor.upload(ctx, host);
    });
    return weights;
}

}  // namespace lrp
