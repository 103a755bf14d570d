// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// From a Hugging Face folder to a model that can be asked: configuration, weights and tokenizer put together.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <lrp/analysis/attribute.hpp>
#include <lrp/io/checkpoint.hpp>
#include <lrp/io/hf_config.hpp>
#include <lrp/io/load.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/text/tokenizer.hpp>

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

/// A checkpoint's weights, converted to the backend's scalar type. Error: a tensor that is missing, of another shape, or not finite.
template <Backend B>
[[nodiscard]] std::shared_ptr<const LlamaWeights<B>> load_llama_weights(typename B::context& ctx, const LlamaConfig& config,
                                                                       const Checkpoint& checkpoint) {
    return std::make_shared<const LlamaWeights<B>>(
        make_llama_weights<B>(ctx, config, [&]<class E>(const std::string& name, Index rows, Index cols, std::span<E> host) {
            std::vector<std::uint64_t> shape{static_cast<std::uint64_t>(cols)};
            if (rows > 0) shape.insert(shape.begin(), static_cast<std::uint64_t>(rows));
            load_tensor<E>(checkpoint, name, shape, host);
        }));
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

/// A folder's tokenizer, if it has one.
[[nodiscard]] inline std::optional<Tokenizer> load_tokenizer(const std::filesystem::path& folder) {
    const auto file = folder / "tokenizer.json";
    if (!std::filesystem::exists(file)) return std::nullopt;
    return Tokenizer::from_file(file);
}

/// Puts a tokenizer's texts into a trace: its tokens, target, contrast and predictions; `encoding`, if given, also the prompt's offsets.
inline void name_tokens(Trace& trace, const Tokenizer& tokenizer, const Encoding* encoding = nullptr) {
    const auto text = [&](std::int32_t id) {
        return id >= 0 && static_cast<std::size_t>(id) < tokenizer.vocab_size() ? tokenizer.token_text(id) : std::to_string(id);
    };
    for (std::size_t t = 0; t < trace.ids.size(); ++t) trace.tokens[t] = text(trace.ids[t]);
    for (Prediction& prediction : trace.predictions) prediction.token = text(prediction.id);
    trace.target_token = text(trace.target);
    if (trace.contrast) trace.contrast_token = text(*trace.contrast);
    if (encoding != nullptr) trace.offsets = encoding->offsets;
}

/// A model with its tokenizer and context, loaded from a folder: the shortest way from a prompt to its trace.
///   auto model = Pretrained<EigenBackend<float>, AttnLRP>::load("examples/models/mini");
///   Trace trace = model.explain("I have 5 cats and 3 dogs. My cats love to play with my");
template <Backend B, Composite Rules>
class Pretrained {
  public:
    using Context = typename B::context;

    /// Errors as Checkpoint, read_hf_config, load_llama_weights and Tokenizer throw them.
    [[nodiscard]] static Pretrained load(const std::filesystem::path& folder, std::unique_ptr<Context> ctx = std::make_unique<Context>()) {
        const auto config = llama_config(read_hf_config(folder));
        const auto checkpoint = Checkpoint::open(folder);
        auto weights = load_llama_weights<B>(*ctx, config, checkpoint);
        return Pretrained(std::move(ctx), LlamaModel<B, Rules>(config, std::move(weights)), load_tokenizer(folder));
    }

    /// The trace of the next token after `prompt`, or of what the options name.
    [[nodiscard]] Trace explain(std::string_view prompt, const AttributeOptions& options = {}) {
        require(tokenizer_.has_value(), "explain: the model has no tokenizer.json; give token ids");
        const Encoding encoding = tokenizer_->encode(prompt);
        Trace trace = attribute(*ctx_, model_, encoding.ids, options);
        trace.prompt = prompt;
        name_tokens(trace, *tokenizer_, &encoding);
        return trace;
    }

    [[nodiscard]] Context& context() { return *ctx_; }
    [[nodiscard]] LlamaModel<B, Rules>& model() { return model_; }
    [[nodiscard]] const std::optional<Tokenizer>& tokenizer() const { return tokenizer_; }

  private:
    Pretrained(std::unique_ptr<Context> ctx, LlamaModel<B, Rules> model, std::optional<Tokenizer> tokenizer)
        : ctx_(std::move(ctx)), model_(std::move(model)), tokenizer_(std::move(tokenizer)) {}

    std::unique_ptr<Context> ctx_;
    LlamaModel<B, Rules> model_;
    std::optional<Tokenizer> tokenizer_;
};

}  // namespace lrp
