// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstring>

#include <nlohmann/json.hpp>

#include <lrp/io/data_file.hpp>

namespace lrp {

/// A data file as safetensors: arrays by name (all of 4-byte types), metadata as strings, the header padded with spaces so that the data
/// begins at a multiple of 64 bytes. Same input, same bytes. Error as check_array_names and DataArray::bytes, and for a header of more than
/// the 100,000,000 bytes that readers accept.
[[nodiscard]] inline std::string to_safetensors(const DataFile& file) {
    check_array_names(file, "__metadata__");
    std::vector<const DataArray*> order;
    for (const DataArray& array : file.arrays) order.push_back(&array);
    std::sort(order.begin(), order.end(), [](const DataArray* a, const DataArray* b) { return a->name < b->name; });
    nlohmann::json header = nlohmann::json::object();
    if (!file.metadata.empty()) header["__metadata__"] = file.metadata;
    std::string data;
    for (const DataArray* array : order) {
        const std::size_t begin = data.size();
        data += array->bytes();
        header[array->name] = {
            {"dtype", array->is_float() ? "F32" : "I32"}, {"shape", array->shape}, {"data_offsets", {begin, data.size()}}};
    }
    std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    require(text.size() <= 99'999'900, "data file: the header of ", text.size(), " bytes is longer than safetensors allows");
    text.append((64 - (8 + text.size()) % 64) % 64, ' ');
    const std::uint64_t length = text.size();
    std::string result(8, '\0');
    std::memcpy(result.data(), &length, 8);
    result.reserve(8 + text.size() + data.size());
    return result.append(text).append(data);
}

}  // namespace lrp
