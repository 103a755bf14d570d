// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// config.json as transformers 4.x and 5.x write it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <lrp/io/json.hpp>
#include <lrp/io/mapped_file.hpp>

namespace lrp {

/// Rotary position embedding as a file states it; `type` is default, linear or llama3.
struct RopeParameters {
    std::string type = "default";
    double theta = 10000;
    double factor = 1;
    double low_freq_factor = 1;
    double high_freq_factor = 4;
    std::uint64_t original_max_position_embeddings = 0;
};

/// What config.json says of a LLaMA model, defaults filled in.
struct HfConfig {
    std::string model_type;
    std::uint64_t vocab_size = 32000;
    std::uint64_t hidden_size = 4096;
    std::uint64_t intermediate_size = 11008;
    std::uint64_t num_hidden_layers = 32;
    std::uint64_t num_attention_heads = 32;
    std::uint64_t num_key_value_heads = 32;
    std::uint64_t head_dim = 128;
    std::string hidden_act = "silu";
    double rms_norm_eps = 1e-6;
    bool tie_word_embeddings = false;
    bool attention_bias = false;
    bool mlp_bias = false;
    std::uint64_t max_position_embeddings = 2048;
    RopeParameters rope;
    std::string dtype;                        ///< as stated; empty if not
    std::vector<std::int32_t> eos_token_ids;  ///< may be empty
    std::optional<std::int32_t> bos_token_id;
};

namespace detail {

/// No size of a real model comes near; products of three such sizes stay below 2^63.
inline constexpr std::uint64_t config_size_limit = std::uint64_t{1} << 20;

inline void refuse_unsupported(const JsonFields& top) {
    const auto& where = top.source();
    const std::string type = top.must(top.text("model_type"), "model_type");
    require(type == "llama", where, ": model_type: expected 'llama', found '", shortened(type), "', which is not supported");
    require(!top.has("quantization_config"), where, ": quantization_config: quantised models are not supported");
    for (const char* key : {"num_local_experts", "num_experts", "n_routed_experts"})
        require(!top.has(key), where, ": ", key, ": mixtures of experts are not supported");
    for (const char* key : {"attn_logit_softcapping", "final_logit_softcapping"})
        require(!top.has(key), where, ": ", key, " is not supported");
    require(!top.has("sliding_window") || !top.flag("use_sliding_window").value_or(true), where, ": sliding_window is not supported");
    if (const auto* kinds = top.find("layer_types")) {
        require(kinds->is_array(), where, ": layer_types: expected a list, found ", JsonFields::found(*kinds));
        for (const auto& kind : *kinds)
            require(kind == "full_attention", where, ": layer_types: expected full_attention, found ", JsonFields::found(kind),
                    ", which is not supported");
    }
    const auto act = top.text("hidden_act").value_or("silu");
    require(act == "silu" || act == "swish", where, ": hidden_act: expected silu, found '", shortened(act), "', which is not supported");
    const auto partial = top.number("partial_rotary_factor").value_or(1.0);
    require(partial == 1.0, where, ": partial_rotary_factor: expected 1, found ", partial, ", which is not supported");
}

/// Both generations: `rope_scaling` and `rope_theta` (4.x) or `rope_parameters` (5.x). A non-empty rope_scaling wins over rope_parameters,
/// and a theta inside either over the one at top level.
inline RopeParameters read_rope(const JsonFields& top, std::uint64_t max_positions) {
    RopeParameters rope;
    rope.theta = top.number("rope_theta").value_or(rope.theta);
    const auto* scaling = top.find("rope_scaling");
    const std::string key = scaling != nullptr && !scaling->empty() ? "rope_scaling" : "rope_parameters";
    if (const auto* object = top.find(key); object != nullptr && !object->empty()) {
        const JsonFields fields = top.object(key);
        const auto& where = fields.source();
        for (const auto& [name, value] : top.find(key)->items())
            require(!value.is_object(), where, ": ", detail::shortened(name), ": RoPE per type of layer is not supported");
        rope.theta = fields.number("rope_theta").value_or(rope.theta);
        const auto named = fields.text("rope_type"), old_name = fields.text("type");
        require(!named || !old_name || *named == *old_name, where, ": rope_type is '", shortened(named.value_or("")), "' and type '", shortened(old_name.value_or("")), "'; expected one of them, or the same");
        require(named || old_name || !fields.number("factor"), where, ": rope_type is missing, and factor is there");
        rope.type = named ? *named : old_name.value_or("default");
        require(rope.type == "default" || rope.type == "linear" || rope.type == "llama3", where,
                ": rope_type: expected default, linear or llama3, found '", shortened(rope.type), "', which is not supported");
        const auto partial = fields.number("partial_rotary_factor").value_or(1.0);
        require(partial == 1.0, where, ": partial_rotary_factor: expected 1, found ", partial, ", which is not supported");
        if (rope.type != "default") {
            rope.factor = fields.must(fields.number("factor"), "factor");
            require(rope.factor >= 1, where, ": factor: expected at least 1, found ", rope.factor);
        }
        if (rope.type == "llama3") {
            rope.low_freq_factor = fields.must(fields.number("low_freq_factor"), "low_freq_factor");
            rope.high_freq_factor = fields.must(fields.number("high_freq_factor"), "high_freq_factor");
            require(rope.low_freq_factor > 0 && rope.high_freq_factor > rope.low_freq_factor, where,
                    ": low_freq_factor and high_freq_factor: expected 0 < low < high, found ", rope.low_freq_factor, " and ",
                    rope.high_freq_factor);
            rope.original_max_position_embeddings =
                fields.whole("original_max_position_embeddings", 1, std::uint64_t{1} << 40).value_or(max_positions);
        }
    }
    require(rope.theta > 0, top.source(), ": rope_theta: expected a positive number, found ", rope.theta);
    return rope;
}

/// One id or a list of ids; null and -1 mean that there is none, and a missing field means `otherwise`.
inline std::vector<std::int32_t> token_ids(const JsonFields& top, const char* key, std::optional<std::int32_t> otherwise = {}) {
    std::vector<std::int32_t> ids;
    const auto* value = top.find(key);
    if (value == nullptr) {
        if (otherwise && !top.states(key)) ids.push_back(*otherwise);
        return ids;
    }
    for (const auto& item : value->is_array() ? *value : nlohmann::json::array({*value})) {
        if (item.is_number_integer() && !item.is_number_unsigned() && item.get<std::int64_t>() == -1) continue;
        require(item.is_number_unsigned() && item.get<std::uint64_t>() <= INT32_MAX, top.source(), ": ", key,
                ": expected token ids, found ", JsonFields::found(item));
        ids.push_back(item.get<std::int32_t>());
    }
    return ids;
}

}  // namespace detail

/// Reads a config.json. Errors name the source and the field, what was expected and what was found; whatever this library does not
/// support is refused by name.
[[nodiscard]] inline HfConfig parse_hf_config(std::string_view text, const std::string& source) {
    using detail::config_size_limit;
    const nlohmann::json json = parse_json(text, source);
    const JsonFields top(json, source);
    detail::refuse_unsupported(top);
    HfConfig config;
    config.model_type = "llama";
    const auto size = [&](const char* key, std::uint64_t otherwise, std::uint64_t most = config_size_limit) {
        return top.whole(key, 1, most).value_or(otherwise);
    };
    config.vocab_size = size("vocab_size", config.vocab_size, std::uint64_t{1} << 24);
    config.hidden_size = size("hidden_size", config.hidden_size);
    config.intermediate_size = size("intermediate_size", config.intermediate_size);
    config.num_hidden_layers = size("num_hidden_layers", config.num_hidden_layers, 4096);
    config.num_attention_heads = size("num_attention_heads", config.num_attention_heads, 65536);
    config.num_key_value_heads = size("num_key_value_heads", config.num_attention_heads, 65536);
    require(config.num_attention_heads % config.num_key_value_heads == 0, source,
            ": num_key_value_heads: expected a divisor of num_attention_heads ", config.num_attention_heads, ", found ",
            config.num_key_value_heads);
    if (top.has("head_dim")) {
        config.head_dim = size("head_dim", 0, 65536);
    } else {
        require(config.hidden_size % config.num_attention_heads == 0, source, ": head_dim is missing and hidden_size ", config.hidden_size,
                " is not a multiple of num_attention_heads ", config.num_attention_heads);
        config.head_dim = config.hidden_size / config.num_attention_heads;
    }
    require(config.head_dim % 2 == 0, source, ": head_dim: expected an even number for RoPE, found ", config.head_dim);
    require(config.num_attention_heads * config.head_dim <= 4 * config_size_limit, source,
            ": num_attention_heads times head_dim: expected at most ", 4 * config_size_limit, ", found ",
            config.num_attention_heads * config.head_dim);
    config.rms_norm_eps = top.number("rms_norm_eps").value_or(config.rms_norm_eps);
    require(config.rms_norm_eps >= 0, source, ": rms_norm_eps: expected 0 or more, found ", config.rms_norm_eps);
    config.tie_word_embeddings = top.flag("tie_word_embeddings").value_or(false);
    config.attention_bias = top.flag("attention_bias").value_or(false);
    config.mlp_bias = top.flag("mlp_bias").value_or(false);
    config.max_position_embeddings = size("max_position_embeddings", config.max_position_embeddings, std::uint64_t{1} << 40);
    config.rope = detail::read_rope(top, config.max_position_embeddings);
    config.dtype = top.text("dtype").value_or(top.text("torch_dtype").value_or(""));
    config.eos_token_ids = detail::token_ids(top, "eos_token_id", 2);
    if (const auto ids = detail::token_ids(top, "bos_token_id", 1); !ids.empty()) config.bos_token_id = ids.front();
    return config;
}

/// Reads a folder's config.json (or the file itself); the ends of text in generation_config.json, if there, go before those in config.json.
[[nodiscard]] inline HfConfig read_hf_config(const std::filesystem::path& folder_or_file) {
    namespace fs = std::filesystem;
    std::error_code code;
    const bool folder = fs::is_directory(folder_or_file, code);
    const fs::path file = folder ? folder_or_file / "config.json" : folder_or_file;
    if (!is_there(file)) fail(file.string(), folder ? ": there is no config.json in the folder" : ": there is no such file or folder");
    HfConfig config = parse_hf_config(read_text_file(file), file.string());
    const fs::path generation = file.parent_path() / "generation_config.json";
    if (folder && is_there(generation)) {
        const nlohmann::json json = parse_json(read_text_file(generation), generation.string());
        const auto ids = detail::token_ids(JsonFields(json, generation.string()), "eos_token_id");
        if (!ids.empty()) config.eos_token_ids = ids;
    }
    return config;
}

}  // namespace lrp
