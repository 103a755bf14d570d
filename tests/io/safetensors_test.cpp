// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/safetensors.hpp>

#include <cmath>
#include <random>

#include <lrp/io/safetensors_write.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

std::string file_of(const std::string& header, const std::string& data = {}) {
    const std::uint64_t length = header.size();
    std::string out(8, '\0');
    std::memcpy(out.data(), &length, 8);
    return out + header + data;
}
SafeTensors parse(const std::string& bytes) { return SafeTensors::parse({reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()}, "file.safetensors"); }

}  // namespace

TEST_CASE("safetensors: what must be accepted") {
    CHECK(parse(file_of("{}")).tensors().empty());
    CHECK(parse(file_of("  {} \n ")).tensors().empty());
    const std::string two(2, 'x');
    const std::string scalar = file_of(R"({"a":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"b":{"dtype":"I8","shape":[1],"data_offsets":[1,2],"more":3}})", two);
    CHECK(parse(scalar).at("a").count() == 1);
    const std::string empty = file_of(R"({"e":{"dtype":"F32","shape":[3,0],"data_offsets":[0,0]}})");
    CHECK(values<float>(parse(empty).at("e")).empty());
    const std::string opaque = file_of(R"({"f":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}})", two);
    CHECK_THROWS_WITH(values<float>(parse(opaque).at("f")), Contains("file.safetensors: tensor 'f': values of type F8_E4M3 cannot be read"));
    const std::string meta = file_of(R"({"__metadata__":{"k":"v"}})");
    CHECK(parse(meta).metadata().at("k") == "v");
}

TEST_CASE("safetensors: values at odd addresses, of every type") {
    std::string data(1, '\x7f');
    const auto put = [&data](auto value) { data.append(reinterpret_cast<const char*>(&value), sizeof value); };
    put(1.5f);
    put(-2.25);
    put(std::int64_t{-3});
    put(std::uint16_t{0x3fc0});  // bf16 1.5
    put(std::uint16_t{0xbe00});  // f16 -1.5
    const std::string bytes = file_of(R"({"pad":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"f":{"dtype":"F32","shape":[1],"data_offsets":[1,5]},)"
                                      R"("d":{"dtype":"F64","shape":[1],"data_offsets":[5,13]},"i":{"dtype":"I64","shape":[1],"data_offsets":[13,21]},)"
                                      R"("b":{"dtype":"BF16","shape":[1],"data_offsets":[21,23]},"h":{"dtype":"F16","shape":[1],"data_offsets":[23,25]}})",
                                      data);
    const SafeTensors file = parse(bytes);
    CHECK(values<double>(file.at("f")) == std::vector<double>{1.5});
    CHECK(values<float>(file.at("d")) == std::vector<float>{-2.25f});
    CHECK(values<std::int32_t>(file.at("i")) == std::vector<std::int32_t>{-3});
    CHECK(values<float>(file.at("b")) == std::vector<float>{1.5f});
    CHECK(values<float>(file.at("h")) == std::vector<float>{-1.5f});
    CHECK(values<float>(file.at("pad")) == std::vector<float>{127});
    CHECK_THROWS_WITH(values<std::int32_t>(file.at("f")), Contains("tensor 'f': expected whole numbers, found F32"));
    CHECK_THROWS_WITH(file.at("none"), Contains("file.safetensors: tensor 'none' is missing"));
    std::vector<float> three(3);
    CHECK_THROWS_WITH(copy_values<float>(file.at("f"), three), Contains("expected 3 values, found shape [1]"));
}

