// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// From a Hugging Face folder to a model that can be asked: configuration, weights and tokenizer put together.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <lrp/analysis/attribute_many.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/pipeline/load_llama.hpp>
#include <lrp/text/tokenizer.hpp>

namespace lrp {

/// A folder's tokenizer, if it has one.
[[nodiscard]] inline std::optional<Tokenizer> load_tokenizer(const std::filesystem::path& folder) {
    const auto file = folder / "tokenizer.json";
    if (!std::filesystem::exists(file)) return std::nullopt;
    return Tokenizer::from_file(file);
}

/// The tokens after which a text ends: those that generation_config.json or config.json name; where both say that there is none, the eos_token of
/// tokenizer_config.json if the tokenizer knows it.
[[nodiscard]] inline std::vector<std::int32_t> ends_of_text(const std::filesystem::path& folder, const HfConfig& config, const std::optional<Tokenizer>& tokenizer) {
    const auto file = folder / "tokenizer_config.json";
    if (!config.eos_token_ids.empty() || !tokenizer || !std::filesystem::exists(file)) return config.eos_token_ids;
    const nlohmann::json json = parse_json(read_text_file(file), file.string());
    const JsonFields top(json, file.string());
    const auto* value = top.find("eos_token");
    if (value == nullptr) return {};
    const auto text = value->is_object() ? top.object("eos_token").text("content") : top.text("eos_token");
    const auto id = text ? tokenizer->token_to_id(*text) : std::nullopt;
    return id ? std::vector<std::int32_t>{*id} : std::vector<std::int32_t>{};
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

    /// The trace of the next token after `prompt`, or of what the options name. Error where the folder has no tokenizer; else as `attribute`.
    [[nodiscard]] Trace explain(std::string_view prompt, const AttributeOptions& options = {}) {
        const Encoding encoding = encode(prompt);
        return named(attribute(*ctx_, model_, encoding.ids, options), prompt, &encoding);
    }
    /// The same of token ids, for which no tokenizer is needed.
    [[nodiscard]] Trace explain(std::span<const std::int32_t> ids, const AttributeOptions& options = {}) { return named(attribute(*ctx_, model_, ids, options), "", nullptr); }
    /// The traces of several prompts, some of them together in each pass; those of about one length should follow each other.
    [[nodiscard]] std::vector<Trace> explain_all(std::span<const std::string> prompts, const AttributeOptions& options = {}) {
        std::vector<Encoding> encodings;
        std::vector<PromptOfMany> ids;
        for (const std::string& prompt : prompts) {
            encodings.push_back(encode(prompt));
            ids.push_back({encodings.back().ids});
        }
        std::vector<Trace> traces = attribute_all(*ctx_, model_, ids, options);
        for (std::size_t i = 0; i < traces.size(); ++i) traces[i] = named(std::move(traces[i]), prompts[i], &encodings[i]);
        return traces;
    }

    [[nodiscard]] Context& context() { return *ctx_; }
    [[nodiscard]] LlamaModel<B, Rules>& model() { return model_; }
    [[nodiscard]] const std::optional<Tokenizer>& tokenizer() const { return tokenizer_; }

  private:
    Pretrained(std::unique_ptr<Context> ctx, LlamaModel<B, Rules> model, std::optional<Tokenizer> tokenizer)
        : ctx_(std::move(ctx)), model_(std::move(model)), tokenizer_(std::move(tokenizer)) {}

    [[nodiscard]] Encoding encode(std::string_view prompt) const {
        require(tokenizer_.has_value(), "explain: the model has no tokenizer.json; give token ids");
        return tokenizer_->encode(prompt);
    }
    [[nodiscard]] Trace named(Trace trace, std::string_view prompt, const Encoding* encoding) const {
        trace.prompt = prompt;
        if (tokenizer_) name_tokens(trace, *tokenizer_, encoding);
        return trace;
    }

    std::unique_ptr<Context> ctx_;
    LlamaModel<B, Rules> model_;
    std::optional<Tokenizer> tokenizer_;
};

}  // namespace lrp
