// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/hf_config.hpp>

#include <random>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

TEST_CASE("both generations of config.json say the same") {
    const std::string common = R"("model_type":"llama","vocab_size":128256,"hidden_size":2048,"intermediate_size":8192,"num_hidden_layers":16,)"
                               R"("num_attention_heads":32,"num_key_value_heads":8,"head_dim":64,"rms_norm_eps":1e-5,"tie_word_embeddings":true,"eos_token_id":[1,2],)";
    const std::string scaling = R"("rope_type":"llama3","factor":32.0,"low_freq_factor":1.0,"high_freq_factor":4.0,"original_max_position_embeddings":8192)";
    const auto older = parse_hf_config("{" + common + R"("torch_dtype":"bfloat16","rope_theta":500000.0,"rope_scaling":{)" + scaling + "}}", "c");
    const auto newer = parse_hf_config("{" + common + R"("dtype":"bfloat16","rope_parameters":{"rope_theta":500000.0,)" + scaling + "}}", "c");
    for (const auto& config : {older, newer}) {
        CHECK(config.rope.type == "llama3");
        CHECK(config.rope.theta == 500000);
        CHECK(config.rope.factor == 32);
        CHECK(config.rope.original_max_position_embeddings == 8192);
        CHECK(config.dtype == "bfloat16");
        CHECK(config.tie_word_embeddings);
        CHECK(config.eos_token_ids == std::vector<std::int32_t>{1, 2});
        CHECK((config.num_key_value_heads == 8 && config.head_dim == 64));
    }
    const auto plain = parse_hf_config(R"({"model_type":"llama","hidden_size":64,"num_attention_heads":4,"num_key_value_heads":null,"head_dim":null,"rope_scaling":null})", "c");
    CHECK((plain.num_key_value_heads == 4 && plain.head_dim == 16 && plain.rope.theta == 10000 && plain.rms_norm_eps == 1e-6));
    const auto both = parse_hf_config(R"({"model_type":"llama","rope_theta":7,"rope_scaling":{"type":"linear","factor":2},"rope_parameters":{"rope_type":"default","rope_theta":5}})", "c");
    CHECK((both.rope.type == "linear" && both.rope.theta == 7 && both.rope.factor == 2));
}

