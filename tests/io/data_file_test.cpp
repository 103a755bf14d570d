// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/data_file.hpp>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("an array's bytes are its values, and its shape must fit them") {
    const DataArray ids{"ids", {2}, std::vector<std::int32_t>{1, -2}};
    CHECK(ids.bytes() == std::string("\1\0\0\0\xfe\xff\xff\xff", 8));
    CHECK_FALSE(ids.is_float());
    const DataArray one{"one", {}, std::vector<float>{1}};
    CHECK(one.bytes() == std::string("\0\0\x80\x3f", 4));
    CHECK(one.is_float());
    CHECK(DataArray{"none", {3, 0}, std::vector<float>{}}.bytes().empty());
    CHECK_THROWS_WITH((DataArray{"few", {2, 2}, std::vector<float>{1, 2, 3}}.bytes()), "data file: array 'few': the shape asks for 4 values, there are 3");
    CHECK_THROWS_WITH((DataArray{"wrap", {1ULL << 32, 1ULL << 32}, std::vector<float>{}}.bytes()),
                      "data file: array 'wrap': the shape is larger than can be addressed");
}

TEST_CASE("names of arrays are plain, their own, and not the format's") {
    const auto check = [](const std::vector<std::string>& names) {
        DataFile file;
        for (const auto& name : names) file.arrays.push_back({name, {0}, std::vector<float>{}});
        check_array_names(file, "metadata");
    };
    CHECK_NOTHROW(check({"a", "b", "relevance.residual"}));
    CHECK_THROWS_WITH(check({"a", "b", "a"}), "data file: two arrays are called 'a'");
    CHECK_THROWS_WITH(check({"metadata"}), "data file: an array cannot be called 'metadata', which the format uses itself");
    const std::string rule = "data file: an array's name: expected 1 to 1000 printable ASCII characters, found '";
    CHECK_THROWS_WITH(check({""}), rule + "'");
    CHECK_THROWS_WITH(check({"a\nb"}), rule + "a\nb'");
    CHECK_THROWS_WITH(check({"caf\xC3\xA9"}), rule + "caf\xC3\xA9'");
    CHECK_THROWS_WITH(check({std::string(1001, 'x')}), rule + std::string(1001, 'x') + "'");
}
