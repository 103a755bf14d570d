// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/checkpoint.hpp>

#include <optional>
#include <set>

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
    TemporaryFolder tied;
    tied.write("model.safetensors", tensors({"model.embed_tokens.weight"}, 1, {{"lm_head.weight", "model.embed_tokens.weight"}}));
    CHECK(Checkpoint::open(tied.path()).at("lm_head.weight").name == "model.embed_tokens.weight");
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
    CHECK((checkpoint.hash("a") != checkpoint.hash() && checkpoint.hash("a") != checkpoint.hash("b")));
    folder.write("model.safetensors", tensors({"one"}));
    CHECK(Checkpoint::open(folder.path()).notes()[0].find("is ignored, as there is a model.safetensors") != std::string::npos);
}

TEST_CASE("whether all matrices are of one type; vectors do not count") {
    const auto holds = [](std::vector<std::pair<std::vector<std::uint64_t>, bool>> kinds) {  // shape, and whether in bf16
        TemporaryFolder folder;
        std::string header, bytes;
        for (std::size_t i = 0; i < kinds.size(); ++i) {
            std::uint64_t size = kinds[i].second ? 2 : 4;
            for (const std::uint64_t side : kinds[i].first) size *= side;
            header += (i > 0 ? "," : "") + ("\"t" + std::to_string(i) + "\":{\"dtype\":\"" + (kinds[i].second ? "BF16" : "F32") + "\",\"shape\":" + nlohmann::json(kinds[i].first).dump() +
                      ",\"data_offsets\":[" + std::to_string(bytes.size()) + "," + std::to_string(bytes.size() + size) + "]}");
            bytes += std::string(size, '\0');
        }
        header = "{" + header + "}";
        std::string length(8, '\0');
        length[0] = static_cast<char>(header.size() % 256);
        length[1] = static_cast<char>(header.size() / 256);
        folder.write("model.safetensors", length + header + bytes);
        return Checkpoint::open(folder.path()).all_matrices(Dtype::bf16);
    };
    CHECK(holds({{{64, 64}, true}, {{64}, false}}));
    CHECK_FALSE(holds({{{64, 64}, true}, {{2, 2}, false}}));
    CHECK_FALSE(holds({{{64, 64}, false}}));
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
        {R"({"weight_map":{"one":null}})", "weight_map: one: expected a file name, found null"},
        {R"({"weight_map":null})", "weight_map is missing"},
        {R"({"weight_map":{"one":"."}})", "expected a plain file name"},
        {R"({"weight_map":{"one":"a\u0000.safetensors"}})", "expected a plain file name"},
        {R"({"weight_map":{"one":")" + std::string(5000, 'n') + R"("}})", "expected a plain file name of the same folder, found 'nnn"},
        {R"({"weight_map":{"one":"folder"}})", "folder: expected a regular file"},
        {R"({"weight_map":{"one":"dangling.safetensors"}})", "names 'dangling.safetensors', which is not in the folder"},
        {R"({"weight_map":{"one":"pointer.safetensors"}})", "pointer.safetensors: this is a Git LFS pointer"},
        {R"({"weight_map":{"one":"short.safetensors"}})", "short.safetensors: tensor 'one': data_offsets: end 8 is beyond the 6 bytes of data"},
        {"version https://git-lfs.github.com/spec/v1\n", "model.safetensors.index.json: this is a Git LFS pointer"},
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
        std::filesystem::create_directory(folder.path() / "folder");
        std::filesystem::create_symlink("nowhere", folder.path() / "dangling.safetensors");
        folder.write("pointer.safetensors", "version https://git-lfs.github.com/spec/v1\n");
        const std::string whole = tensors({"one"});
        folder.write("short.safetensors", whole.substr(0, whole.size() - 2));
        INFO(one.index);
        CHECK_THROWS_AS(Checkpoint::open(folder.path()), Error);
        CHECK_THROWS_WITH(Checkpoint::open(folder.path()), Contains(folder.path().string()) && Contains(one.message));
    }
    CHECK(cases.size() >= 12);
    TemporaryFolder folder;
    CHECK_THROWS_WITH(Checkpoint::open(folder.path() / "none"), Contains("none: expected a checkpoint folder"));
    CHECK_THROWS_WITH(Checkpoint::open(folder.path()), Contains("expected model.safetensors or model.safetensors.index.json, found neither"));
    folder.write("pytorch_model.bin", "x");
    CHECK_THROWS_WITH(Checkpoint::open(folder.path()), Contains("pickled weights (pytorch_model.bin)"));
    for (const auto& [name, message] : std::vector<std::pair<std::string, std::string>>{
             {"adapter_model.safetensors", "holds a LoRA adapter (adapter_model.safetensors), not a model"},
             {"consolidated.00.safetensors", "weights under the names of another format (consolidated.00.safetensors)"},
             {"consolidated.00.pth", "pickled weights (consolidated.00.pth)"},
             {"model.pt", "pickled weights (model.pt)"},
             {"tiny-Q8.gguf", "a GGUF file (tiny-Q8.gguf)"},
             {"flax_model.msgpack", "weights of another framework (flax_model.msgpack)"},
             {"model-00001-of-00002.safetensors", "a shard (model-00001-of-00002.safetensors) but no model.safetensors.index.json"}}) {
        TemporaryFolder other;
        other.write("config.json", "{}");
        other.write(name, "x");
        CHECK_THROWS_WITH(Checkpoint::open(other.path()), Contains(other.path().string()) && Contains(message));
    }
    TemporaryFolder linked;
    std::filesystem::create_symlink("../../blobs/0123", linked.path() / "model.safetensors");
    CHECK_THROWS_WITH(Checkpoint::open(linked.path()), Contains("model.safetensors is a link to a file that is not there"));
    TemporaryFolder lora;
    lora.write("adapter_config.json", "{}");
    CHECK_THROWS_WITH(Checkpoint::open(lora.path()), Contains("LoRA adapter"));
    TemporaryFolder quantised;
    for (const std::string mark : {"x.qweight", "x.weight_scale", "x.absmax", "x.weight_packed", "x.qzeros"}) {
        quantised.write("model.safetensors", tensors({mark}));
        CHECK_THROWS_WITH(Checkpoint::open(quantised.path()), Contains("tensor '" + mark + "' belongs to a quantised model"));
    }
    TemporaryFolder directory;
    std::filesystem::create_directory(directory.path() / "model.safetensors");
    CHECK_THROWS_WITH(Checkpoint::open(directory.path()), Contains("expected a regular file"));
}