TEST_CASE("configurations that must be refused, by name") {
    struct Case {
        std::string fields, message;
    };
    const std::vector<Case> cases{
        {R"("model_type":"mistral")", "model_type: expected 'llama', found 'mistral'"},
        {R"("model_type":null)", "model_type is missing"},
        {R"("model_type":5)", "model_type: expected a string, found 5"},
        {R"("quantization_config":{"bits":4})", "quantization_config: quantised models are not supported"},
        {R"("num_local_experts":8)", "num_local_experts: mixtures of experts are not supported"},
        {R"("sliding_window":4096)", "sliding_window is not supported"},
        {R"("hidden_act":"gelu")", "hidden_act: expected silu, found 'gelu'"},
        {R"("partial_rotary_factor":0.5)", "partial_rotary_factor: expected 1, found 0.5"},
        {R"("rope_scaling":{"rope_type":"yarn","factor":4})", "rope_type: expected default, linear or llama3, found 'yarn'"},
        {R"("rope_scaling":{"type":"dynamic","factor":4})", "found 'dynamic'"},
        {R"("rope_parameters":{"rope_type":"longrope"})", "rope_parameters: rope_type: expected default, linear or llama3, found 'longrope'"},
        {R"("rope_scaling":{"rope_type":"linear"})", "rope_scaling: factor is missing"},
        {R"("rope_scaling":{"factor":4})", "rope_scaling: rope_type is missing, and factor is there"},
        {R"("rope_scaling":{"rope_type":null,"factor":4})", "rope_scaling: rope_type is missing, and factor is there"},
        {R"("rope_scaling":{"rope_type":"default","type":"linear","factor":4})", "rope_scaling: rope_type is 'default' and type 'linear'; expected one of them, or the same"},
        {R"("rope_scaling":{"rope_type":"linear","factor":0.5})", "factor: expected at least 1, found 0.5"},
        {R"("rope_scaling":{"rope_type":"llama3","factor":8})", "low_freq_factor is missing"},
        {R"("rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":1})", "expected 0 < low < high, found 4 and 1"},
        {R"("rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4})", "expected 0 < low < high, found 4 and 4"},
        {R"("rope_scaling":"linear")", "expected a JSON object, found string"},
        {R"("rope_theta":-1)", "rope_theta: expected a positive number, found -1"},
        {R"("rope_theta":"1e4")", "rope_theta: expected a number, found \"1e4\""},
        {R"("hidden_size":0)", "hidden_size: expected a whole number from 1 to 1048576, found 0"},
        {R"("hidden_size":-64)", "hidden_size: expected a whole number from 1 to 1048576, found -64"},
        {R"("hidden_size":64.5)", "hidden_size: expected a whole number from 1 to 1048576, found 64.5"},
        {R"("hidden_size":99999999999999999999)", "hidden_size: expected a whole number"},
        {R"("num_hidden_layers":1000000)", "num_hidden_layers: expected a whole number from 1 to 4096"},
        {R"("vocab_size":true)", "vocab_size: expected a whole number"},
        {R"("num_key_value_heads":3)", "num_key_value_heads: expected a divisor of num_attention_heads 4, found 3"},
        {R"("num_attention_heads":3)", "hidden_size 64 is not a multiple of num_attention_heads 3"},
        {R"("head_dim":15)", "head_dim: expected an even number for RoPE, found 15"},
        {R"("rms_norm_eps":-1)", "rms_norm_eps: expected 0 or more, found -1"},
        {R"("tie_word_embeddings":"yes")", "tie_word_embeddings: expected true or false, found \"yes\""},
        {R"("eos_token_id":18446744073709551615)", "eos_token_id: expected token ids, found 18446744073709551615"},
        {R"("eos_token_id":[1,-2])", "eos_token_id: expected token ids, found -2"},
        {R"("eos_token_id":[1,[2]])", "eos_token_id: expected token ids, found [2]"},
        {R"("bos_token_id":1.5)", "bos_token_id: expected token ids, found 1.5"},
        {R"("model_type":"qwen2_moe")", "model_type: expected 'llama', found 'qwen2_moe'"},
        {R"("n_routed_experts":64)", "n_routed_experts: mixtures of experts are not supported"},
        {R"("layer_types":["full_attention","sliding_attention"])", "layer_types: expected full_attention, found \"sliding_attention\""},
        {R"("layer_types":"full_attention")", "layer_types: expected a list, found \"full_attention\""},
        {R"("sliding_window":4096,"use_sliding_window":true)", "sliding_window is not supported"},
        {R"("final_logit_softcapping":30.0)", "final_logit_softcapping is not supported"},
        {R"("rope_parameters":{"full_attention":{"rope_theta":1e6},"sliding_attention":{"rope_theta":1e4}})",
         "rope_parameters: full_attention: RoPE per type of layer is not supported"},
        {R"("rope_parameters":{"rope_theta":1e4,"partial_rotary_factor":0.25})", "rope_parameters: partial_rotary_factor: expected 1, found 0.25"},
        {R"("rope_parameters":{"rope_theta":0})", "rope_theta: expected a positive number, found 0"},
        {R"("rope_scaling":{"rope_type":"linear","factor":"8"})", "factor: expected a number, found \"8\""},
        {R"("rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":-1})",
         "original_max_position_embeddings: expected a whole number"},
        {R"("num_attention_heads":128,"num_key_value_heads":64,"head_dim":65536,"hidden_size":1048576)", "num_attention_heads times head_dim: expected at most 4194304, found 8388608"},
        {R"("head_dim":0)", "head_dim: expected a whole number from 1 to 65536, found 0"},
        {R"("intermediate_size":1e3)", "intermediate_size: expected a whole number from 1 to 1048576, found 1000.0"},
        {R"("eos_token_id":"x")", "eos_token_id: expected token ids, found \"x\""},
    };
    for (const Case& one : cases) {
        nlohmann::json config = nlohmann::json::parse(R"({"model_type":"llama","hidden_size":64,"num_attention_heads":4})");
        config.update(nlohmann::json::parse("{" + one.fields + "}"));
        INFO(one.fields);
        CHECK_THROWS_WITH(parse_hf_config(config.dump(), "config.json"), Contains("config.json") && Contains(one.message));
    }
    for (const auto& [text, message] : std::vector<std::pair<std::string, std::string>>{
             {"", "not valid JSON"}, {"{", "not valid JSON"}, {"[1]", "expected a JSON object, found array"}, {std::string(100000, '['), "nests deeper"},
             {R"({"model_type":"llama","model_type":"llama"})", "the key 'model_type' occurs twice"}})
        CHECK_THROWS_WITH(parse_hf_config(text, "config.json"), Contains("config.json") && Contains(message));
}

