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
    const std::string mixed = file_of(R"({"z":{"dtype":"U8","shape":[0],"data_offsets":[1,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                      R"("m":{"dtype":"F4","shape":[2],"data_offsets":[1,2]}})", two);
    CHECK(parse(mixed).tensors()[1].name == "m");
    CHECK(parse(mixed).find("none") == nullptr);
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

TEST_CASE("safetensors: a file written by the official library") {
    // safetensors 0.8.0, safetensors.numpy.save of six arrays and metadata.
    const std::string header = R"({"__metadata__":{"format":"np","who":"caf)" "\xC3\xA9" R"("},"i":{"dtype":"I64","shape":[2],"data_offsets":[0,16]},)"
        R"("e":{"dtype":"F64","shape":[0,4],"data_offsets":[16,16]},"w.f32":{"dtype":"F32","shape":[1,3],"data_offsets":[16,28]},)"
        R"("h":{"dtype":"F16","shape":[2],"data_offsets":[28,32]},"s":{"dtype":"I8","shape":[],"data_offsets":[32,33]},)"
        R"("flag":{"dtype":"BOOL","shape":[3],"data_offsets":[33,36]}}       )";
    REQUIRE(header.size() == 0x188);
    const std::string data("\xf9\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\xc0\x3f\x00\x00\x00\xc0\x00\x00\x50\x40"
                           "\x00\x38\xff\xfb\xfd\x01\x00\x01", 36);
    const std::string bytes = file_of(header, data);
    const SafeTensors file = parse(bytes);
    CHECK(file.tensors().size() == 6);
    CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "np"}, {"who", "caf\xC3\xA9"}});
    CHECK(values<std::int64_t>(file.at("i")) == std::vector<std::int64_t>{-7, std::int64_t{1} << 40});
    CHECK(values<double>(file.at("w.f32")) == std::vector<double>{1.5, -2, 3.25});
    CHECK(values<float>(file.at("h")) == std::vector<float>{0.5, -65504});
    CHECK(values<int>(file.at("s")) == std::vector<int>{-3});
    CHECK(values<int>(file.at("flag")) == std::vector<int>{1, 0, 1});
    CHECK(file.at("e").shape == std::vector<std::uint64_t>{0, 4});
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_THROWS_AS(parse(bytes.substr(0, size)), Error);
    CHECK_THROWS_WITH(parse(bytes + "x"), Contains("found 1 trailing bytes"));
    CHECK_THROWS_WITH(parse(bytes.substr(0, bytes.size() - 2)), Contains("tensor 'flag': data_offsets: end 36 is beyond the 34 bytes of data"));
}

TEST_CASE("safetensors: every 16-bit pattern of both half types is the number it stands for") {
    std::vector<std::uint16_t> patterns(65536);
    for (std::size_t i = 0; i < patterns.size(); ++i) patterns[i] = static_cast<std::uint16_t>(i);
    const auto convert = [&](Dtype dtype) {
        TensorEntry entry;
        entry.dtype = dtype;
        entry.shape = {65536};
        entry.bytes = std::as_bytes(std::span(patterns));
        return values<float>(entry);
    };
    // sign, mantissa and exponent put together in double
    const auto number = [](int pattern, int mantissa_bits, int exponent_bits) {
        const int mantissa = pattern % (1 << mantissa_bits), exponent = (pattern >> mantissa_bits) % (1 << exponent_bits);
        const int bias = (1 << (exponent_bits - 1)) - 1;
        double value = exponent == 0 ? std::ldexp(mantissa, 1 - bias - mantissa_bits) : std::ldexp(mantissa + (1 << mantissa_bits), exponent - bias - mantissa_bits);
        if (exponent == (1 << exponent_bits) - 1) value = mantissa == 0 ? HUGE_VAL : NAN;
        return pattern >= 32768 ? -value : value;
    };
    const auto half = convert(Dtype::f16), brain = convert(Dtype::bf16);
    int wrong = 0;
    for (int i = 0; i < 65536; ++i) {
        for (const auto& [got, expected] : {std::pair<double, double>{half[i], number(i, 10, 5)}, {brain[i], number(i, 7, 8)}}) {
            const bool same = std::isnan(expected) ? std::isnan(got) : got == expected && std::signbit(got) == std::signbit(expected);
            wrong += same ? 0 : 1;
        }
    }
    CHECK(wrong == 0);
}

