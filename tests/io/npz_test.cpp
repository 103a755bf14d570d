// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/npz.hpp>

#include <cstring>

#include "support/catch.hpp"

using namespace lrp;

namespace {

template <class T>
T number(const std::string& bytes, std::size_t at) {
    T value;
    std::memcpy(&value, bytes.data() + at, sizeof value);
    return value;
}

/// The members of a stored zip, read from its directory as a zip reader would.
std::map<std::string, std::string> members(const std::string& zip) {
    std::map<std::string, std::string> out;
    const std::size_t end = zip.size() - 22;
    REQUIRE(zip.substr(end, 4) == "PK\x05\x06");
    std::size_t at = number<std::uint32_t>(zip, end + 16);
    for (unsigned i = 0; i < number<std::uint16_t>(zip, end + 10); ++i) {
        REQUIRE(zip.substr(at, 4) == "PK\x01\x02");
        const auto crc = number<std::uint32_t>(zip, at + 16), size = number<std::uint32_t>(zip, at + 24), local = number<std::uint32_t>(zip, at + 42);
        const auto name_size = number<std::uint16_t>(zip, at + 28);
        const std::string name = zip.substr(at + 46, name_size);
        REQUIRE(zip.substr(local, 4) == "PK\x03\x04");
        const std::string data = zip.substr(local + 30 + name_size, size);
        CHECK(::crc32(0, reinterpret_cast<const Bytef*>(data.data()), static_cast<uInt>(data.size())) == crc);
        out[name] = data;
        at += 46u + name_size;
    }
    return out;
}

}  // namespace

TEST_CASE("npz: members, headers and values are where numpy looks for them") {
    DataFile file;
    file.arrays.push_back({"residual", {2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6}});
    file.arrays.push_back({"ids", {2}, std::vector<std::int32_t>{-1, 70000}});
    file.metadata["prompt"] = "caf\xC3\xA9 \xF0\x9F\x99\x82";
    const std::string zip = to_npz(file);
    CHECK(zip == to_npz(file));
    const auto inside = members(zip);
    REQUIRE(inside.size() == 3);
    const std::string& residual = inside.at("residual.npy");
    CHECK(residual.substr(0, 8) == std::string("\x93NUMPY\x01\x00", 8));
    const auto header = number<std::uint16_t>(residual, 8);
    CHECK((10 + header) % 64 == 0);
    CHECK(residual.substr(10, header).find("{'descr': '<f4', 'fortran_order': False, 'shape': (2,3,), }") == 0);
    CHECK(number<float>(residual, 10u + header + 20) == 6.0f);
    const std::string& ids = inside.at("ids.npy");
    CHECK(ids.find("'<i4'") != std::string::npos);
    CHECK(number<std::int32_t>(ids, ids.size() - 4) == 70000);
    const std::string& metadata = inside.at("metadata.npy");
    CHECK(metadata.find("'shape': ()") != std::string::npos);
    const auto start = 10u + number<std::uint16_t>(metadata, 8);
    std::u32string text(reinterpret_cast<const char32_t*>(metadata.data() + start), (metadata.size() - start) / 4);
    CHECK(text == U"{\"prompt\":\"caf\u00e9 \U0001F642\"}");
}

TEST_CASE("npz: scalars, empty arrays, no metadata, and names that cannot be") {
    const auto inside = members(to_npz({}));
    REQUIRE(inside.size() == 1);
    CHECK_THAT(inside.at("metadata.npy"), Catch::Matchers::Contains("{'descr': '<U2', 'fortran_order': False, 'shape': (), }"));
    DataFile file;
    file.arrays.push_back({"scalar", {}, std::vector<float>{2.5f}});
    file.arrays.push_back({"none", {0, 3}, std::vector<std::int32_t>{}});
    const auto both = members(to_npz(file));
    const std::string& scalar = both.at("scalar.npy");
    CHECK_THAT(scalar, Catch::Matchers::Contains("'shape': (), }"));
    CHECK(scalar.size() % 64 == 4);
    CHECK(number<float>(scalar, scalar.size() - 4) == 2.5f);
    CHECK_THAT(both.at("none.npy"), Catch::Matchers::Contains("'shape': (0,3,), }"));
    CHECK(both.at("none.npy").size() % 64 == 0);
    file.arrays.push_back({"metadata", {0}, std::vector<float>{}});
    CHECK_THROWS_WITH(to_npz(file), "data file: an array cannot be called 'metadata', which the format uses itself");
    file.arrays.back().name = "scalar";
    CHECK_THROWS_WITH(to_npz(file), "data file: two arrays are called 'scalar'");
    file.arrays.back() = {"few", {2}, std::vector<float>{1}};
    CHECK_THROWS_WITH(to_npz(file), "data file: array 'few': the shape asks for 2 values, there are 1");
}
