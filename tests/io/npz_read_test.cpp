// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/npz_read.hpp>

#include <cstring>

#include <lrp/io/npz.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

DataFile some_arrays() {
    DataFile file;
    file.arrays.push_back({"values", {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}});
    file.arrays.push_back({"ids", {4}, std::vector<std::int32_t>{7, -8, 9, 10}});
    file.arrays.push_back({"none", {0}, std::vector<float>{}});
    return file;
}

}  // namespace

TEST_CASE("what was written as npz is read back") {
    const std::string bytes = to_npz(some_arrays());
    const NpzReader file(bytes, "t.npz");
    std::vector<float> values(6);
    std::vector<std::int32_t> ids(4);
    file.read<float>("values", "<f4", {2, 3}, values);
    file.read<std::int32_t>("ids", "<i4", {4}, ids);
    CHECK((values == std::vector<float>{1, 2, 3, 4, 5, 6} && ids == std::vector<std::int32_t>{7, -8, 9, 10}));
    CHECK(file.arrays().size() == 4);
    CHECK_THROWS_WITH(file.read<float>("other", "<f4", {2, 3}, values), Contains("t.npz: array 'other' is missing"));
    CHECK_THROWS_WITH(file.read<float>("values", "<f4", {3, 2}, values), Contains("expected <f4 [3, 2], found <f4 [2, 3]"));
    CHECK_THROWS_WITH(file.read<float>("ids", "<f4", {4}, values), Contains("found <i4 [4]"));
}

TEST_CASE("an archive that was cut or changed anywhere is refused, or changes nothing that is read") {
    const std::string bytes = to_npz(some_arrays());
    for (std::size_t size = 0; size < bytes.size(); ++size) CHECK_THROWS_AS(NpzReader(std::string_view(bytes).substr(0, size), "t"), Error);
    std::size_t refused = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
        std::string damaged = bytes;
        damaged[at] = static_cast<char>(damaged[at] ^ 0x41);
        try {
            const NpzReader file(damaged, "t");
            std::vector<float> values(6);
            file.read<float>("values", "<f4", {2, 3}, values);
            CHECK(values == std::vector<float>{1, 2, 3, 4, 5, 6});
        } catch (const Error&) {
            ++refused;
        }
    }
    CHECK(refused > bytes.size() / 2);
}

TEST_CASE("archives of other writers, and every way in which one can be wrong") {
    const auto u16 = [](std::string& bytes, std::size_t at, std::uint16_t value) { std::memcpy(bytes.data() + at, &value, 2); };
    const auto u32 = [](std::string& bytes, std::size_t at, std::uint32_t value) { std::memcpy(bytes.data() + at, &value, 4); };
    const auto archive = [](const std::string& member) {
        lrp::detail::ZipWriter zip;
        zip.add("a.npy", member);
        return zip.finish();
    };
    const auto read = [](const std::string& bytes) {
        std::vector<float> values(2);
        NpzReader(bytes, "t").read<float>("a", "<f4", {2}, values);
        return values;
    };
    const std::vector<float> two{1.5f, -2};
    const std::string data(reinterpret_cast<const char*>(two.data()), 8), member = lrp::detail::npy("<f4", {2}, data), plain = archive(member);
    CHECK(read(plain) == two);
    CHECK(plain.substr(10, 4) == std::string("\0\0\x21\0", 4));  // midnight of 1980-01-01, the first date there is
    const std::size_t end = plain.size() - 22, directory = end - 46 - 5;

    std::string extra = plain;  // numpy's own writer puts an extra field behind a member's name
    u16(extra, 28, 4);
    u32(extra, end + 16, static_cast<std::uint32_t>(directory + 4));
    CHECK(read(extra.insert(35, "more")) == two);
    std::string comment = plain;  // and others a comment in the directory
    u16(comment, directory + 32, 3);
    CHECK(read(comment.insert(end, "say")) == two);
    const std::vector<std::uint64_t> ones(150, 1);  // a header longer than 256 bytes
    std::vector<float> one(1);
    NpzReader(archive(lrp::detail::npy("<f4", ones, data.substr(0, 4))), "t").read<float>("a", "<f4", ones, one);
    CHECK(one == std::vector<float>{1.5f});

    const auto refused = [&](const std::string& bytes, const std::string& message) { CHECK_THROWS_WITH(read(bytes), Contains(message)); };
    std::string packed = plain, beyond = plain, behind = plain;
    u16(packed, directory + 10, 8);
    refused(packed, "expected a stored member, found compression method 8");
    u32(beyond, directory + 20, static_cast<std::uint32_t>(plain.size()));
    refused(beyond, "it lies beyond the end of the file");
    refused(behind.insert(end, "12345"), "the archive's directory is damaged");
    for (const char* more : {"1234", "1"}) refused(archive(lrp::detail::npy("<f4", {2}, data + more)), "its size is not that of its shape");
    std::string turned = member, cut = member;
    turned.replace(turned.find("False"), 5, "True ");
    refused(archive(turned), "expected C order");
    u16(cut, 8, 60000);
    refused(archive(cut), "its header is damaged");
}
