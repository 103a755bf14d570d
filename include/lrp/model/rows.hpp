// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Which rows a pass works on: several prompts one after another, and, in the last layer, only those from which something is explained.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <lrp/core/site.hpp>
#include <lrp/model/recompute.hpp>

namespace lrp {

/// Prompts packed into one pass: their tokens one prompt after another. Attention does not look across prompts and positions count from 0 in each,
/// so the results are those of separate passes.
struct PackedPrompts {
    std::vector<std::int32_t> ids;   ///< [T] of all prompts
    std::vector<RowSpan> prompts;    ///< the rows of each

    PackedPrompts() = default;
    explicit PackedPrompts(std::span<const std::int32_t> one) { add(one); }
    void add(std::span<const std::int32_t> prompt) {
        require(!prompt.empty(), "prompts: a prompt has no token");
        prompts.push_back({static_cast<Index>(ids.size()), static_cast<Index>(prompt.size())});
        ids.insert(ids.end(), prompt.begin(), prompt.end());
    }
};

/// How a pass is run.
struct PassOptions {
    /// Rows of the last layer: all, or those from each prompt's first explained position on, which are all that its logits depend on. The values are
    /// the same; observers find fewer rows at the sites of the last layer's query side (SiteRef::rows).
    enum class Rows { all, explained };

    Recompute recompute{};
    Rows rows = Rows::all;

    PassOptions() = default;
    PassOptions(Recompute recompute_, Rows rows_ = Rows::all) : recompute(recompute_), rows(rows_) {}
};

/// The rows of one layer: those with keys, prompt by prompt, and those with queries, which are the last of each prompt's.
struct LayerRows {
    std::span<const RowSpan> prompts;             ///< among all T rows
    std::span<const RowSpan> tails;               ///< of each prompt those with queries, among all T rows; empty: all
    std::span<const std::int32_t> tail_ids;       ///< the same, row by row [Q]
    Index past = 0;                               ///< the first rows of the only prompt, which are no part of this pass: their keys and values are cached

    [[nodiscard]] bool some() const { return !tails.empty(); }
    [[nodiscard]] Index count() const { return static_cast<Index>(prompts.size()); }
    /// Rows with queries, of a layer over `tokens` rows.
    [[nodiscard]] Index queries(Index tokens) const { return some() ? static_cast<Index>(tail_ids.size()) : tokens; }

    /// One prompt's rows: among those with keys, and among those with queries.
    struct Prompt {
        Index index;
        RowSpan keys, queries;
    };
    /// f(Prompt) for each.
    template <class F>
    void each(const F& f) const {
        Index first = 0;
        for (Index i = 0; i < count(); ++i) {
            const auto at = static_cast<std::size_t>(i);
            const Index queries_here = some() ? tails[at].count : prompts[at].count - past;
            f(Prompt{i, prompts[at], {first, queries_here}});
            first += queries_here;
        }
    }
};

}  // namespace lrp
