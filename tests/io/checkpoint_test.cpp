// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/checkpoint.hpp>

#include <unistd.h>

#include <fstream>

#include <lrp/io/atomic_file.hpp>
#include <lrp/io/load.hpp>
#include <lrp/io/safetensors_write.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace lrp;
using lrp::test::TemporaryFolder;
using Catch::Matchers::Contains;

namespace {
std::string tensors(const std::vector<std::string>& names, float first = 1, const std::map<std::string, std::string>& metadata = {}) {
    DataFile file;
    for (const auto& name : names) file.arrays.push_back({name, {2}, std::vector<float>{first, 2}});
    file.metadata = metadata;
    return to_safetensors(file);
}
}  // namespace

TEST_CASE("a single file, with and without the model's prefix, and aliases") {
    TemporaryFolder folder;
    folder.write("model.safetensors", tensors({"layers.0.weight", "rotary_emb.inv_freq", "lm_head.weight"}, 1, {{"model.embed_tokens.weight", "lm_head.weight"}}));
    const auto checkpoint = Checkpoint::open(folder.path());
    CHECK(checkpoint.at("model.layers.0.weight").name == "layers.0.weight");
    CHECK(checkpoint.at("model.embed_tokens.weight").name == "lm_head.weight");
    CHECK(checkpoint.tensors().size() == 2);
    CHECK(checkpoint.bytes() == 16);
    CHECK_THROWS_WITH(checkpoint.at("model.norm.weight"), Contains("tensor 'model.norm.weight' is missing"));
    std::vector<float> out(2);
    const std::array<std::uint64_t, 1> shape{2};
    const std::array<std::uint64_t, 2> other{1, 2};
    load_tensor<float>(checkpoint, "lm_head.weight", shape, out);
    CHECK(out == std::vector<float>{1, 2});
    CHECK_THROWS_WITH(load_tensor<float>(checkpoint, "lm_head.weight", other, out), Contains("tensor 'lm_head.weight': expected shape [1, 2], found [2]"));
}

TEST_CASE("shards: found through the index, hashed as one model") {
    TemporaryFolder folder, whole, changed;
    folder.write("a.safetensors", tensors({"one", "extra"}));
    folder.write("b.safetensors", tensors({"two"}));
    folder.write("model.safetensors.index.json", R"({"metadata":{"total_size":1.5},"weight_map":{"one":"a.safetensors","two":"b.safetensors"},"new":{}})");
    const auto checkpoint = Checkpoint::open(folder.path());
    CHECK(checkpoint.files().size() == 2);
    REQUIRE(checkpoint.notes().size() == 1);
    CHECK(checkpoint.notes()[0].find("'extra', which the index does not name") != std::string::npos);
    whole.write("model.safetensors", tensors({"extra", "one", "two"}));
    CHECK(Checkpoint::open(whole.path()).hash() == checkpoint.hash());
    changed.write("model.safetensors", tensors({"extra", "one", "two"}, 1.5f));
    CHECK(Checkpoint::open(changed.path()).hash() != checkpoint.hash());
    folder.write("model.safetensors", tensors({"one"}));
    CHECK(Checkpoint::open(folder.path()).notes()[0].find("is ignored, as there is a model.safetensors") != std::string::npos);
}

TEST_CASE("folders and indices that must be refused") {
    struct Case {
        std::string index, message;
    };
    const std::vector<Case> cases{
        {"{", "not valid JSON"},
        {"[]", "expected a JSON object, found array"},
        {"{}", "weight_map is missing"},
        {R"({"weight_map":[]})", "weight_map: expected an object of tensor names and file names, found []"},
        {R"({"weight_map":{}})", "weight_map: expected an object"},
        {R"({"weight_map":{"one":3}})", "weight_map: one: expected a file name, found 3"},
        {R"({"weight_map":{"one":"../a.safetensors"}})", "weight_map: one: expected a plain file name of the same folder, found '../a.safetensors'"},
        {R"({"weight_map":{"one":"/etc/passwd"}})", "expected a plain file name"},
        {R"({"weight_map":{"one":".."}})", "expected a plain file name"},
        {R"({"weight_map":{"one":"C:\\a"}})", "expected a plain file name"},
        {R"({"weight_map":{"one":""}})", "expected a plain file name"},
        {R"({"weight_map":{"one":"none.safetensors"}})", "names 'none.safetensors', which is not in the folder"},
        {R"({"weight_map":{"three":"a.safetensors"}})", "puts tensor 'three' in 'a.safetensors', which does not hold it"},
        {R"({"weight_map":{"one":"a.safetensors","two":"b.safetensors"}})", "tensor 'one' is in two files"},
        {R"({"weight_map":{"one":"a.safetensors","one":"b.safetensors"}})", "the key 'one' occurs twice"},
    };
    for (const Case& one : cases) {
        TemporaryFolder folder;
        folder.write("a.safetensors", tensors({"one"}));
        folder.write("b.safetensors", tensors({"one", "two"}));
        folder.write("model.safetensors.index.json", one.index);
        INFO(one.index);
        CHECK_THROWS_WITH(Checkpoint::open(folder.path()), Contains(one.message));
    }
    TemporaryFolder folder;
    CHECK_THROWS_WITH(Checkpoint::open(folder.path() / "none"), Contains("none: expected a checkpoint folder"));
    CHECK_THROWS_WITH(Checkpoint::open(folder.path()), Contains("expected model.safetensors or model.safetensors.index.json, found neither"));
    folder.write("pytorch_model.bin", "x");
    CHECK_THROWS_WITH(Checkpoint::open(folder.path()), Contains("pickled weights (pytorch_model.bin)"));
    TemporaryFolder lora;
    lora.write("adapter_config.json", "{}");
    CHECK_THROWS_WITH(Checkpoint::open(lora.path()), Contains("LoRA adapter"));
    TemporaryFolder quantised;
    quantised.write("model.safetensors", tensors({"x.qweight"}));
    CHECK_THROWS_WITH(Checkpoint::open(quantised.path()), Contains("tensor 'x.qweight' belongs to a quantised model"));
    TemporaryFolder directory;
    std::filesystem::create_directory(directory.path() / "model.safetensors");
    CHECK_THROWS_WITH(Checkpoint::open(directory.path()), Contains("expected a regular file"));
    TemporaryFolder infinite;
    infinite.write("model.safetensors", tensors({"w"}, INFINITY));
    std::vector<float> out(2);
    const std::array<std::uint64_t, 1> shape{2};
    const auto checkpoint = Checkpoint::open(infinite.path());
    CHECK_THROWS_WITH(load_tensor<float>(checkpoint, "w", shape, out), Contains("tensor 'w': value 0 is not finite (inf)"));
}

TEST_CASE("write_file writes whole files or none") {
    TemporaryFolder folder;
    write_file(folder.path() / "x", "first");
    write_file(folder.path() / "x", "second");
    CHECK(read_text_file(folder.path() / "x") == "second");
    CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
    CHECK_THROWS_WITH(write_file(folder.path() / "none" / "x", "y"), Contains("cannot be written (No such file or directory)"));
    CHECK_THROWS_WITH(write_file(folder.path(), "y"), Contains("it is a folder"));
}
