// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include <lrp/core/site.hpp>

namespace lrp {

/// Two views of the same loss of relevance.
struct Absorbed {
    double predicted = 0;
    double observed = 0;
    [[nodiscard]] double gap() const { return std::abs(predicted - observed); }
};

struct LedgerLayer {
    std::array<double, site_names.size()> total{};  ///< sum of relevance at each site
    Absorbed mlp;                                   ///< between resid_post and resid_mid
    Absorbed attention;                             ///< between resid_mid and resid_pre, the softmax of all heads included
    std::vector<Absorbed> heads;  ///< [H] at the softmax
    std::vector<Absorbed> rows;   ///< [H, T] at the softmax, row by row
};

struct Ledger {
    double explained = 0;            ///< sum of seed weight times logit
    double embedding = 0;            ///< total relevance that reached the embedding
    Absorbed output;                 ///< between the logits and the last layer's output
    std::vector<LedgerLayer> layers;
    double scale = 0;                ///< what gaps are measured against: the largest of |explained| and the mass sum_t |R_t| of any layer's output

    /// The largest gap between prediction and observation, relative to `scale`.
    [[nodiscard]] double largest_gap() const {
        double worst = output.gap();
        for (const auto& layer : layers) {
            worst = std::max({worst, layer.attention.gap(), layer.mlp.gap()});
            for (const auto& head : layer.heads) worst = std::max(worst, head.gap());
        }
        return scale > 0 ? worst / scale : worst;
    }
};

}  // namespace lrp
