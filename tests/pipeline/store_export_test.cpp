// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A store in other tools' layouts, number by number.
#include <lrp/pipeline/store_export.hpp>

#include <sstream>

#include <lrp/io/mapped_file.hpp>
#include <lrp/io/safetensors.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/tiny_store.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

std::vector<nlohmann::json> lines_of(const std::filesystem::path& file) {
    std::vector<nlohmann::json> out;
    std::istringstream in(read_text_file(file));
    for (std::string line; std::getline(in, line);) out.push_back(nlohmann::json::parse(line));
    return out;
}

/// A store, and what it is exported to.
struct Exported {
    test::TinyStore tiny;
    test::TemporaryFolder folder;
    std::filesystem::path out = folder.path() / "out";
    Exported() {
        tiny.write(folder.path() / "store");
        NeuronStore store = NeuronStore::open(folder.path() / "store", Database::Mode::write);
        const std::vector<StoredUnitToken> tokens{{"neuron", 0, 1, "writes", "max", 0, 1, 2.0}, {"neuron", 0, 1, "writes", "min", 0, 3, 1.0}, {"neuron", 0, 1, "reads", "max", 0, 6, 1.0}};
        store.put_labels({}, "none", &tokens);
        StoreExport exporter(store, out.string());
        exporter.prompts();
        exporter.delphi();
        exporter.neuronpedia();
        exporter.zennit_crp();
    }
    [[nodiscard]] double value(std::size_t unit, std::size_t q, const Place& place) const {
        for (std::size_t i = 0; i < tiny.places.size(); ++i)
            if (tiny.places[i].first == place) return tiny.all[unit][q][i];
        return 0;
    }
};

}  // namespace

TEST_CASE("zennit-crp: document, position and value of each rank and unit, each list in its folder") {
    const Exported exported;
    const test::TinyStore& tiny = exported.tiny;
    const std::vector<std::string> folders{"ActMax_max_unnormed", "ActMin_max_unnormed", "RelMax_max_unnormed", "RelMin_max_unnormed"};
    for (std::size_t which = 0; which < 4; ++which)
        for (const bool head : {false, true}) {
            const std::size_t units = head ? 2 : 4;
            std::vector<std::int32_t> data(6 * units, -1), rf(6 * units, -1);
            std::vector<float> rel(6 * units);
            for (std::size_t u = 0; u < units; ++u) {
                const auto order = tiny.ranked(head ? 4 + u : u, which / 2, which % 2);
                for (std::size_t rank = 0; rank < order.size(); ++rank) {
                    data[rank * units + u] = tiny.places[order[rank]].first.document;
                    rf[rank * units + u] = tiny.places[order[rank]].first.position;
                    rel[rank * units + u] = static_cast<float>(tiny.all[head ? 4 + u : u][which / 2][order[rank]]);
                }
            }
            const std::string base = folders[which] + "/layers.0." + (head ? "head" : "neuron");
            CHECK(read_text_file(exported.out / (base + "_data.npy")) == detail::npy_array(data, {6, units}));
            CHECK(read_text_file(exported.out / (base + "_rf.npy")) == detail::npy_array(rf, {6, units}));
            CHECK(read_text_file(exported.out / (base + "_rel.npy")) == detail::npy_array(rel, {6, units}));
        }
}

TEST_CASE("delphi: every activation above zero of the windows, with its row, position and latent") {
    const Exported exported;
    const SafeTensors file = SafeTensors::open(exported.out / "model.layers.0.mlp.down_proj/0_3.safetensors");
    const auto activations = values<float>(file.at("activations"));
    const auto locations = values<std::int32_t>(file.at("locations")), tokens = values<std::int32_t>(file.at("tokens"));
    REQUIRE(locations.size() == 3 * activations.size());
    std::size_t n = 0;
    std::map<Place, std::int32_t> rows;
    for (std::size_t u = 0; u < 4; ++u)
        for (const std::size_t i : exported.tiny.ranked(u, 0, 0)) {
            const Place place = exported.tiny.places[i].first;
            const std::int32_t row = rows.try_emplace(place, static_cast<std::int32_t>(rows.size())).first->second;
            const auto& ids = exported.tiny.documents[static_cast<std::size_t>(place.document)].ids;
            const std::int32_t begin = std::max(0, place.position - 2), end = std::min(static_cast<std::int32_t>(ids.size()), place.position + 2);
            for (std::int32_t t = begin; t < end; ++t) {
                CHECK(tokens[static_cast<std::size_t>(row * 4 + t - begin)] == ids[static_cast<std::size_t>(t)]);
                const double right = exported.value(u, 0, {place.document, t});
                if (!(right > 0)) continue;
                REQUIRE(n < activations.size());
                CHECK(activations[n] == Approx(right).epsilon(1e-3));
                CHECK((locations[3 * n] == row && locations[3 * n + 1] == t - begin && locations[3 * n + 2] == static_cast<std::int32_t>(u)));
                ++n;
            }
        }
    CHECK(n == activations.size());
    CHECK(n > 10);
}

