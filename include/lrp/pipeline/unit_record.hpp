// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// One unit of a store with everything that is known of it, ready to be shown.
#pragma once

#include <array>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lrp/pipeline/unit_name.hpp>

namespace lrp {

/// One entry of a list with its surroundings; the window is the positions [begin, end) of the document.
struct UnitEntry {
    float value = 0;
    Place place;
    std::int32_t begin = 0, end = 0;
    std::vector<std::int32_t> ids;                    ///< of the window
    std::array<std::vector<float>, 2> window_values;  ///< activation and relevance at each position of the window
};

struct UnitStatistics {
    double mean = 0, variance = 0, positive = 0;
    std::uint64_t count = 0;
    std::array<double, 9> quantiles{};  ///< at 0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999
    std::vector<std::uint32_t> sketch;
    static constexpr std::array<double, 9> at{0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999};
};

struct UnitRecord {
    UnitName name;
    std::array<std::vector<UnitEntry>, 4> lists;  ///< as list_names
    std::array<UnitStatistics, 2> statistics;     ///< as quantity_names
};

/// Reads a unit from its layer's summary. `store` gives the documents.
[[nodiscard]] inline UnitRecord unit_record(NeuronStore& store, const UnitName& name, const UnitSummary& summary) {
    UnitRecord record;
    record.name = name;
    const Index unit = static_cast<Index>(name.unit), width = summary.shape().width();
    std::map<std::int32_t, std::vector<std::int32_t>> documents;
    for (std::size_t which = 0; which < 4; ++which)
        for (const TopEntry& entry : summary.list(which).entries(unit)) {
            auto [at, fresh] = documents.try_emplace(entry.place.document);
            if (fresh) at->second = store.document(entry.place.document).ids;
            const auto length = static_cast<std::int32_t>(at->second.size());
            require(entry.place.position >= 0 && entry.place.position < length, store.folder().string(), ": ", name.text(), ": position ", entry.place.position,
                    " is beyond document ", entry.place.document);
            UnitEntry out{entry.value, entry.place, 0, 0, {}, {}};
            const auto first = entry.place.position - static_cast<std::int32_t>(summary.shape().before);
            out.begin = std::max(0, first);
            out.end = std::min(length, first + static_cast<std::int32_t>(width));
            out.ids.assign(at->second.begin() + out.begin, at->second.begin() + out.end);
            const auto window = summary.list(which).window(unit, entry);
            for (std::size_t q = 0; q < 2; ++q)
                for (std::int32_t t = out.begin; t < out.end; ++t)
                    out.window_values[q].push_back(static_cast<float>(window[q * static_cast<std::size_t>(width) + static_cast<std::size_t>(t - first)]));
            record.lists[which].push_back(std::move(out));
        }
    for (std::size_t q = 0; q < 2; ++q) {
        const UnitSummary::Statistics& from = summary.statistics(q);
        UnitStatistics& to = record.statistics[q];
        const auto sketch = from.sketch_of(unit);
        to.sketch.assign(sketch.begin(), sketch.end());
        to.count = QuantileSketch::total(sketch);
        for (std::size_t i = 0; i < to.at.size(); ++i) to.quantiles[i] = QuantileSketch::quantile(sketch, to.at[i]);
        if (to.count == 0) continue;
        to.mean = from.sum[static_cast<std::size_t>(unit)].value() / static_cast<double>(to.count);
        to.variance = from.squares[static_cast<std::size_t>(unit)].variance(from.sum[static_cast<std::size_t>(unit)], to.count);
        to.positive = static_cast<double>(QuantileSketch::positive(sketch)) / static_cast<double>(to.count);
    }
    return record;
}

/// The record as JSON, format "lrpxx-unit" version 1 (docs/store.md): the four lists, statistics, labels, and tokens the unit goes with.
[[nodiscard]] inline nlohmann::ordered_json unit_json(NeuronStore& store, const UnitRecord& record, const std::vector<std::string>& tokens) {
    using Json = nlohmann::ordered_json;
    const auto text = [&](std::int32_t id) { return id >= 0 && static_cast<std::size_t>(id) < tokens.size() ? tokens[static_cast<std::size_t>(id)] : std::to_string(id); };
    Json out = {{"format", "lrpxx-unit"}, {"format_version", 1}, {"site", record.name.site}, {"layer", record.name.layer}, {"unit", record.name.unit}};
    out["labels"] = Json::array();
    for (const StoredLabel& label : store.labels_of(record.name.site, record.name.layer, record.name.unit)) {
        Json one = {{"pole", label.pole}, {"source", label.source}, {"label", label.label}};
        if (!std::isnan(label.score)) one.update({{"score", label.score}, {"null_mean", label.null_mean}, {"null_high", label.null_high}});
        out["labels"].push_back(one);
    }
    out["tokens"] = Json::object();
    for (const StoredUnitToken& token : store.tokens_of(record.name.site, record.name.layer, record.name.unit))
        out["tokens"][token.kind + "_" + token.pole].push_back({{"token", text(static_cast<std::int32_t>(token.token))}, {"token_id", token.token}, {"score", token.score}});
    for (std::size_t which = 0; which < 4; ++which) {
        Json list = Json::array();
        for (const UnitEntry& entry : record.lists[which]) {
            Json one = {{"value", entry.value},
                        {"document", entry.place.document},
                        {"position", entry.place.position},
                        {"token", text(entry.ids[static_cast<std::size_t>(entry.place.position - entry.begin)])},
                        {"token_id", entry.ids[static_cast<std::size_t>(entry.place.position - entry.begin)]},
                        {"begin", entry.begin},
                        {"end", entry.end}};
            for (const std::int32_t id : entry.ids) one["tokens"].push_back(text(id));
            for (std::size_t q = 0; q < 2; ++q) one[std::string(quantity_names[q])] = entry.window_values[q];
            list.push_back(std::move(one));
        }
        out[std::string(list_names[which])] = std::move(list);
    }
    for (std::size_t q = 0; q < 2; ++q) {
        const UnitStatistics& s = record.statistics[q];
        Json quantiles = Json::array();
        for (std::size_t i = 0; i < s.at.size(); ++i) quantiles.push_back({s.at[i], s.quantiles[i]});
        out["statistics"][std::string(quantity_names[q])] = {{"count", s.count}, {"mean", s.mean}, {"variance", s.variance}, {"positive", s.positive}, {"quantiles", quantiles}};
    }
    return out;
}

}  // namespace lrp
