// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A store of one layer, four neurons and two heads, whose values are written down in a table.
#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <lrp/pipeline/merge_stores.hpp>

namespace lrp::test {

/// Values of one position: what each unit did, and its coefficient. Of a head two numbers each.
struct TinyStore {
    static constexpr Index neurons = 4, heads = 2, width = 2;
    UnitSizes sizes{1, neurons, heads, {6, 2, 1}};
    std::vector<StoredDocument> documents;
    std::vector<std::string> tokens{"<s>", " red", " dog", " cat", " sat", "ting", " on", " mat"};
    CollectedUnits units = sizes.empty();
    /// Of each unit (neurons, then heads) activation and relevance at every position that counts, in the order of the corpus.
    std::vector<std::array<std::vector<double>, 2>> all{6};
    std::vector<std::pair<Place, std::int32_t>> places;  ///< of the positions that count, with their tokens

    TinyStore() {
        const std::vector<std::vector<std::int32_t>> ids{{0, 1, 2, 4, 5}, {0, 3, 4, 6, 7}, {0, 2, 4, 6, 1, 7}};
        std::vector<CollectDocument> texts;
        for (const auto& one : ids) {
            documents.push_back({static_cast<std::int32_t>(documents.size()), "t.jsonl", std::ssize(documents) + 1, "", one});
            CollectDocument text{documents.back().document, one, std::vector<bool>(one.size(), true)};
            text.counts[0] = false;
            texts.push_back(text);
        }
        std::vector<double> x, c, head_x, head_c;
        for (std::size_t d = 0; d < ids.size(); ++d)
            for (std::size_t t = 0; t < ids[d].size(); ++t) {
                const double token = ids[d][t], place = static_cast<double>(7 * d + t);
                const std::size_t first = x.size(), head_first = head_x.size();
                for (Index n = 0; n < neurons; ++n) {
                    x.push_back(n == 0 ? (token == 2 ? 3 : -0.25) + 0.01 * place : std::sin(1.3 * place + 2.0 * static_cast<double>(n)) - (n == 3 ? 2 : 0));
                    c.push_back(std::cos(0.7 * place + static_cast<double>(n)));
                }
                for (Index i = 0; i < heads * width; ++i) {
                    head_x.push_back(std::sin(0.9 * place + static_cast<double>(i)));
                    head_c.push_back(std::cos(1.1 * place - static_cast<double>(i)));
                }
                if (t == 0) continue;
                places.push_back({{static_cast<std::int32_t>(d), static_cast<std::int32_t>(t)}, ids[d][t]});
                for (std::size_t n = 0; n < 4; ++n) {
                    all[n][0].push_back(static_cast<double>(static_cast<float>(x[first + n])));
                    all[n][1].push_back(static_cast<double>(static_cast<float>(x[first + n] * c[first + n])));
                }
                for (std::size_t h = 0; h < 2; ++h) {
                    const std::size_t at = head_first + 2 * h;
                    all[4 + h][0].push_back(static_cast<double>(static_cast<float>(std::hypot(head_x[at], head_x[at + 1]))));
                    all[4 + h][1].push_back(static_cast<double>(static_cast<float>(head_x[at] * head_c[at] + head_x[at + 1] * head_c[at + 1])));
                }
            }
        ThreadPool pool(1);
        PassReader reader(units, pool);
        reader.begin(texts);
        reader.take<double>({Site::neuron, 0}, x, c);
        reader.take<double>({Site::head, 0}, head_x, head_c);
        units.end_batch();
    }

    /// The unit's places by a quantity, best first; `pole` 0: largest.
    [[nodiscard]] std::vector<std::size_t> ranked(std::size_t unit, std::size_t quantity, std::size_t pole) const {
        std::vector<std::size_t> order(places.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        const auto& values = all[unit][quantity];
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return pole == 0 ? values[a] > values[b] : values[a] < values[b]; });
        order.resize(std::min<std::size_t>(order.size(), static_cast<std::size_t>(sizes.shape.k)));
        return order;
    }

    void write(const std::filesystem::path& folder, const std::map<std::string, std::string>& facts = {}) const {
        StoreContents contents;
        contents.provenance = {{"model", "tiny"}, {"model_hash", "0"}, {"layers", "1"}, {"neurons", "4"}, {"heads", "2"}, {"k", "6"}, {"window_before", "2"}, {"window_after", "1"},
                               {"first_position", "skipped"}, {"pad_id", "none"}};
        contents.batches = {{0, 0, 3, 16}};
        complete_provenance(contents.provenance, contents.batches, 1, 3, 0);
        for (const auto& [key, value] : facts) contents.provenance[key] = value;
        contents.tokens = tokens;
        contents.files = sizes.files();
        WindowPlaces windows;
        contents.file_bytes = [&](const std::string& name) {
            windows.add(sizes.part(units, name));
            return summary_npz(sizes.part(units, name));
        };
        contents.documents = [&](const auto& visit) {
            for (const StoredDocument& document : documents) visit(document);
        };
        contents.windows = [&](const auto& visit) {
            windows.visit(sizes.shape, [&](std::int32_t document) { return static_cast<std::int32_t>(documents[static_cast<std::size_t>(document)].ids.size()); }, visit);
        };
        write_store(folder, contents);
    }
};

}  // namespace lrp::test
