// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/hf_config_write.hpp>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("a configuration that is written is read back, field by field") {
    HfConfig config;
    config.vocab_size = 11;
    config.hidden_size = 24;
    config.intermediate_size = 33;
    config.num_hidden_layers = 3;
    config.num_attention_heads = 4;
    config.num_key_value_heads = 2;
    config.head_dim = 8;
    config.rms_norm_eps = 1e-5;
    config.tie_word_embeddings = true;
    config.attention_bias = true;
    config.mlp_bias = true;
    config.max_position_embeddings = 777;
    config.rope = {"llama3", 500000, 32, 1.5, 4.5, 512};
    config.dtype = "bfloat16";
    config.eos_token_ids = {7, 9};
    config.bos_token_id = 5;
    const HfConfig read = parse_hf_config(hf_config_text(config), "written");
    CHECK(read.vocab_size == 11);
    CHECK(read.hidden_size == 24);
    CHECK(read.intermediate_size == 33);
    CHECK(read.num_hidden_layers == 3);
    CHECK((read.num_attention_heads == 4 && read.num_key_value_heads == 2 && read.head_dim == 8));
    CHECK(read.rms_norm_eps == 1e-5);
    CHECK((read.tie_word_embeddings && read.attention_bias && read.mlp_bias));
    CHECK(read.max_position_embeddings == 777);
    CHECK((read.rope.type == "llama3" && read.rope.theta == 500000 && read.rope.factor == 32));
    CHECK((read.rope.low_freq_factor == 1.5 && read.rope.high_freq_factor == 4.5 && read.rope.original_max_position_embeddings == 512));
    CHECK(read.dtype == "bfloat16");
    CHECK(read.eos_token_ids == std::vector<std::int32_t>{7, 9});
    CHECK(read.bos_token_id == 5);
}

TEST_CASE("a plain configuration: no scaling, one end of text, or none") {
    HfConfig config;
    config.eos_token_ids = {2};
    const HfConfig one = parse_hf_config(hf_config_text(config), "written");
    CHECK((one.rope.type == "default" && one.eos_token_ids == std::vector<std::int32_t>{2} && !one.bos_token_id && !one.tie_word_embeddings));
    config.eos_token_ids.clear();
    config.rope.type = "linear";
    config.rope.factor = 2.5;
    const HfConfig none = parse_hf_config(hf_config_text(config), "written");
    CHECK((none.eos_token_ids.empty() && none.rope.type == "linear" && none.rope.factor == 2.5));
}
