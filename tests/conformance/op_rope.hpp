// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "conformance/rope_case.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("Rope turns pairs, and its backward turns them back", "[op]", float, double) {
    for (const bool sliced : {false, true}) {
        RopeCase<TestType> one(5, 3, 6, sliced);
        agree<TestType>("Rope forward", one.bench.get(one.Y), one.y(one.x));
        const auto back = [&](auto out, Write write) { Rope::vjp(one.bench.ctx, one.p, {one.Y.in()}, one.C.in(), out, write); };
        const Rows c_x = backward(one.bench, 5, 18, back);
        agree_with_differences<TestType>(
            "Rope", c_x, [&](const Rows& r) { return one.y(r); }, one.x, one.c);
        auto there = one.bench.coefficient(one.bench.get(one.Y)), again = one.bench.coefficient(5, 18);
        Rope::vjp(one.bench.ctx, one.p, {one.Y.in()}, there.in(), again.out());  // the inverse rotation of the rotated is the original
        agree<TestType>("Rope there and back", one.bench.get(again), one.x);
        Rope::forward(one.bench.ctx, one.p, one.X.in(), one.X.out());
        CHECK(gap(one.bench.get(one.X), one.bench.get(one.Y)) == 0);
    }
    RopeCase<TestType> first(1, 2, 4, false);  // at position 0 nothing turns
    CHECK(gap(first.bench.get(first.Y), first.x) == 0);
    RopeCase<TestType> longer(2, 1, 4, false);
    auto three = longer.bench.activation(longer.bench.normal(3, 4)), odd = longer.bench.activation(longer.bench.normal(2, 6));
    CHECK_THROWS_WITH(Rope::forward(longer.bench.ctx, longer.p, three.in(), three.out()),
                      Catch::Matchers::Contains("Rope: input [3, 4] does not fit tables [2, 2]"));
    CHECK_THROWS_WITH(Rope::forward(longer.bench.ctx, longer.p, odd.in(), odd.out()), Catch::Matchers::Contains("Rope: input [2, 6]"));
}

}  // namespace lrp::test
