// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/analysis/neurons.hpp>
#include <lrp/pipeline/trace_file.hpp>

namespace lrp {

/// A unit report as named arrays (docs/formats.md): those of its trace, neuron_activation [L, T, F], head_activation [L, T, H], and the ranking as
/// top_neuron and top_head [N, 4] (int32: layer, index, position, sign) with top_neuron_values and top_head_values [N, 3] (float32: activation, relevance,
/// share of the explained value).
[[nodiscard]] inline DataFile units_file(const UnitReport& report) {
    const auto wide = [](std::size_t value) { return static_cast<std::uint64_t>(value); };
    const Trace& trace = report.trace;
    DataFile file = trace_file(trace, "lrpxx-units");
    file.arrays.push_back({"neuron_activation", {wide(trace.layers), wide(trace.tokens_count), wide(trace.neurons)}, report.neuron_activation});
    file.arrays.push_back({"head_activation", {wide(trace.layers), wide(trace.tokens_count), wide(trace.heads)}, report.head_activation});
    const auto add = [&](const std::string& name, const std::vector<UnitRelevance>& units) {
        std::vector<std::int32_t> places;
        std::vector<float> values;
        for (const UnitRelevance& unit : units) {
            for (const Index number : {unit.layer, unit.unit, static_cast<Index>(unit.token), static_cast<Index>(unit.sign())}) places.push_back(static_cast<std::int32_t>(number));
            for (const double value : {unit.activation, unit.relevance, unit.share}) values.push_back(static_cast<float>(value));
        }
        file.arrays.push_back({name, {wide(units.size()), 4}, std::move(places)});
        file.arrays.push_back({name + "_values", {wide(units.size()), 3}, std::move(values)});
    };
    add("top_neuron", report.neurons);
    add("top_head", report.heads);
    return file;
}

}  // namespace lrp
