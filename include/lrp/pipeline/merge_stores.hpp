// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include <lrp/pipeline/collection.hpp>
#include <lrp/store/store.hpp>

namespace lrp {

/// The sizes that a store states. Error if it states none.
[[nodiscard]] inline UnitSizes unit_sizes(const NeuronStore& store) {
    return {static_cast<std::size_t>(store.number("layers")),
            static_cast<Index>(store.number("neurons")),
            static_cast<Index>(store.number("heads")),
            {static_cast<Index>(store.number("k")), static_cast<Index>(store.number("window_before")), static_cast<Index>(store.number("window_after"))}};
}

/// One layer file of a store as a summary.
[[nodiscard]] inline UnitSummary read_layer(const NeuronStore& store, const UnitSizes& sizes, const std::string& name) {
    const MappedFile file = store.layer_file(name);
    return read_summary({reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}, file.path().string(), sizes.units(UnitSizes::is_head(name)), sizes.shape);
}

/// Puts stores of parts of one corpus together; the bytes of the result do not depend on the cut or the order, and once every part is there they
/// are those of a collection in one go. Labels are not taken over. Error naming the stores for parts of different collections, and for a batch
/// that two of them hold.
inline void merge_stores(const std::vector<std::string>& folders, const std::string& output) {
    require(!is_there(std::filesystem::path(output) / store_database), output, ": there is a store already; give another folder with -o");
    std::vector<std::unique_ptr<NeuronStore>> stores;
    for (const std::string& folder : folders) stores.push_back(std::make_unique<NeuronStore>(NeuronStore::open(folder)));
    // What says how much of the corpus is there may differ, and what the model's folder was called.
    static const std::set<std::string> of_a_part{"batches", "digest", "documents", "model", "skipped_first_positions", "skipped_padding", "tokens", "windows_digest"};
    StoreContents contents;
    std::uint64_t firsts = 0, padding = 0;
    std::map<std::int64_t, std::pair<StoredBatch, std::size_t>> batches;
    for (std::size_t s = 0; s < stores.size(); ++s) {
        const NeuronStore& store = *stores[s];
        for (const auto& [key, value] : store.provenance()) {
            if (of_a_part.contains(key)) continue;
            require(stores[0]->fact(key) == value, folders[s], ": ", key, " is '", value, "', in ", folders[0], " it is '", stores[0]->fact(key),
                    "'; only parts of one collection can be merged");
        }
        for (const StoredBatch& batch : store.batches()) {
            const auto [at, added] = batches.emplace(batch.batch, std::pair{batch, s});
            require(added, folders[s], ": batch ", batch.batch, " is in ", folders[at->second.second], " as well");
        }
        firsts += static_cast<std::uint64_t>(store.number("skipped_first_positions"));
        padding += static_cast<std::uint64_t>(store.number("skipped_padding"));
        for (const auto& [key, value] : store.provenance())
            if (!of_a_part.contains(key)) contents.provenance[key] = value;
        std::string& model = contents.provenance["model"];
        model = model.empty() ? store.fact("model") : std::min(model, store.fact("model"));
    }
    for (const auto& [number, batch] : batches) contents.batches.push_back(batch.first);
    complete_provenance(contents.provenance, contents.batches, stores[0]->number("batches_of_the_corpus"), firsts, padding);
    contents.tokens = stores[0]->tokens();
    const UnitSizes sizes = unit_sizes(*stores[0]);
    contents.files = sizes.files();
    WindowPlaces windows;
    contents.file_bytes = [&](const std::string& name) {
        UnitSummary all(sizes.units(UnitSizes::is_head(name)), sizes.shape);
        for (const auto& store : stores) all.merge(read_layer(*store, sizes, name));
        windows.add(all);
        return summary_npz(all);
    };
    std::map<std::int32_t, std::int32_t> lengths;
    contents.documents = [&](const auto& visit) {
        for (const auto& [number, batch] : batches)
            for (std::int32_t i = 0; i < batch.first.documents; ++i) {
                const StoredDocument document = stores[batch.second]->document(batch.first.first_document + i);
                lengths[document.document] = static_cast<std::int32_t>(document.ids.size());
                visit(document);
            }
    };
    contents.windows = [&](const auto& visit) { windows.visit(sizes.shape, [&](std::int32_t document) { return lengths.at(document); }, visit); };
    write_store(output, contents);
}

}  // namespace lrp
