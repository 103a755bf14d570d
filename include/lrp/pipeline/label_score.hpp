// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <unordered_map>
#include <vector>

#include <lrp/core/scalar.hpp>
#include <lrp/store/schema.hpp>

namespace lrp {

/// How well labels' tokens predict activations on texts that were not collected. A label predicts 1 where the token is one of its own and 0
/// elsewhere; its score is the Pearson correlation of that with the activation (for the pole min: with its negative) over all counted positions of
/// all texts. The null: the same for labels drawn from other units of the site and pole. A label whose tokens never occur, or a unit that never
/// changes, scores 0.
class LabelScorer {
  public:
    static constexpr std::size_t shuffles = 40;

    LabelScorer(std::vector<StoredLabel>& labels, std::size_t layers, Index neurons, Index heads) : labels_(labels) {
        units_[0] = neurons;
        units_[1] = heads;
        for (const std::size_t site : {std::size_t{0}, std::size_t{1}}) cells_[site].resize(layers);
        std::map<std::string, std::vector<std::size_t>> alike;  // labels of one site and pole
        for (std::size_t i = 0; i < labels.size(); ++i) alike[labels[i].site + labels[i].pole].push_back(i);
        std::mt19937_64 random(1);  // the same every time
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const StoredLabel& label = labels[i];
            const auto& others = alike[label.site + label.pole];
            for (std::size_t s = 0; s <= shuffles; ++s) {
                std::size_t from = i;
                for (int tries = 0; s > 0 && tries < 20 && from == i; ++tries) from = others[random() % others.size()];
                const std::size_t cell = hits_.size();
                hits_.push_back({});
                std::istringstream tokens(labels[from].tokens);
                for (std::int32_t token = 0; tokens >> token;) cells_[label.site == "head" ? 1 : 0].at(static_cast<std::size_t>(label.layer))[token].push_back({static_cast<Index>(label.unit), cell});
            }
        }
        for (const std::size_t site : {std::size_t{0}, std::size_t{1}}) totals_[site].assign(layers, std::vector<Total>(static_cast<std::size_t>(units_[site])));
    }

    /// Activations [rows, units] of one site of one layer; `ids` of the rows, of which those count that are marked.
    void add(bool head, std::size_t layer, const std::vector<std::int32_t>& ids, const std::vector<bool>& counts, const std::vector<float>& activation) {
        const std::size_t site = head ? 1 : 0;
        for (std::size_t row = 0; row < ids.size(); ++row) {
            if (!counts[row]) continue;
            const float* value = &activation[row * static_cast<std::size_t>(units_[site])];
            auto& totals = totals_[site][layer];
            for (std::size_t u = 0; u < totals.size(); ++u) {
                totals[u].sum += value[u];
                totals[u].squares += static_cast<double>(value[u]) * value[u];
            }
            if (const auto found = cells_[site][layer].find(ids[row]); found != cells_[site][layer].end())
                for (const Cell& cell : found->second) {
                    hits_[cell.hit].sum += value[cell.unit];
                    hits_[cell.hit].count += 1;
                }
        }
    }
    /// Once for each text, after its layers.
    void end_text(const std::vector<bool>& counts) { positions_ += static_cast<double>(std::count(counts.begin(), counts.end(), true)); }

    /// Writes the scores into the labels.
    void finish() {
        for (std::size_t i = 0; i < labels_.size(); ++i) {
            StoredLabel& label = labels_[i];
            const Total& total = totals_[label.site == "head" ? 1 : 0][static_cast<std::size_t>(label.layer)][static_cast<std::size_t>(label.unit)];
            const double sign = label.pole == "min" ? -1 : 1;
            std::vector<double> null;
            for (std::size_t s = 0; s <= shuffles; ++s) {
                const double r = sign * correlation(hits_[i * (shuffles + 1) + s], total);
                if (s == 0) {
                    label.score = r;
                } else {
                    null.push_back(r);
                }
            }
            std::sort(null.begin(), null.end());
            label.null_mean = 0;
            for (const double r : null) label.null_mean += r / static_cast<double>(shuffles);
            label.null_high = null[shuffles * 95 / 100 - 1];
        }
    }

  private:
    struct Cell {
        Index unit = 0;
        std::size_t hit = 0;
    };
    struct Hit {
        double sum = 0, count = 0;
    };
    struct Total {
        double sum = 0, squares = 0;
    };

    [[nodiscard]] double correlation(const Hit& hit, const Total& total) const {
        const double n = positions_, spread = (n * total.squares - total.sum * total.sum) * hit.count * (n - hit.count);
        return spread > 0 ? (n * hit.sum - hit.count * total.sum) / std::sqrt(spread) : 0.0;
    }

    std::vector<StoredLabel>& labels_;
    std::array<Index, 2> units_{};
    std::array<std::vector<std::unordered_map<std::int32_t, std::vector<Cell>>>, 2> cells_;  // site, layer: token -> labels that have it
    std::vector<Hit> hits_;                                                                 // [label, 1 + shuffles]
    std::array<std::vector<std::vector<Total>>, 2> totals_;                                 // site, layer, unit
    double positions_ = 0;
};

}  // namespace lrp