TEST_CASE("fields that are absent, null or harmless") {
    const auto parse = [](const std::string& fields) { return parse_hf_config(R"({"model_type":"llama")" + fields + "}", "c"); };
    const HfConfig bare = parse("");
    CHECK((bare.vocab_size == 32000 && bare.hidden_size == 4096 && bare.intermediate_size == 11008 && bare.num_hidden_layers == 32));
    CHECK((bare.num_attention_heads == 32 && bare.num_key_value_heads == 32 && bare.head_dim == 128 && bare.max_position_embeddings == 2048));
    CHECK((bare.hidden_act == "silu" && !bare.tie_word_embeddings && !bare.attention_bias && !bare.mlp_bias && bare.dtype.empty()));
    CHECK((bare.rope.type == "default" && bare.rope.theta == 10000));
    CHECK(bare.eos_token_ids == std::vector<std::int32_t>{2});
    CHECK(bare.bos_token_id == 1);
    const HfConfig none = parse(R"(,"eos_token_id":null,"bos_token_id":-1,"quantization_config":null,"sliding_window":null,"tie_word_embeddings":null)");
    CHECK((none.eos_token_ids.empty() && !none.bos_token_id));
    CHECK(parse(R"(,"eos_token_id":[128001,128008,128009],"bos_token_id":128000)").eos_token_ids.size() == 3);
    CHECK_NOTHROW(parse(R"(,"sliding_window":4096,"use_sliding_window":false,"layer_types":["full_attention"],"unknown":{"deep":[{}]})"));
    CHECK_NOTHROW(parse(R"(,"hidden_act":"swish")"));
    CHECK(parse(R"(,"rope_scaling":{"type":"linear","factor":1})").rope.type == "linear");
    CHECK(parse(R"(,"torch_dtype":"float16","dtype":"bfloat16")").dtype == "bfloat16");
    CHECK(parse(R"(,"head_dim":64,"hidden_size":100,"num_attention_heads":3)").head_dim == 64);
    CHECK(parse(R"(,"rope_scaling":{},"rope_parameters":{"rope_theta":5.0})").rope.theta == 5);
    CHECK(parse(R"(,"rope_theta":7,"rope_parameters":{"rope_type":"default","rope_theta":5})").rope.theta == 5);
    const HfConfig stretched = parse(
        R"(,"max_position_embeddings":4096,"rope_scaling":{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4})");
    CHECK(stretched.rope.original_max_position_embeddings == 4096);
}

TEST_CASE("a folder's files: config.json must be there, generation_config.json goes before it") {
    test::TemporaryFolder folder;
    CHECK_THROWS_WITH(read_hf_config(folder.path()), Contains("there is no config.json in the folder"));
    CHECK_THROWS_WITH(read_hf_config(folder.path() / "none"), Contains("there is no such file or folder"));
    folder.write("config.json", R"({"model_type":"llama","eos_token_id":2})");
    CHECK(read_hf_config(folder.path()).eos_token_ids == std::vector<std::int32_t>{2});
    folder.write("generation_config.json", R"({"eos_token_id":[7,8]})");
    CHECK(read_hf_config(folder.path()).eos_token_ids == std::vector<std::int32_t>{7, 8});
    CHECK(read_hf_config(folder.path() / "config.json").eos_token_ids == std::vector<std::int32_t>{2});
    folder.write("generation_config.json", R"({"eos_token_id":null})");
    CHECK(read_hf_config(folder.path()).eos_token_ids == std::vector<std::int32_t>{2});
    folder.write("generation_config.json", R"({"eos_token_id":"end"})");
    CHECK_THROWS_WITH(read_hf_config(folder.path()), Contains("generation_config.json: eos_token_id: expected token ids, found \"end\""));
    folder.write("generation_config.json", "[");
    CHECK_THROWS_WITH(read_hf_config(folder.path()), Contains("generation_config.json: not valid JSON"));
    folder.write("config.json", "version https://git-lfs.github.com/spec/v1\n");
    CHECK_THROWS_WITH(read_hf_config(folder.path()), Contains("config.json: this is a Git LFS pointer"));
    CHECK_THROWS_AS(read_hf_config(folder.path() / std::string(5000, 'n')), Error);
}

TEST_CASE("random damage to a configuration ends in a result or an Error") {
    const std::string good = R"({"model_type":"llama","hidden_size":64,"num_attention_heads":4,"rope_scaling":{"rope_type":"linear","factor":2.0},"eos_token_id":[1]})";
    std::mt19937 random(2);
    int refused = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string bad = good;
        for (unsigned long k = 0, n = 1 + random() % 3; k < n; ++k) bad[random() % bad.size()] = static_cast<char>(random());
        try {
            (void)parse_hf_config(bad, "c");
        } catch (const Error&) {
            ++refused;
        }
    }
    CHECK(refused > 5000);
}