TEST_CASE("safetensors: what must be refused, and why") {
    struct Case {
        std::string bytes, message;
    };
    const auto tensor = [](const std::string& fields) { return file_of("{\"t\":{" + fields + "}}", "abcdefgh"); };
    std::string huge = file_of("{}");
    huge[6] = 1;
    std::string beyond = file_of("{}");
    beyond[1] = 1;
    const std::vector<Case> cases{
        {"", "expected a safetensors file of at least 8 bytes, found 0"},
        {"1234567", "at least 8 bytes, found 7"},
        {"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer"},
        {huge, "header length: expected at most 100000000"},
        {beyond, "header length: expected at most the 2 bytes that follow, found 258"},
        {file_of("{"), "header: not valid JSON"},
        {file_of("\xEF\xBB\xBF"), "not valid JSON"},
        {file_of("\xff\xfe{}"), "not valid JSON"},
        {file_of("[]"), "header: expected a JSON object, found array"},
        {file_of("null"), "expected a JSON object, found null"},
        {file_of(R"({"__metadata__":{"k":1}})"), "__metadata__: k: expected a string, found number"},
        {file_of(R"({"__metadata__":[]})"), "__metadata__: expected an object of strings, found array"},
        {file_of(R"({"t":3})"), "tensor 't': expected a JSON object, found number"},
        {tensor(R"("shape":[2],"data_offsets":[0,8])"), "tensor 't': dtype is missing"},
        {tensor(R"("dtype":"f32","shape":[2],"data_offsets":[0,8])"), "dtype: expected a safetensors type such as F32 or BF16, found 'f32'"},
        {tensor(R"("dtype":7,"shape":[2],"data_offsets":[0,8])"), "dtype: expected a string, found 7"},
        {tensor(R"("dtype":"F32","data_offsets":[0,8])"), "shape is missing"},
        {tensor(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"), "shape: expected whole numbers, found -2"},
        {tensor(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"), "shape: expected whole numbers, found 2.0"},
        {tensor(R"("dtype":"F32","shape":"2","data_offsets":[0,8])"), "shape: expected a list"},
        {tensor(R"("dtype":"F32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,2],"data_offsets":[0,8])"), "shape: expected a list of 0 to 16"},
        {tensor(R"("dtype":"F32","shape":[2])"), "data_offsets is missing"},
        {tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0])"), "data_offsets: expected a list of 2 to 2"},
        {tensor(R"("dtype":"F32","shape":[2],"data_offsets":["0",8])"), "data_offsets: expected whole numbers, found \"0\""},
        {tensor(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"), "data_offsets: expected begin <= end, found [8, 0]"},
        {tensor(R"("dtype":"F32","shape":[3],"data_offsets":[0,12])"), "end 12 is beyond the 8 bytes of data"},
        {tensor(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"), "expected 12 bytes for shape [3] of F32, found 8"},
        {tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,4])"), "found 4 trailing bytes"},
        {tensor(R"("dtype":"F32","shape":[1],"data_offsets":[4,8])"), "expected its data to begin at 0, found 4 (leaves a hole)"},
        {tensor(R"("dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8])"), "is larger than can be addressed"},
        {tensor(R"("dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,8])"), "is larger than can be addressed"},
        {tensor(R"("dtype":"F4","shape":[3],"data_offsets":[0,1])"), "expected 1 bytes for shape [3] of F4"},
        {file_of(R"({"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]},"b":{"dtype":"U8","shape":[4],"data_offsets":[4,8]}})", "abcdefgh"), "overlaps another tensor"},
        {file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "a"), "the key 'a' occurs twice"},
        {file_of("{\"a\\u0000b\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", "a"), "holds a NUL"},
        {file_of("{\"" + std::string(5000, 'n') + "\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}", "a"), "longer than 4096 bytes"},
        {file_of(std::string(500000, '[')), "nests deeper"},
    };
    for (const Case& one : cases) {
        INFO(one.message);
        CHECK_THROWS_WITH(parse(one.bytes), Contains("file.safetensors") && Contains(one.message));
    }
}

TEST_CASE("safetensors: random damage ends in a result or an Error, nothing else") {
    DataFile file;
    file.arrays.push_back({"weights", {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}});
    file.arrays.push_back({"ids", {3}, std::vector<std::int32_t>{1, 2, 3}});
    file.metadata["note"] = "x";
    const std::string good = to_safetensors(file);
    CHECK(parse(good).tensors().size() == 2);
    std::mt19937 random(1);
    int refused = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string bad = good;
        for (unsigned long k = 0, n = 1 + random() % 4; k < n; ++k) bad[random() % bad.size()] = static_cast<char>(random());
        if (random() % 4 == 0) bad.resize(random() % bad.size());
        try {
            const SafeTensors read = parse(bad);
            for (const auto& entry : read.tensors()) CHECK(entry.bytes.size() <= bad.size());
        } catch (const Error&) {
            ++refused;
        }
    }
    CHECK(refused > 5000);
}

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
