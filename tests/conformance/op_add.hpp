// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/add.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("Add", "[op]", float, double) {
    for (const bool sliced : {false, true}) {
        Bench<TestType> bench(17, sliced);
        const Rows a = bench.normal(3, 8), b = bench.normal(3, 8), c = bench.normal(3, 8);
        auto A = bench.activation(a), B = bench.activation(b), Y = bench.activation(3, 8);
        auto C = bench.coefficient(c);
        Add::forward(bench.ctx, {}, A.in(), B.in(), Y.out());
        agree<TestType>("Add forward", bench.get(Y), oracle::add(a, b));
        const auto step = [&](auto out, Write write) { Add::vjp(bench.ctx, {}, {Y.in()}, C.in(), out, write); };
        const Rows c_a = backward(bench, 3, 8, step);
        agree<TestType>("Add vjp", c_a, c);
        agree_with_differences<TestType>(
            "Add", c_a, [&](const Rows& r) { return oracle::add(r, b); }, a, c);

        step(C.out(), Write{});  // one coefficient serves both addends: its own memory is left as it is ...
        CHECK(gap(bench.get(C), c) == 0);
        step(C.out(), Write{2, true});  // ... or scaled and added to itself
        agree<TestType>("Add vjp", bench.get(C), scaled(c, 3));
        Add::forward(bench.ctx, {}, A.in(), B.in(), A.out());
        CHECK(gap(bench.get(A), bench.get(Y)) == 0);
        auto narrow = bench.activation(3, 7);
        CHECK_THROWS_WITH(Add::forward(bench.ctx, {}, A.in(), B.in(), narrow.out()),
                          Catch::Matchers::Contains("Add: output: expected shape [3, 8], found [3, 7]"));
    }
}

}  // namespace lrp::test
