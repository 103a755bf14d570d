// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "label_edits.hpp"

#include <set>

#include <lrp/store/store.hpp>

namespace lrp::cli {

std::vector<UnitEdit> label_edits(const std::string& store, const std::string& name, const std::string& source, double factor, const std::string& model_hash, const std::string& model) {
    NeuronStore opened = NeuronStore::open(store);
    opened.require_model(model_hash, model);
    std::vector<UnitEdit> edits;
    std::set<std::tuple<std::string, std::int64_t, std::int64_t>> seen;
    if (const auto why = opened.query_error(name)) fail<UsageError>("--label '", name, "': not a search (", *why, ")");
    for (const StoredLabel& label : opened.labels(name))
        if ((source.empty() || label.source == source) && seen.insert({label.site, label.layer, label.unit}).second)
            edits.push_back({label.site == "head" ? Site::head : Site::neuron, static_cast<Index>(label.layer), static_cast<Index>(label.unit), UnitEdit::Kind::scale, factor});
    require(!edits.empty(), store, ": no label", source.empty() ? "" : " of '" + source + "'", " matches '", name, "'",
            opened.labels().empty() ? "; the store has no labels yet, `lrp label` makes them" : "; `lrp show STORE --search WORDS` finds labels");
    return edits;
}

void check_labels(const std::string& store, const std::string& source, const std::string& model_hash, const std::string& model) {
    NeuronStore opened = NeuronStore::open(store);
    opened.require_model(model_hash, model);
    if (source.empty()) return;
    std::set<std::string> sources;
    for (const StoredLabel& label : opened.labels()) sources.insert(label.source);
    if (sources.contains(source)) return;
    std::string names;
    for (const std::string& one : sources) names += (names.empty() ? "'" : ", '") + one + "'";
    fail<UsageError>("--label-source: expected ", names.empty() ? "labels, and there are none yet" : "one of " + names, " in ", store, ", found '", source, "'");
}

std::vector<std::vector<std::string>> labels_of_units(const std::string& store, const std::vector<UnitRelevance>& units, const std::string& model_hash,
                                                      const std::string& model) {
    NeuronStore opened = NeuronStore::open(store);
    opened.require_model(model_hash, model);
    std::vector<std::vector<std::string>> result;
    for (const UnitRelevance& unit : units) {
        result.emplace_back();
        const char* pole = unit.sign() < 0 ? "min" : "max";
        for (const StoredLabel& label : opened.labels_of(unit.site == Site::head ? "head" : "neuron", unit.layer, unit.unit))
            if (label.pole == pole) result.back().push_back(label.label);
    }
    return result;
}

}  // namespace lrp::cli
