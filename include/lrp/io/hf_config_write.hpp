// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include <lrp/io/hf_config.hpp>

namespace lrp {

/// A config.json that transformers 4.x and 5.x, and parse_hf_config, read as this LLaMA configuration.
[[nodiscard]] inline std::string hf_config_text(const HfConfig& config) {
    using Json = nlohmann::ordered_json;
    Json ends = config.eos_token_ids;
    if (config.eos_token_ids.empty()) ends = nullptr;
    if (config.eos_token_ids.size() == 1) ends = config.eos_token_ids.front();
    Json scaling = nullptr;
    if (config.rope.type != "default") scaling = {{"rope_type", config.rope.type}, {"factor", config.rope.factor}};
    if (config.rope.type == "llama3") {
        scaling["low_freq_factor"] = config.rope.low_freq_factor;
        scaling["high_freq_factor"] = config.rope.high_freq_factor;
        scaling["original_max_position_embeddings"] = config.rope.original_max_position_embeddings;
    }
    const Json json = {{"architectures", {"LlamaForCausalLM"}},
                       {"model_type", "llama"},
                       {"vocab_size", config.vocab_size},
                       {"hidden_size", config.hidden_size},
                       {"intermediate_size", config.intermediate_size},
                       {"num_hidden_layers", config.num_hidden_layers},
                       {"num_attention_heads", config.num_attention_heads},
                       {"num_key_value_heads", config.num_key_value_heads},
                       {"head_dim", config.head_dim},
                       {"hidden_act", config.hidden_act},
                       {"max_position_embeddings", config.max_position_embeddings},
                       {"rms_norm_eps", config.rms_norm_eps},
                       {"rope_theta", config.rope.theta},
                       {"rope_scaling", scaling},
                       {"tie_word_embeddings", config.tie_word_embeddings},
                       {"attention_bias", config.attention_bias},
                       {"mlp_bias", config.mlp_bias},
                       {"bos_token_id", config.bos_token_id ? Json(*config.bos_token_id) : Json(nullptr)},
                       {"eos_token_id", ends},
                       {"torch_dtype", config.dtype}};
    return json.dump(2) + "\n";
}

}  // namespace lrp
