// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

#include <lrp/io/data_file.hpp>

namespace lrp {

/// A data file as safetensors: arrays by name (all of 4-byte types), metadata as strings, the header padded with spaces so that the data
/// begins at a multiple of 64 bytes.
[[nodiscard]] inline std::string to_safetensors(const DataFile& file) {
    std::vector<const DataArray*> order;
    for (const DataArray& array : file.arrays) order.push_back(&array);
    std::sort(order.begin(), order.end(), [](const DataArray* a, const DataArray* b) { return a->name < b->name; });
    nlohmann::json header = nlohmann::json::object();
    if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
    std::string data;
    for (const DataArray* array : order) {
        const std::size_t begin = data.size();
        data += array->bytes();
        header[array->name] = {{"dtype", array->is_float() ? "F32" : "I32"}, {"shape", array->shape}, {"data_offsets", {begin, data.size()}}};
    }
    std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    text.append((64 - (8 + text.size()) % 64) % 64, ' ');
    const std::uint64_t length = text.size();
    std::string result(8, '\0');
    std::memcpy(result.data(), &length, 8);
    return result + text + data;
}

}  // namespace lrp
