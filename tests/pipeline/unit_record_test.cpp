// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What a store says of a unit, against all the values it had.
#include <lrp/pipeline/unit_record.hpp>

#include <numeric>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/tiny_store.hpp"

using namespace lrp;

namespace {

double mean(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size()); }
double variance(const std::vector<double>& values) {
    double sum = 0;
    for (const double v : values) sum += (v - mean(values)) * (v - mean(values));
    return sum / static_cast<double>(values.size());
}
double positive(const std::vector<double>& values) {
    return static_cast<double>(std::count_if(values.begin(), values.end(), [](double v) { return v > 0; })) / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("statistics and lists of a unit are those of all its values") {
    const test::TinyStore tiny;
    test::TemporaryFolder folder;
    tiny.write(folder.path());
    NeuronStore store = NeuronStore::open(folder.path());
    for (std::size_t unit = 0; unit < 6; ++unit) {
        const bool head = unit >= 4;
        const UnitName name{head ? "head" : "neuron", 0, static_cast<std::int64_t>(head ? unit - 4 : unit)};
        const UnitRecord record = unit_record(store, name, read_layer(store, tiny.sizes, layer_file_name(name.site, 0)));
        INFO(name.text());
        for (std::size_t q = 0; q < 2; ++q) {
            const UnitStatistics& s = record.statistics[q];
            CHECK(s.count == tiny.places.size());
            CHECK(s.mean == Approx(mean(tiny.all[unit][q])));
            CHECK(s.variance == Approx(variance(tiny.all[unit][q])));
            CHECK(s.positive == Approx(positive(tiny.all[unit][q])));
            auto sorted = tiny.all[unit][q];
            std::sort(sorted.begin(), sorted.end());
            for (std::size_t i = 0; i < s.at.size(); ++i) {
                const double right = sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(s.at[i] * static_cast<double>(sorted.size())))];
                CHECK(std::abs(s.quantiles[i] - right) <= 0.25 * std::abs(right));  // a bin is a quarter wide
            }
        }
        for (std::size_t which = 0; which < 4; ++which) {
            const auto order = tiny.ranked(unit, which / 2, which % 2);
            REQUIRE(record.lists[which].size() == order.size());
            for (std::size_t i = 0; i < order.size(); ++i) {
                const UnitEntry& entry = record.lists[which][i];
                const auto& [place, token] = tiny.places[order[i]];
                CHECK((entry.place == place && entry.value == static_cast<float>(tiny.all[unit][which / 2][order[i]])));
                const auto& ids = tiny.documents[static_cast<std::size_t>(place.document)].ids;
                CHECK((entry.begin == std::max(0, place.position - 2) && entry.end == std::min(static_cast<std::int32_t>(ids.size()), place.position + 2)));
                CHECK(entry.ids == std::vector<std::int32_t>(ids.begin() + entry.begin, ids.begin() + entry.end));
                for (std::size_t q = 0; q < 2; ++q)
                    for (std::int32_t t = entry.begin; t < entry.end; ++t) {
                        const auto at = std::find_if(tiny.places.begin(), tiny.places.end(), [&](const auto& one) { return one.first == Place{place.document, t}; });
                        const double right = at == tiny.places.end() ? 0 : tiny.all[unit][q][static_cast<std::size_t>(at - tiny.places.begin())];
                        CHECK(entry.window_values[q][static_cast<std::size_t>(t - entry.begin)] == Approx(right).epsilon(1e-3).margin(1e-6));
                    }
            }
        }
    }
}

TEST_CASE("a layer file says mean, variance and share above zero in arrays of their own") {
    const test::TinyStore tiny;
    const std::string bytes = summary_npz(tiny.units.neuron[0]);
    const NpzReader file(bytes, "tiny");
    for (std::size_t q = 0; q < 2; ++q) {
        const std::string name(quantity_names[q]);
        std::vector<double> means(4), variances(4), shares(4);
        file.read<double>(name + "_mean", "<f8", {4}, means);
        file.read<double>(name + "_variance", "<f8", {4}, variances);
        file.read<double>(name + "_positive", "<f8", {4}, shares);
        for (std::size_t unit = 0; unit < 4; ++unit) {
            CHECK(means[unit] == Approx(mean(tiny.all[unit][q])));
            CHECK(variances[unit] == Approx(variance(tiny.all[unit][q])));
            CHECK(shares[unit] == Approx(positive(tiny.all[unit][q])));
        }
    }
}

TEST_CASE("a unit as JSON has its labels with their scores") {
    const test::TinyStore tiny;
    test::TemporaryFolder folder;
    tiny.write(folder.path());
    NeuronStore store = NeuronStore::open(folder.path(), Database::Mode::write);
    store.put_labels({{"neuron", 0, 1, "min", "mine", "red", "1", 0.5, 0.125, 0.25}}, "mine");
    const UnitName name{"neuron", 0, 1};
    const auto json = unit_json(store, unit_record(store, name, read_layer(store, tiny.sizes, layer_file_name("neuron", 0))), tiny.tokens);
    REQUIRE(json["labels"].size() == 1);
    CHECK(json["labels"][0] == nlohmann::ordered_json({{"pole", "min"}, {"source", "mine"}, {"label", "red"}, {"score", 0.5}, {"null_mean", 0.125}, {"null_high", 0.25}}));
    CHECK(json["statistics"]["relevance"]["mean"].get<double>() == Approx(mean(tiny.all[1][1])));
}
