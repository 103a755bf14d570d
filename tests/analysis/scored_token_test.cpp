// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/analysis/scored_token.hpp>

#include "support/catch.hpp"

using lrp::best_scored;
using lrp::ScoredToken;

TEST_CASE("best_scored: the best first, the lower token among equals, no more than there are") {
    const std::vector<ScoredToken> all{{5, 1.0}, {2, 3.0}, {9, 3.0}, {1, -2.0}, {0, 1.0}};
    std::vector<std::int32_t> tokens;
    for (const ScoredToken& t : best_scored(all, 4)) tokens.push_back(t.token);
    CHECK(tokens == std::vector<std::int32_t>{2, 9, 0, 5});
    CHECK(best_scored(all, 9).size() == 5);
    CHECK(best_scored({}, 3).empty());
}
