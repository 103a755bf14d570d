// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/pipeline/random_checkpoint.hpp>

#include <lrp/analysis/attribute.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include <atomic>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> names_in(const fs::path& folder) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace

TEST_CASE("known models have the number of parameters that was published") {
    const std::map<std::string, std::uint64_t> published{{"llama-3.2-1b", 1'235'814'400},   {"llama-3.2-3b", 3'212'749'824}, {"llama-3.1-8b", 8'030'261'248},
                                                         {"tinyllama-1.1b", 1'100'048'384}, {"llama-2-7b", 6'738'415'616},   {"tiny", 119'104}};
    CHECK(known_models().size() == published.size());
    for (const auto& [name, parameters] : published) {
        INFO(name);
        CHECK(random_checkpoint_bytes(known_models().at(name)) == 2 * parameters);
    }
}

TEST_CASE("a random checkpoint: sharded, read back, computed with, the same for any number of threads") {
    test::TemporaryFolder folder;
    const HfConfig& tiny = known_models().at("tiny");
    std::atomic<std::uint64_t> told = 0;
    write_random_checkpoint(folder.path() / "a", tiny, {.seed = 3, .shard_bytes = 100'000, .threads = 1}, [&](std::uint64_t bytes) { told += bytes; });
    write_random_checkpoint(folder.path() / "b/", tiny, {.seed = 3, .shard_bytes = 100'000, .threads = 3});
    write_random_checkpoint(folder.path() / "other", tiny, {.seed = 4, .shard_bytes = 100'000});
    CHECK(told == random_checkpoint_bytes(tiny));
    CHECK(names_in(folder.path()) == std::vector<std::string>{"a", "b", "other"});  // nothing temporary is left
    const auto names = names_in(folder.path() / "a");
    CHECK(names == std::vector<std::string>{"config.json", "model-00001-of-00003.safetensors", "model-00002-of-00003.safetensors", "model-00003-of-00003.safetensors",
                                            "model.safetensors.index.json"});
    for (const auto& name : names) {
        CHECK(read_text_file(folder.path() / "a" / name) == read_text_file(folder.path() / "b" / name));
        if (name.ends_with(".safetensors")) {
            CHECK(fs::file_size(folder.path() / "a" / name) < 100'000 + 4096);
            CHECK(read_text_file(folder.path() / "a" / name) != read_text_file(folder.path() / "other" / name));
            CHECK(SafeTensors::open(folder.path() / "a" / name).metadata().at("format") == "pt");
        }
    }

    const LlamaConfig config = llama_config(read_hf_config(folder.path() / "a"));
    const Checkpoint checkpoint = Checkpoint::open(folder.path() / "a");
    using B = ReferenceBackend<float>;
    B::context ctx;
    const LlamaModel<B, AttnLRP> model(config, load_llama_weights<B>(ctx, config, checkpoint));
    const std::vector<std::int32_t> ids{1, 50, 200, 3, 77};
    const Trace trace = attribute(ctx, model, ids);
    double square = 0;
    for (const float logit : trace.logits) square += static_cast<double>(logit) * static_cast<double>(logit);
    CHECK(std::abs(std::sqrt(square / static_cast<double>(trace.logits.size())) - 1) < 0.3);  // logits of order 1
    CHECK(std::any_of(trace.embedding.begin(), trace.embedding.end(), [](float r) { return r != 0; }));
}

TEST_CASE("a random checkpoint's tensors are streams of random numbers, whatever pieces they are written in") {
    test::TemporaryFolder folder;
    HfConfig config = known_models().at("tiny");
    config.vocab_size = 20'001;   // two matrices of 2.4 MiB
    config.intermediate_size = 33;  // sizes that are no multiples of anything
    write_random_checkpoint(folder.path() / "model", config, {.seed = 5});
    const Checkpoint checkpoint = Checkpoint::open(folder.path() / "model");
    const auto tensors = random_tensors(llama_config(config));
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        INFO(tensors[i].plan.name);
        const TensorEntry& entry = checkpoint.at(tensors[i].plan.name);
        std::vector<bf16> expected(entry.count());
        RandomNormal(5, tensors[i].mean, tensors[i].deviation).fill(i, 0, expected);
        REQUIRE(entry.bytes.size() == expected.size() * sizeof(bf16));
        CHECK(std::memcmp(entry.bytes.data(), expected.data(), entry.bytes.size()) == 0);
    }
}

TEST_CASE("tensors that config.json knows no use for: refused in a layer, told of elsewhere; a hash tells models apart by weights and configuration") {
    test::TemporaryFolder folder;
    HfConfig biased = known_models().at("tiny");
    biased.attention_bias = true;
    write_random_checkpoint(folder.path() / "model", biased);
    const Checkpoint checkpoint = Checkpoint::open(folder.path() / "model");
    using B = ReferenceBackend<float>;
    B::context ctx;
    const LlamaConfig right = llama_config(biased);
    CHECK_NOTHROW(load_llama_weights<B>(ctx, right, checkpoint));
    CHECK(unused_notes(right, checkpoint).empty());
    LlamaConfig wrong = right;
    wrong.attention_bias = false;
    CHECK_THROWS_WITH(load_llama_weights<B>(ctx, wrong, checkpoint), Contains("tensor 'model.layers.0.self_attn.k_proj.bias' is none that a LLaMA layer") && Contains("attention_bias false"));
    wrong = right;
    wrong.layers = 1;
    CHECK_NOTHROW(load_llama_weights<B>(ctx, wrong, checkpoint));
    REQUIRE(unused_notes(wrong, checkpoint).size() == 1);
    CHECK_THAT(unused_notes(wrong, checkpoint)[0], Contains("such as 'model.layers.1.") && Contains("num_hidden_layers is 1"));

    const std::string hash = model_hash(right, checkpoint);
    CHECK(hash == model_hash(right, checkpoint));
    const auto other = [&](const auto& change) {
        LlamaConfig config = right;
        change(config);
        return model_hash(config, checkpoint) != hash;
    };
    CHECK(other([](LlamaConfig& c) { c.rms_norm_eps *= 2; }));
    CHECK(other([](LlamaConfig& c) { c.rope.theta *= 2; }));
    CHECK(other([](LlamaConfig& c) { c.rope.scaling = RopeScaling::linear; }));
    CHECK(other([](LlamaConfig& c) { c.attention.heads *= 2; }));
    CHECK(other([](LlamaConfig& c) { c.layers -= 1; }));
}

TEST_CASE("a random checkpoint of one file has no index, and is written over nothing") {
    test::TemporaryFolder folder;
    const HfConfig& tiny = known_models().at("tiny");
    const fs::path target = folder.path() / "model";
    fs::create_directory(target);  // empty: allowed
    write_random_checkpoint(target, tiny);
    CHECK(names_in(target) == std::vector<std::string>{"config.json", "model.safetensors"});
    CHECK_THROWS_WITH(write_random_checkpoint(target, tiny), Contains("model: the folder is not empty"));
    CHECK_THROWS_WITH(write_random_checkpoint(target / "config.json", tiny), Contains("it is no folder"));
    CHECK_THROWS_WITH(write_random_checkpoint(folder.path() / "no" / "model", tiny), Contains("no: there is no such folder"));
    HfConfig huge = tiny;
    huge.num_hidden_layers = 4096;
    huge.hidden_size = 1 << 18;
    huge.intermediate_size = 1 << 18;
    CHECK_THROWS_WITH(write_random_checkpoint(folder.path() / "huge", huge), Contains(": expected ") && Contains("TiB free on the disk, found "));
    const auto failing = [](std::uint64_t) { fail("stop"); };
    CHECK_THROWS_WITH(write_random_checkpoint(folder.path() / "stopped", tiny, {}, failing), "stop");
    CHECK(names_in(folder.path()) == std::vector<std::string>{"model"});  // neither half a folder nor a temporary one
}
