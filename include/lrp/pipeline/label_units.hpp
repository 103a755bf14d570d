// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Labels that need no other model: from the tokens at a unit's top places, and from the words around them that set it apart from other units.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <lrp/analysis/scored_token.hpp>
#include <lrp/pipeline/unit_name.hpp>

namespace lrp {

/// Makes labels for every neuron and head of a store. By activation (source `tokens`), for both poles; formulas, with the windows of a unit's list as its text:
///   top:   share of the list's entries at which the token stands
///   tfidf: tf * ln((1 + N) / (1 + df)); tf: share of the token in the unit's windows; df: of the N units of the site, those whose windows have it
/// Such a label lists the tokens with a top share of a fifth or more (four at most), and with fewer than two of them, the best by tfidf up to three.
/// By relevance (source `tokens-next`): where the unit matters most, what comes next, which is what it speaks for (pole max) or against (min):
///   next:  share of the list's entries by relevance behind which the token stands
/// Such a label lists the tokens with a next share of an eighth or more (four at most); a unit without one gets none.
class UnitLabeller {
  public:
    static constexpr std::size_t listed = 8;

    explicit UnitLabeller(NeuronStore& store) : store_(store), sizes_(unit_sizes(store)), texts_(store.tokens()) {
        store.for_each_document([this](const StoredDocument& document) { documents_[document.document] = document.ids; });
    }

    void run() {
        std::array<std::array<std::unordered_map<std::int32_t, std::int64_t>, 2>, 2> holders;  // site, pole: token -> units whose windows have it
        each([&](const UnitName& name, bool head, std::size_t pole, const auto& entries) {
            (void)name;
            for (const auto& [token, count] : window_counts(entries)) ++holders[head ? 1 : 0][pole][token];
        });
        each([&](const UnitName& name, bool head, std::size_t pole, const auto& entries) {
            const auto all_units = static_cast<double>(sizes_.layers) * static_cast<double>(sizes_.units(head));
            std::map<std::int32_t, std::int64_t> places;
            for (const TopEntry& entry : entries) ++places[ids_of(entry.place).at(static_cast<std::size_t>(entry.place.position))];
            std::vector<ScoredToken> top, tfidf;
            for (const auto& [token, count] : places) top.push_back({token, static_cast<double>(count) / static_cast<double>(entries.size())});
            const auto counts = window_counts(entries);
            double total = 0;
            for (const auto& [token, count] : counts) total += static_cast<double>(count);
            for (const auto& [token, count] : counts)
                tfidf.push_back({token, static_cast<double>(count) / total * std::log((1 + all_units) / (1 + static_cast<double>(holders[head ? 1 : 0][pole].at(token))))});
            top = best_scored(std::move(top), listed);
            tfidf = best_scored(std::move(tfidf), listed);
            add_tokens(name, "top", pole, top);
            add_tokens(name, "tfidf", pole, tfidf);
            add_label(name, pole, top, tfidf);
        });
        each([&](const UnitName& name, bool, std::size_t pole, const auto& entries) {
            std::map<std::int32_t, std::int64_t> behind;
            for (const TopEntry& entry : entries) {
                const auto& ids = ids_of(entry.place);
                const auto next = static_cast<std::size_t>(entry.place.position) + 1;
                if (next < ids.size()) ++behind[ids[next]];
            }
            std::vector<ScoredToken> list;
            for (const auto& [token, count] : behind) list.push_back({token, static_cast<double>(count) / static_cast<double>(entries.size())});
            list = best_scored(std::move(list), listed);
            add_tokens(name, "next", pole, list);
            std::vector<std::int32_t> chosen;
            for (const ScoredToken& t : list)
                if (t.score >= 0.125 && chosen.size() < 4) chosen.push_back(t.token);
            if (!chosen.empty()) next_labels.push_back(label_of(name, pole, "tokens-next", chosen));
        }, 2);
    }

    void add_tokens(const UnitName& name, const char* kind, std::size_t pole, const std::vector<ScoredToken>& list) {
        for (std::size_t rank = 0; rank < list.size(); ++rank)
            unit_tokens.push_back({name.site, name.layer, name.unit, kind, pole == 0 ? "max" : "min", static_cast<std::int64_t>(rank), list[rank].token, list[rank].score});
    }

