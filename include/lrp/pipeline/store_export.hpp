// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A store in the layouts of other tools (docs/store.md says what each holds and what it cannot): explainer prompts, delphi, Neuronpedia, zennit-crp.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <lrp/io/atomic_file.hpp>
#include <lrp/io/safetensors_write.hpp>
#include <lrp/pipeline/unit_record.hpp>

namespace lrp {

class StoreExport {
  public:
    /// Error for a folder that is a store or a model.
    StoreExport(NeuronStore& store, std::string folder) : store_(store), sizes_(unit_sizes(store)), folder_(std::move(folder)), tokens_(store.tokens()) {
        for (const char* name : {store_database, "config.json"})
            require(!is_there(std::filesystem::path(folder_) / name), folder_, ": this folder is a store or a model (it holds ", name, "); give a folder of its own with -o");
    }

    /// One prompt a line for a language model that is to say what a unit stands for: prompts.jsonl with site, layer, unit, pole and prompt. The
    /// token of each entry is marked <<so>>; activations of the window follow from 0 to 10, of the unit's largest.
    void prompts() {
        std::string out;
        each_unit([&](const UnitRecord& record) {
            for (std::size_t pole = 0; pole < 2; ++pole) {
                if (record.lists[pole].empty()) continue;
                std::string text = "A unit of a language model reacts to something in these excerpts. Each token it reacts to is marked <<so>>, and the strength from 0 to 10 of "
                                   "every token with some follows. Say in one short phrase what it reacts to.\n";
                const double sign = pole == 0 ? 1 : -1, most = std::max(sign * static_cast<double>(record.lists[pole].front().value), 1e-30);
                for (std::size_t i = 0; i < std::min<std::size_t>(10, record.lists[pole].size()); ++i) {
                    const UnitEntry& entry = record.lists[pole][i];
                    std::string strengths;
                    text += "\nExcerpt " + std::to_string(i + 1) + ": ";
                    for (std::size_t t = 0; t < entry.ids.size(); ++t) {
                        const bool here = entry.begin + static_cast<std::int32_t>(t) == entry.place.position;
                        text += here ? "<<" + token(entry.ids[t]) + ">>" : token(entry.ids[t]);
                        const auto level = std::lround(10 * std::clamp(sign * static_cast<double>(entry.window_values[0][t]) / most, 0.0, 1.0));
                        if (level > 0) strengths += (strengths.empty() ? "" : ", ") + token(entry.ids[t]) + " " + std::to_string(level);
                    }
                    text += "\nStrengths: " + strengths;
                }
                const nlohmann::ordered_json line = {{"site", record.name.site}, {"layer", record.name.layer}, {"unit", record.name.unit}, {"pole", pole == 0 ? "max" : "min"}, {"prompt", text}};
                out += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
            }
        });
        write("prompts.jsonl", out);
    }

    /// delphi's cache of latents: <module>/<first>_<last>.safetensors with activations [n], locations [n, 3] (row, position, latent) and tokens
    /// [rows, window], and config.json. Rows are the windows of the most active entries; values above zero alone, as there.
    void delphi() {
        each_layer([&](const std::string& site, std::size_t layer, const std::vector<UnitRecord>& units) {
            if (site == "head") return;
            const auto width = static_cast<std::size_t>(sizes_.shape.width());
            std::map<std::pair<Place, std::int32_t>, std::int32_t> rows;
            std::vector<std::int32_t> tokens, locations;
            std::vector<float> activations;
            for (const UnitRecord& unit : units)
                for (const UnitEntry& entry : unit.lists[0]) {
                    const auto [at, fresh] = rows.try_emplace({entry.place, entry.begin}, static_cast<std::int32_t>(rows.size()));
                    if (fresh) {
                        tokens.insert(tokens.end(), entry.ids.begin(), entry.ids.end());
                        tokens.resize(rows.size() * width, 0);
                    }
                    for (std::size_t t = 0; t < entry.ids.size(); ++t) {
                        if (!(entry.window_values[0][t] > 0)) continue;
                        activations.push_back(entry.window_values[0][t]);
                        locations.insert(locations.end(), {at->second, static_cast<std::int32_t>(t), static_cast<std::int32_t>(unit.name.unit)});
                    }
                }
            const std::string module = "model.layers." + std::to_string(layer) + ".mlp.down_proj";
            DataFile file;
            file.arrays.push_back({"activations", {activations.size()}, activations});
            file.arrays.push_back({"locations", {activations.size(), 3}, locations});
            file.arrays.push_back({"tokens", {rows.size(), width}, tokens});
            write(module + "/0_" + std::to_string(units.size() - 1) + ".safetensors", to_safetensors(file));
            const nlohmann::ordered_json config = {{"cache_ctx_len", width}, {"n_splits", 1}, {"width", units.size()}, {"n_tokens", tokens.size()}, {"source", "lrpxx-store"}};
            write(module + "/config.json", config.dump(1));
        });
    }

