// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/npz_read.hpp>

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
