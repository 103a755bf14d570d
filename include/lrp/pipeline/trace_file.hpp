// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string>
#include <utility>

#include <lrp/analysis/trace.hpp>
#include <lrp/io/data_file.hpp>

namespace lrp {

/// A trace as named arrays, the public format of .npz and .safetensors files (docs/formats.md): ids [T], target [1] (int32), logits [V],
/// embedding [T], residual [L, T], head [L, T, H], neuron [L, T, F] (float32, raw); arrays that the trace lacks are left out. The
/// metadata is trace_metadata's. `format`: what the metadata calls a file that holds more than a trace.
[[nodiscard]] inline DataFile trace_file(const Trace& trace, const std::string& format = "lrpxx-trace") {
    const auto wide = [](std::size_t value) { return static_cast<std::uint64_t>(value); };
    const std::uint64_t tokens = wide(trace.tokens_count), layers = wide(trace.layers);
    DataFile file;
    const auto add = [&](const char* name, std::vector<std::uint64_t> shape, const auto& values) {
        if (!values.empty()) file.arrays.push_back({name, std::move(shape), values});
    };
    add("ids", {tokens}, trace.ids);
    add("target", {1}, std::vector<std::int32_t>{trace.target});
    add("logits", {wide(trace.logits.size())}, trace.logits);
    add("embedding", {tokens}, trace.embedding);
    add("residual", {layers, tokens}, trace.residual);
    add("head", {layers, tokens, wide(trace.heads)}, trace.head);
    add("neuron", {layers, tokens, wide(trace.neurons)}, trace.neuron);
    file.metadata = trace_metadata(trace, format);
    return file;
}

/// Adds a trace to a file of many (format "lrpxx-traces", version 1): its arrays and its metadata are called `index`, a dot, and what they are called in a
/// file of their own; `prompts` says how many there are.
inline void add_trace(DataFile& file, const Trace& trace, std::size_t index) {
    const std::string prefix = std::to_string(index) + ".";
    DataFile one = trace_file(trace);
    for (DataArray& array : one.arrays) {
        array.name.insert(0, prefix);
        file.arrays.push_back(std::move(array));
    }
    for (auto& [key, value] : one.metadata) file.metadata[prefix + key] = std::move(value);
    file.metadata["format"] = "lrpxx-traces";
    file.metadata["format_version"] = "1";
    file.metadata["prompts"] = std::to_string(index + 1);
}

}  // namespace lrp