TEST_CASE("safetensors: whole numbers are converted or refused, never wrapped") {
    std::string data;
    const auto put = [&data](auto value) { data.append(reinterpret_cast<const char*>(&value), sizeof value); };
    put(std::int64_t{5'000'000'000});
    put(std::uint64_t{UINT64_MAX});
    put(std::int16_t{-1});
    put(std::int16_t{300});
    const std::string bytes = file_of(R"({"i64":{"dtype":"I64","shape":[1],"data_offsets":[0,8]},"u64":{"dtype":"U64","shape":[1],"data_offsets":[8,16]},)"
                                      R"("i16":{"dtype":"I16","shape":[2],"data_offsets":[16,20]}})", data);
    const SafeTensors file = parse(bytes);
    CHECK(values<std::int64_t>(file.at("i64")) == std::vector<std::int64_t>{5'000'000'000});
    CHECK(values<std::uint64_t>(file.at("u64")) == std::vector<std::uint64_t>{UINT64_MAX});
    CHECK(values<float>(file.at("i16")) == std::vector<float>{-1, 300});
    CHECK_THROWS_WITH(values<std::int32_t>(file.at("i64")), Contains("tensor 'i64': value 0 does not fit a 32-bit whole number"));
    CHECK_THROWS_WITH(values<std::int64_t>(file.at("u64")), Contains("tensor 'u64': value 0 does not fit a 64-bit whole number"));
    CHECK_THROWS_WITH(values<std::int8_t>(file.at("i16")), Contains("tensor 'i16': value 1 does not fit a 8-bit whole number"));
    CHECK_THROWS_WITH(values<std::uint32_t>(file.at("i16")), Contains("tensor 'i16': value 0 does not fit"));
    CHECK(dtype_name(Dtype::boolean) == "BOOL");
    CHECK(dtype_name(Dtype::bf16) == "BF16");
    CHECK(dtype_name(Dtype::other) == "other");
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
        {std::string("\3\0\0\0\0\0\0\0{}", 10), "header length: expected at most the 2 bytes that follow, found 3"},
        {file_of("{"), "header: not valid JSON"},
        {file_of("\xEF\xBB\xBF"), "not valid JSON"},
        {file_of("\xff\xfe{}"), "not valid JSON"},
        {file_of("\xEF\xBB\xBF{}"), "begins with a byte order mark"},
        {file_of(std::string("{}\0{}", 5)), "NUL byte at 2"},
        {file_of("{}x"), "not valid JSON"},
        {file_of("{\"a\xff\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"), "not valid JSON"},
        {file_of("{}", "x"), "expected the data to end at byte 0 of the buffer, found 1 trailing bytes"},
        {tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,8.0])"), "data_offsets: expected whole numbers, found 8.0"},
        {tensor(R"("dtype":"F32","shape":[2],"data_offsets":[-8,0])"), "data_offsets: expected whole numbers, found -8"},
        {tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551616])"), "data_offsets: expected whole numbers, found 1.8446744073709552e+19"},
        {tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,4,8])"), "data_offsets: expected a list of 2 to 2"},
        {tensor(R"("dtype":"F32","shape":null,"data_offsets":[0,8])"), "shape is missing"},
        {tensor(R"("dtype":"F32","shape":[2],"shape":[1],"data_offsets":[0,8])"), "the key 'shape' occurs twice"},
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
        {tensor(R"("dtype":"U8","shape":[9],"data_offsets":[0,9])"), "end 9 is beyond the 8 bytes of data"},
        {tensor(R"("dtype":"F32","shape":[1],"data_offsets":[0,8])"), "expected 4 bytes for shape [1] of F32, found 8"},
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