TEST_CASE("a folder of links, as a hub's cache keeps it, and one that moves") {
    TemporaryFolder folder;
    std::filesystem::create_directories(folder.path() / "blobs");
    std::filesystem::create_directories(folder.path() / "snapshots" / "r1");
    folder.write("blobs/f00d", tensors({"model.norm.weight"}));
    std::filesystem::create_symlink("../../blobs/f00d", folder.path() / "snapshots" / "r1" / "model.safetensors");
    folder.write("snapshots/r1/adapter_config.json", "{}");
    std::optional<Checkpoint> first(Checkpoint::open(folder.path() / "snapshots" / "r1"));
    const Checkpoint moved = std::move(*first);
    first.reset();
    CHECK(values<float>(moved.at("model.norm.weight")) == std::vector<float>{1, 2});
    CHECK(moved.folder() == folder.path() / "snapshots" / "r1");
    REQUIRE(moved.notes().size() == 1);
    CHECK_THAT(moved.notes()[0], Contains("LoRA adapter beside model.safetensors is ignored"));
}

TEST_CASE("the hash of a model sees every byte of values, name, type and shape, and is the same for ever") {
    const auto hash = [](const std::string& fields, const std::string& data) {
        const std::string header = "{" + fields + "}";
        std::string bytes(8, '\0');
        bytes[0] = static_cast<char>(header.size());
        TemporaryFolder folder;
        folder.write("model.safetensors", bytes + header + data);
        return Checkpoint::open(folder.path()).hash();
    };
    const auto tensor = [](const std::string& name, const std::string& dtype, const std::string& shape) {
        return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":[0,70]})";
    };
    std::string data(70, '\0');
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<char>(i * 7);
    std::set<std::string> seen{hash(tensor("a", "U8", "[70]"), data)};
    CHECK(*seen.begin() == "3fa457f2d04a88e6");
    CHECK(hash(R"("a":{"dtype":"U8","shape":[64],"data_offsets":[0,64]})", data.substr(0, 64)) == "c55df18f85ccfe21");  // a whole number of blocks
    for (std::size_t i = 0; i < data.size(); ++i) {
        for (const int bit : {1, 128}) {
            std::string other = data;
            other[i] = static_cast<char>(other[i] ^ bit);
            seen.insert(hash(tensor("a", "U8", "[70]"), other));
        }
    }
    CHECK(seen.size() == 1 + 2 * data.size());
    seen.insert({hash(tensor("b", "U8", "[70]"), data), hash(tensor("a", "I8", "[70]"), data), hash(tensor("a", "U8", "[7,10]"), data),
                 hash(tensor("a", "U8", "[10,7]"), data), hash(tensor("a", "BF16", "[35]"), data)});
    CHECK(seen.size() == 6 + 2 * data.size());
}
