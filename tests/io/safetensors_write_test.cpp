// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/safetensors_write.hpp>

#include <lrp/io/safetensors.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {
SafeTensors parse(const std::string& bytes) { return SafeTensors::parse({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "file.safetensors"); }
}  // namespace

TEST_CASE("safetensors: what is written is read back, aligned") {
    DataFile file;
    file.arrays.push_back({"b", {2}, std::vector<float>{1.5f, -2}});
    file.arrays.push_back({"a", {1, 1}, std::vector<std::int32_t>{7}});
    file.metadata["prompt"] = "caf\xC3\xA9 \"x\"";
    const std::string bytes = to_safetensors(file);
    const SafeTensors read = parse(bytes);
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
    const std::string header = R"({"__metadata__":{"k":"v"},"a":{"data_offsets":[0,4],"dtype":"I32","shape":[1]},"b":{"data_offsets":[4,8],"dtype":"F32","shape":[1]}})";
    const std::string expected = std::string("\xb8\0\0\0\0\0\0\0", 8) + header + std::string(184 - header.size(), ' ') + std::string("\2\0\0\0\0\0\x80\x3f", 8);
    CHECK(to_safetensors(file) == expected);
    std::swap(file.arrays[0], file.arrays[1]);
    CHECK(to_safetensors(file) == expected);
}

TEST_CASE("safetensors: the smallest files, and text that is no UTF-8") {
    CHECK(parse(to_safetensors({})).tensors().empty());
    DataFile file;
    file.arrays.push_back({"scalar", {}, std::vector<float>{3}});
    file.arrays.push_back({"none", {0, 5}, std::vector<std::int32_t>{}});
    file.metadata["bad"] = "a\xff" "b";
    const std::string bytes = to_safetensors(file);
    const SafeTensors read = parse(bytes);
    CHECK(values<float>(read.at("scalar")) == std::vector<float>{3});
    CHECK(read.at("scalar").shape.empty());
    CHECK(read.at("none").shape == std::vector<std::uint64_t>{0, 5});
    CHECK(read.metadata().at("bad") == "a\xEF\xBF\xBD" "b");
    file.arrays.push_back({"__metadata__", {0}, std::vector<float>{}});
    CHECK_THROWS_WITH(to_safetensors(file), Contains("cannot be called '__metadata__'"));
    file.arrays.back().name = "none";
    CHECK_THROWS_WITH(to_safetensors(file), Contains("two arrays are called 'none'"));
}
