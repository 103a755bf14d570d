// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include <lrp/core/error.hpp>

namespace lrp {

/// One named array, row-major.
struct DataArray {
    std::string name;
    std::vector<std::uint64_t> shape;
    std::variant<std::vector<float>, std::vector<std::int32_t>> values;

    [[nodiscard]] bool is_float() const { return values.index() == 0; }
    /// The values as they lie in memory, little-endian. Error if shape and count disagree.
    [[nodiscard]] std::string bytes() const {
        std::uint64_t count = 1;
        for (const auto extent : shape) count *= extent;
        return std::visit(
            [&](const auto& list) {
                require(list.size() == count, "data file: array '", name, "': the shape asks for ", count, " values, there are ", list.size());
                return std::string(reinterpret_cast<const char*>(list.data()), list.size() * sizeof(list[0]));
            },
            values);
    }
};

/// What a result file holds: arrays, and text about them.
struct DataFile {
    std::vector<DataArray> arrays;
    std::map<std::string, std::string> metadata;
};

}  // namespace lrp