TEST_CASE("neuronpedia: each list under its name, with the values of its quantity") {
    const Exported exported;
    const auto lines = lines_of(exported.out / "neuron.0.jsonl");
    REQUIRE(lines.size() == 4);
    for (std::size_t u = 0; u < 4; ++u) {
        const auto& line = lines[u];
        CHECK((line["index"] == u && line["layer"] == 0 && line["site"] == "neuron"));
        const auto most = exported.tiny.ranked(u, 0, 0).front(), least = exported.tiny.ranked(u, 0, 1).front();
        CHECK(line["act_max"].get<double>() == Approx(exported.tiny.all[u][0][most]));
        CHECK(line["act_min"].get<double>() == Approx(exported.tiny.all[u][0][least]));
        const std::vector<std::string> names{"Top activations", "Bottom activations", "Top relevance", "Bottom relevance"};
        for (std::size_t which = 0; which < 4; ++which) {
            const auto& list = line["examples_quantiles"][which];
            CHECK(list["quantile_name"] == names[which]);
            const auto order = exported.tiny.ranked(u, which / 2, which % 2);
            REQUIRE(list["examples"].size() == order.size());
            for (std::size_t i = 0; i < order.size(); ++i) {
                const auto& example = list["examples"][i];
                const std::size_t at = example["train_token_ind"];
                CHECK(example["tokens"][at] == exported.tiny.tokens[static_cast<std::size_t>(exported.tiny.places[order[i]].second)]);
                CHECK(example["tokens_acts_list"][at].get<double>() == Approx(exported.tiny.all[u][which / 2][order[i]]).epsilon(1e-3).margin(1e-6));
            }
        }
    }
    CHECK((lines[1]["top_logits"] == nlohmann::json({" red"}) && lines[1]["bottom_logits"] == nlohmann::json({" cat"}) && lines[0]["top_logits"].empty()));
}

TEST_CASE("prompts: strengths in tenths of the unit's largest, of the pole's sign") {
    const Exported exported;
    const auto lines = lines_of(exported.out / "prompts.jsonl");
    REQUIRE(lines.size() == 2 * 6);
    for (const auto& line : lines) {
        const bool head = line["site"] == "head";
        const std::size_t unit = line["unit"].get<std::size_t>() + (head ? 4 : 0), pole = line["pole"] == "max" ? 0 : 1;
        const double sign = pole == 0 ? 1 : -1;
        const auto order = exported.tiny.ranked(unit, 0, pole);
        const double most = sign * exported.tiny.all[unit][0][order.front()];
        const std::string text = line["prompt"];
        std::size_t at = 0;
        for (const std::size_t i : order) {
            const Place place = exported.tiny.places[i].first;
            const auto& ids = exported.tiny.documents[static_cast<std::size_t>(place.document)].ids;
            std::string right;
            for (std::int32_t t = std::max(0, place.position - 2); t < std::min(static_cast<std::int32_t>(ids.size()), place.position + 2); ++t) {
                const double value = sign * static_cast<double>(static_cast<float>(f16::rounded(static_cast<float>(exported.value(unit, 0, {place.document, t})))));
                const auto level = most > 0 ? std::lround(10 * std::clamp(value / most, 0.0, 1.0)) : 0;
                if (level > 0) right += (right.empty() ? "" : ", ") + exported.tiny.tokens[static_cast<std::size_t>(ids[static_cast<std::size_t>(t)])] + " " + std::to_string(level);
            }
            at = text.find("Strengths: ", at) + 11;
            REQUIRE(at != std::string::npos + 11);
            CHECK(text.substr(at, text.find('\n', at) - at) == right);
        }
    }
}

TEST_CASE("nothing is exported into a store or a model") {
    const test::TinyStore tiny;
    test::TemporaryFolder folder;
    const auto path = [&](const char* name) { return (folder.path() / name).string(); };
    tiny.write(path("store"));
    std::filesystem::create_directory(path("model"));
    folder.write("model/config.json", "{}");
    NeuronStore store = NeuronStore::open(path("store"));
    CHECK_THROWS_WITH(StoreExport(store, path("store")), Contains("store: this folder is a store or a model (it holds store.sqlite)"));
    CHECK_THROWS_WITH(StoreExport(store, path("model")), Contains("model: this folder is a store or a model (it holds config.json)"));
    for (int twice = 0; twice < 2; ++twice) CHECK_NOTHROW(StoreExport(store, path("out")).delphi());
}
