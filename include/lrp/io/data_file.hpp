// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <lrp/core/error.hpp>

namespace lrp {

static_assert(std::endian::native == std::endian::little, "arrays are written as they lie in memory");

/// One named array, row-major.
struct DataArray {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::variant<std::vector<float>, std::vector<std::int32_t>> values;

    [[nodiscard]] bool is_float() const { return values.index() == 0; }
    /// The values as they lie in memory, little-endian. Error if shape and count disagree.
    [[nodiscard]] std::string bytes() const {
        std::uint64_t count = 1;
        for (const auto extent : shape)
            require(!__builtin_mul_overflow(count, extent, &count), "data file: array '", name,
                    "': the shape is larger than can be addressed");
        return std::visit(
            [&](const auto& list) {
                require(list.size() == count, "data file: array '", name, "': the shape asks for ", count, " values, there are ",
                        list.size());
                return std::string(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(list[0]));
            },
            values);
    }
};

/// What a result file holds: arrays, and text about them. Text that is not UTF-8 is written with U+FFFD in place of the bad bytes.
struct DataFile {
    std::vector<DataArray> arrays;
    std::map<std::string, std::string> metadata;
};

/// Error unless every array has a name of its own, of 1 to 1000 printable ASCII characters, that is not the one `reserved` by the format.
inline void check_array_names(const DataFile& file, std::string_view reserved) {
    std::set<std::string_view> seen;
    for (const DataArray& array : file.arrays) {
        const bool plain = std::all_of(array.name.begin(), array.name.end(), [](char c) { return c >= ' ' && c <= '~'; });
        require(plain && !array.name.empty() && array.name.size() <= 1000,
                "data file: an array's name: expected 1 to 1000 printable ASCII characters, found '", array.name, "'");
        require(array.name != reserved, "data file: an array cannot be called '", reserved, "', which the format uses itself");
        require(seen.insert(array.name).second, "data file: two arrays are called '", array.name, "'");
    }
}

}  // namespace lrp
