// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace lrp {

/// A token with what speaks for it.
struct ScoredToken {
    std::int32_t token = 0;
    double score = 0;
};

/// The `count` best, the lower token first among equals.
[[nodiscard]] inline std::vector<ScoredToken> best_scored(std::vector<ScoredToken> all, std::size_t count) {
    const auto better = [](const ScoredToken& a, const ScoredToken& b) { return a.score != b.score ? a.score > b.score : a.token < b.token; };
    const std::size_t keep = std::min(count, all.size());
    std::partial_sort(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(keep), all.end(), better);
    all.resize(keep);
    return all;
}

}  // namespace lrp