    std::vector<StoredLabel> labels, next_labels;
    std::vector<StoredUnitToken> unit_tokens;

  private:
    /// Visits the lists of both poles, by activation, or with `first` = 2 by relevance.
    template <class Visit>
    void each(const Visit& visit, std::size_t first = 0) {
        for (const std::string& file : sizes_.files()) {
            const bool head = UnitSizes::is_head(file);
            const UnitSummary summary = read_layer(store_, sizes_, file);
            UnitName name{head ? "head" : "neuron", std::stoll(file.substr(file.find('.') + 1)), 0};
            for (; name.unit < summary.units(); ++name.unit)
                for (std::size_t pole = 0; pole < 2; ++pole) {
                    const auto entries = summary.list(first + pole).entries(static_cast<Index>(name.unit));
                    if (!entries.empty()) visit(name, head, pole, entries);
                }
        }
    }
    [[nodiscard]] const std::vector<std::int32_t>& ids_of(const Place& place) const {
        const auto at = documents_.find(place.document);
        require(at != documents_.end() && place.position >= 0 && place.position < std::ssize(at->second), store_.folder().string(), ": an entry at document ", place.document, ", position ",
                place.position, ", which the store does not have");
        return at->second;
    }
    template <class Entries>
    std::map<std::int32_t, std::int64_t> window_counts(const Entries& entries) const {
        std::map<std::int32_t, std::int64_t> counts;
        for (const TopEntry& entry : entries) {
            const auto& ids = ids_of(entry.place);
            const Index first = std::max<Index>(0, entry.place.position - sizes_.shape.before), last = std::min<Index>(std::ssize(ids), entry.place.position + 1 + sizes_.shape.after);
            for (Index t = first; t < last; ++t) ++counts[ids[static_cast<std::size_t>(t)]];
        }
        return counts;
    }
    void add_label(const UnitName& name, std::size_t pole, const std::vector<ScoredToken>& top, const std::vector<ScoredToken>& tfidf) {
        std::vector<std::int32_t> chosen;
        for (const ScoredToken& t : top)
            if (t.score >= 0.2 && chosen.size() < 4) chosen.push_back(t.token);
        if (chosen.size() < 2)
            for (const ScoredToken& t : tfidf)
                if (chosen.size() < 3 && std::find(chosen.begin(), chosen.end(), t.token) == chosen.end()) chosen.push_back(t.token);
        labels.push_back(label_of(name, pole, "tokens", chosen));
    }
    [[nodiscard]] StoredLabel label_of(const UnitName& name, std::size_t pole, const char* source, const std::vector<std::int32_t>& chosen) const {
        StoredLabel label{name.site, name.layer, name.unit, pole == 0 ? "max" : "min", source, "", "", nan_, nan_, nan_};
        for (const std::int32_t token : chosen) {
            const std::string& text = texts_.at(static_cast<std::size_t>(token));
            const auto begin = text.find_first_not_of(' ');
            label.label += (label.label.empty() ? "" : ", ") + (begin == std::string::npos ? "'" + text + "'" : text.substr(begin));
            label.tokens += (label.tokens.empty() ? "" : " ") + std::to_string(token);
        }
        return label;
    }

    static constexpr double nan_ = std::numeric_limits<double>::quiet_NaN();
    NeuronStore& store_;
    UnitSizes sizes_;
    std::vector<std::string> texts_;
    std::unordered_map<std::int32_t, std::vector<std::int32_t>> documents_;
};

/// Tokens whose text is a word of the label, with a space before it or without: what an imported label stands on.
[[nodiscard]] inline std::string tokens_of_label(const std::string& label, const std::unordered_map<std::string, std::int32_t>& ids) {
    std::string out;
    std::set<std::int32_t> seen;
    for (std::size_t at = 0; at < label.size();) {
        const auto begin = label.find_first_not_of(" \t,;.:/()\"", at);
        if (begin == std::string::npos) break;
        const auto end = std::min(label.find_first_of(" \t,;.:/()\"", begin), label.size());
        for (const std::string& text : {" " + label.substr(begin, end - begin), label.substr(begin, end - begin)})
            if (const auto known = ids.find(text); known != ids.end() && seen.insert(known->second).second) out += (out.empty() ? "" : " ") + std::to_string(known->second);
        at = end;
    }
    return out;
}

}  // namespace lrp
