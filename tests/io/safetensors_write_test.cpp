// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/safetensors_write.hpp>

#include <lrp/io/safetensors.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {
SafeTensors parse_written(const std::string& bytes) {
    return SafeTensors::parse({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "file.safetensors");
}
}  // namespace

TEST_CASE("safetensors: what is written is read back, aligned") {
    DataFile file;
    file.arrays.push_back({"b", {2}, std::vector<float>{1.5f, -2}});
    file.arrays.push_back({"a", {1, 1}, std::vector<std::int32_t>{7}});
    file.metadata["prompt"] = "caf\xC3\xA9 \"x\"";
    const std::string bytes = to_safetensors(file);
    const SafeTensors read = parse_written(bytes);
    CHECK(values<float>(read.at("b")) == std::vector<float>{1.5f, -2});
    CHECK(values<std::int32_t>(read.at("a")) == std::vector<std::int32_t>{7});
    CHECK(read.at("a").shape == std::vector<std::uint64_t>{1, 1});
    CHECK(read.metadata().at("prompt") == "caf\xC3\xA9 \"x\"");
    std::uint64_t header = 0;
    std::memcpy(&header, bytes.data(), 8);
    CHECK((8 + header) % 64 == 0);
    file.arrays[0].shape = {3};
    CHECK_THROWS_WITH(to_safetensors(file), Contains("array 'b': the shape asks for 3 values, there are 2"));
}

TEST_CASE("safetensors: the same results give the same bytes, in order of names") {
    DataFile file;
    file.arrays.push_back({"b", {1}, std::vector<float>{1}});
    file.arrays.push_back({"a", {1}, std::vector<std::int32_t>{2}});
    file.metadata["k"] = "v";
    const std::string header =
        R"({"__metadata__":{"k":"v"},"a":{"data_offsets":[0,4],"dtype":"I32","shape":[1]},"b":{"data_offsets":[4,8],"dtype":"F32","shape":[1]}})";
    const std::string expected = std::string("\xb8\0\0\0\0\0\0\0", 8) + header + std::string(184 - header.size(), ' ') + std::string("\2\0\0\0\0\0\x80\x3f", 8);
    CHECK(to_safetensors(file) == expected);
    std::swap(file.arrays[0], file.arrays[1]);
    CHECK(to_safetensors(file) == expected);
}

TEST_CASE("safetensors: the smallest files, and text that is no UTF-8") {
    CHECK(parse_written(to_safetensors({})).tensors().empty());
    DataFile file;
    file.arrays.push_back({"scalar", {}, std::vector<float>{3}});
    file.arrays.push_back({"none", {0, 5}, std::vector<std::int32_t>{}});
    file.metadata["bad"] =
        "a\xff"
        "b";
    const std::string bytes = to_safetensors(file);
    const SafeTensors read = parse_written(bytes);
    CHECK(values<float>(read.at("scalar")) == std::vector<float>{3});
    CHECK(read.at("scalar").shape.empty());
    CHECK(read.at("none").shape == std::vector<std::uint64_t>{0, 5});
    CHECK(read.metadata().at("bad") ==
          "a\xEF\xBF\xBD"
          "b");
    file.arrays.push_back({"__metadata__", {0}, std::vector<float>{}});
    CHECK_THROWS_WITH(to_safetensors(file), Contains("cannot be called '__metadata__'"));
    file.arrays.back().name = "none";
    CHECK_THROWS_WITH(to_safetensors(file), Contains("two arrays are called 'none'"));
}

TEST_CASE("safetensors: a file written piece by piece, in any order, is the one made in memory") {
    test::TemporaryFolder folder;
    const auto path = folder.path() / "pieces.safetensors";
    DataFile file;
    file.arrays.push_back({"a", {3}, std::vector<float>{1, 2, 3}});
    file.arrays.push_back({"b", {1, 2}, std::vector<std::int32_t>{4, 5}});
    file.metadata["format"] = "pt";
    const std::string whole = to_safetensors(file), data = whole.substr(whole.size() - 20);
    const std::vector<TensorPlan> plans{{"a", Dtype::f32, {3}}, {"b", Dtype::i32, {1, 2}}};
    {
        SafetensorsWriter writer(path, plans, file.metadata);
        CHECK(writer.data_bytes() == 20);
        writer.write(data.substr(7), 7);
        writer.write(data.substr(0, 7), 0);
        CHECK_THROWS_WITH(writer.write("12", 19), Contains("pieces.safetensors: 2 bytes at 19 are beyond the 20 of its tensors"));
        CHECK_THROWS_WITH(writer.write("", 21), Contains("beyond"));
        writer.finish();
    }
    CHECK(read_text_file(path) == whole);
    { SafetensorsWriter unwritten(folder.path() / "zeros.safetensors", plans, file.metadata); }
    CHECK(read_text_file(folder.path() / "zeros.safetensors") == whole.substr(0, whole.size() - 20) + std::string(20, '\0'));
    CHECK_THROWS_WITH(SafetensorsWriter(path, plans, file.metadata), Contains("pieces.safetensors: cannot be written (File exists)"));
    CHECK_THROWS_WITH(SafetensorsWriter(folder.path() / "no" / "x", plans, {}), Contains("No such file or directory"));
}

TEST_CASE("safetensors: bytes of a planned tensor") {
    CHECK(TensorPlan{"x", Dtype::bf16, {3, 5}}.bytes() == 30);
    CHECK(TensorPlan{"x", Dtype::f64, {}}.bytes() == 8);
    CHECK_THROWS_WITH((TensorPlan{"x", Dtype::f32, {std::uint64_t{1} << 40, std::uint64_t{1} << 40}}.bytes()), Contains("tensor 'x': the shape is larger"));
    CHECK_THROWS_WITH((TensorPlan{"x", Dtype::other, {1}}.bytes()), Contains("tensor 'x': expected a type"));
}
