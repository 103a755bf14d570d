// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/thrust/arena.hpp>

#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

TEST_CASE("pieces are aligned, apart, and joined again when given back") {
    Arena arena(4096);
    const auto a = arena.take(1), b = arena.take(256), c = arena.take(257);
    CHECK((a == 0 && b == 256 && c == 512));
    CHECK(arena.available() == 4096 - 1024);
    arena.give(b);
    CHECK(arena.take(200) == 256);  // the first gap that fits
    arena.give(a);
    arena.give(256);
    CHECK(arena.largest() == 4096 - 1024);
    CHECK(arena.take(512) == 0);  // a and b are one piece again
    arena.give(0);
    arena.give(c);
    CHECK((arena.available() == 4096 && arena.largest() == 4096));
    arena.give(12345);  // never taken: nothing happens
    CHECK(arena.available() == 4096);
}

TEST_CASE("an exhausted arena says what was asked for and what there is, and goes on") {
    Arena arena(1000);
    CHECK(arena.size() == 768);
    const auto first = arena.take(300), second = arena.take(100);
    CHECK_THROWS_WITH(arena.take(1), Contains("arena: 1 bytes were asked for, 0 of 768 are free, 0 in one piece"));
    arena.give(first);
    CHECK_THROWS_WITH(arena.take(513), Contains("513 bytes were asked for, 512 of 768 are free"));
    CHECK(arena.take(512) == first);
    arena.give(second);
    CHECK_THROWS_AS(Arena(0).take(1), Error);
}

TEST_CASE("whatever is taken and given back, no two pieces overlap and nothing is lost") {
    Arena arena(64 * 256);
    std::mt19937 random(3);
    std::vector<std::pair<std::uint64_t, std::uint64_t>> held;  // offset, length
    for (int step = 0; step < 4000; ++step) {
        if (!held.empty() && random() % 2 == 0) {
            const std::size_t which = random() % held.size();
            arena.give(held[which].first);
            held.erase(held.begin() + static_cast<std::ptrdiff_t>(which));
        } else {
            const std::uint64_t bytes = 1 + random() % 2000, whole = (bytes + 255) / 256 * 256;
            if (arena.largest() < whole) continue;
            const auto at = arena.take(bytes);
            bool apart = at % 256 == 0 && at + whole <= arena.size();
            for (const auto& [offset, length] : held) apart = apart && (at + whole <= offset || offset + length <= at);
            if (!apart) FAIL("piece at " << at << " of " << whole << " bytes overlaps another");
            held.emplace_back(at, whole);
        }
        std::uint64_t taken = 0;
        for (const auto& piece : held) taken += piece.second;
        if (arena.available() + taken != arena.size()) FAIL("bytes were lost in step " << step);
    }
    for (const auto& piece : held) arena.give(piece.first);
    CHECK(arena.largest() == arena.size());
}