    /// Dashboards as Neuronpedia's viewers read them, a unit a line: <site>.<layer>.jsonl.
    void neuronpedia() {
        each_layer([&](const std::string& site, std::size_t layer, const std::vector<UnitRecord>& units) {
            std::string out;
            for (const UnitRecord& unit : units) {
                nlohmann::ordered_json line = {{"index", unit.name.unit}, {"layer", layer}, {"site", site}};
                const auto labels = store_.labels_of(site, static_cast<std::int64_t>(layer), unit.name.unit);
                line["label"] = labels.empty() ? nlohmann::ordered_json(nullptr) : nlohmann::ordered_json(labels.front().label);
                line["examples_quantiles"] = nlohmann::ordered_json::array();
                constexpr std::array<const char*, 4> names{"Top activations", "Bottom activations", "Top relevance", "Bottom relevance"};
                for (std::size_t which = 0; which < 4; ++which) {
                    nlohmann::ordered_json examples = nlohmann::ordered_json::array();
                    for (const UnitEntry& entry : unit.lists[which]) {
                        nlohmann::ordered_json one = {{"tokens", nlohmann::ordered_json::array()}, {"tokens_acts_list", entry.window_values[which / 2]}, {"train_token_ind", entry.place.position - entry.begin}, {"is_repeated_datapoint", false}};
                        for (const std::int32_t id : entry.ids) one["tokens"].push_back(token(id));
                        examples.push_back(std::move(one));
                    }
                    line["examples_quantiles"].push_back({{"quantile_name", names[which]}, {"examples", std::move(examples)}});
                }
                for (const auto& [key, pole] : {std::pair{"top_logits", "max"}, std::pair{"bottom_logits", "min"}}) {
                    line[key] = nlohmann::ordered_json::array();
                    for (const StoredUnitToken& t : store_.tokens_of(site, static_cast<std::int64_t>(layer), unit.name.unit))
                        if (t.kind == "writes" && t.pole == pole) line[key].push_back(token(static_cast<std::int32_t>(t.token)));
                }
                line["act_min"] = unit.lists[1].empty() ? 0.0f : unit.lists[1].front().value;
                line["act_max"] = unit.lists[0].empty() ? 0.0f : unit.lists[0].front().value;
                out += line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
            }
            write(site + "." + std::to_string(layer) + ".jsonl", out);
        });
    }

    /// zennit-crp's reference samples: ActMax_max_unnormed and RelMax_max_unnormed, each with <layer>_data.npy (document), _rel.npy (value) and
    /// _rf.npy (position), all [k, units]; the same of the other pole in ActMin... and RelMin...
    void zennit_crp() {
        constexpr std::array<const char*, 4> folders{"ActMax_max_unnormed", "ActMin_max_unnormed", "RelMax_max_unnormed", "RelMin_max_unnormed"};
        each_layer([&](const std::string& site, std::size_t layer, const std::vector<UnitRecord>& units) {
            const auto k = static_cast<std::size_t>(sizes_.shape.k);
            for (std::size_t which = 0; which < 4; ++which) {
                std::vector<std::int32_t> data(k * units.size(), -1), rf(k * units.size(), -1);
                std::vector<float> rel(k * units.size());
                for (std::size_t u = 0; u < units.size(); ++u)
                    for (std::size_t rank = 0; rank < units[u].lists[which].size(); ++rank) {
                        const UnitEntry& entry = units[u].lists[which][rank];
                        data[rank * units.size() + u] = entry.place.document;
                        rf[rank * units.size() + u] = entry.place.position;
                        rel[rank * units.size() + u] = entry.value;
                    }
                const std::string base = std::string(folders[which]) + "/layers." + std::to_string(layer) + "." + site;
                write(base + "_data.npy", detail::npy_array(data, {k, units.size()}));
                write(base + "_rel.npy", detail::npy_array(rel, {k, units.size()}));
                write(base + "_rf.npy", detail::npy_array(rf, {k, units.size()}));
            }
        });
    }

  private:
    [[nodiscard]] const std::string& token(std::int32_t id) const { return tokens_.at(static_cast<std::size_t>(id)); }
    void write(const std::string& name, const std::string& bytes) const {
        const auto file = std::filesystem::path(folder_) / name;
        std::error_code code;
        std::filesystem::create_directories(file.parent_path(), code);
        require(!code, file.parent_path().string(), ": cannot be made (", code.message(), ")");
        write_file(file, bytes);
    }
    template <class Visit>
    void each_layer(const Visit& visit) {
        for (const std::string& file : sizes_.files()) {
            const UnitSummary summary = read_layer(store_, sizes_, file);
            const std::string site = UnitSizes::is_head(file) ? "head" : "neuron";
            const std::int64_t layer = std::stoll(file.substr(file.find('.') + 1));
            std::vector<UnitRecord> units;
            for (Index u = 0; u < summary.units(); ++u) units.push_back(unit_record(store_, {site, layer, u}, summary));
            visit(site, static_cast<std::size_t>(layer), units);
        }
    }
    template <class Visit>
    void each_unit(const Visit& visit) {
        each_layer([&](const std::string&, std::size_t, const std::vector<UnitRecord>& units) {
            for (const UnitRecord& unit : units) visit(unit);
        });
    }

    NeuronStore& store_;
    UnitSizes sizes_;
    std::string folder_;
    std::vector<std::string> tokens_;
};

}  // namespace lrp
