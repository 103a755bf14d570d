// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A collection from corpus to store: batches, the state between two runs, and the finished store, whose bytes do not depend on who did what.
#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <lrp/analysis/collect.hpp>
#include <lrp/pipeline/corpus.hpp>
#include <lrp/pipeline/summary_file.hpp>
#include <lrp/store/store_write.hpp>
#include <lrp/store/work_file.hpp>

namespace lrp {

/// The sizes of a store's parts.
struct UnitSizes {
    std::size_t layers = 0;
    Index neurons = 0, heads = 0;
    SummaryShape shape;

    [[nodiscard]] CollectedUnits empty() const { return {static_cast<Index>(layers), neurons, heads, shape}; }
    [[nodiscard]] Index units(bool head) const { return head ? heads : neurons; }
    /// Names of the layer files, in order.
    [[nodiscard]] std::vector<std::string> files() const {
        std::vector<std::string> names;
        for (const char* site : {"head", "neuron"})
            for (std::size_t l = 0; l < layers; ++l) names.push_back(layer_file_name(site, l));
        return names;
    }
    /// The summary that belongs to a layer file.
    template <class Units>
    [[nodiscard]] auto& part(Units& units, const std::string& file) const {
        for (std::size_t l = 0; l < layers; ++l) {
            if (file == layer_file_name("neuron", l)) return units.neuron[l];
            if (file == layer_file_name("head", l)) return units.head[l];
        }
        fail("collection: there is no layer file ", file);
    }
    [[nodiscard]] static bool is_head(const std::string& file) { return file.find("/head.") != std::string::npos; }
};

/// Cuts documents into batches of at most `tokens` tokens (a longer document is a batch by itself). The cut depends on the corpus alone.
[[nodiscard]] inline std::vector<StoredBatch> cut_batches(const std::vector<StoredDocument>& documents, std::int64_t tokens) {
    std::vector<StoredBatch> batches;
    for (const StoredDocument& document : documents) {
        const auto length = static_cast<std::int64_t>(document.ids.size());
        if (batches.empty() || batches.back().tokens + length > tokens) batches.push_back({std::ssize(batches), document.document, 0, 0});
        ++batches.back().documents;
        batches.back().tokens += length;
    }
    return batches;
}

/// Which positions of a document count.
struct CountRule {
    bool first = false;                ///< the first position counts as well
    std::optional<std::int32_t> pad;   ///< runs of this id at the beginning and the end do not count

    /// Marks positions; adds to the numbers of those left out.
    [[nodiscard]] CollectDocument apply(const StoredDocument& document, std::uint64_t& firsts, std::uint64_t& padding) const {
        CollectDocument result{document.document, document.ids, std::vector<bool>(document.ids.size(), true)};
        std::size_t begin = 0, end = document.ids.size();
        if (pad) {
            while (begin < end && document.ids[begin] == *pad) ++begin;
            while (end > begin && document.ids[end - 1] == *pad) --end;
        }
        padding += begin + document.ids.size() - end;
        for (std::size_t t = 0; t < result.counts.size(); ++t) result.counts[t] = t >= begin && t < end;
        if (!first && begin < end) {
            result.counts[begin] = false;
            ++firsts;
        }
        return result;
    }
};

/// The bytes of a work file's state under each name, and back.
inline void load_state(WorkFile& work, const UnitSizes& sizes, CollectedUnits& units) {
    for (const std::string& name : sizes.files())
        sizes.part(units, name) = read_summary(work.state(name), name + " of the work file", sizes.units(UnitSizes::is_head(name)), sizes.shape);
}
inline void save_state(WorkFile& work, const UnitSizes& sizes, const CollectedUnits& units, const std::vector<std::int64_t>& batches) {
    work.commit(batches, sizes.files(), [&](const std::string& name) { return summary_npz(sizes.part(units, name)); });
}

/// The places of all entries of all lists, each once, in order: the windows of a store.
class WindowPlaces {
  public:
    void add(const UnitSummary& summary) {
        for (std::size_t which = 0; which < 4; ++which)
            for (Index unit = 0; unit < summary.units(); ++unit)
                for (const TopEntry& entry : summary.list(which).entries(unit)) places_.push_back(entry.place);
        std::sort(places_.begin(), places_.end());
        places_.erase(std::unique(places_.begin(), places_.end()), places_.end());
    }
    /// Calls back with document, position, and the window's first position and the one behind its last. `length(document)`: its tokens.
    template <class Length, class Visit>
    void visit(const SummaryShape& shape, const Length& length, const Visit& visit) const {
        for (const Place& place : places_)
            visit(place.document, place.position, std::max(0, place.position - static_cast<std::int32_t>(shape.before)),
                  std::min(length(place.document), place.position + 1 + static_cast<std::int32_t>(shape.after)));
    }

  private:
    std::vector<Place> places_;
};

/// The rest of the provenance, from what was done: `documents`, `tokens`, what was skipped, and whether the corpus is covered.
inline void complete_provenance(std::map<std::string, std::string>& provenance, const std::vector<StoredBatch>& batches, std::int64_t all_batches, std::uint64_t firsts,
                                std::uint64_t padding) {
    std::int64_t documents = 0, tokens = 0;
    for (const StoredBatch& batch : batches) {
        documents += batch.documents;
        tokens += batch.tokens;
    }
    provenance["format"] = "lrpxx-store";
    provenance["documents"] = std::to_string(documents);
    provenance["tokens"] = std::to_string(tokens);
    provenance["batches"] = std::to_string(batches.size());
    provenance["batches_of_the_corpus"] = std::to_string(all_batches);
    provenance["skipped_first_positions"] = std::to_string(firsts);
    provenance["skipped_padding"] = std::to_string(padding);
}

}  // namespace lrp
