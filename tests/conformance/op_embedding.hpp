// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/embedding.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("Embedding gathers rows; its backward adds to them", "[op]", float, double) {
    for (const bool sliced : {false, true}) {
        Bench<TestType> bench(19, sliced);
        const Rows table = bench.normal(6, 4), c = bench.normal(3, 4);
        const std::vector<std::int32_t> ids{5, 2, 5};
        auto E = bench.put(table);
        auto Y = bench.activation(3, 4);
        auto C = bench.coefficient(c), c_table = bench.coefficient(6, 4);
        const Embedding::Params<TestType> p{E.in(), ids};
        Embedding::forward(bench.ctx, p, Y.out());
        CHECK(gap(bench.get(Y), oracle::embedding(table, ids)) == 0);
        Embedding::vjp(bench.ctx, p, {Y.in()}, C.in(), c_table.out());
        const Rows once = bench.get(c_table);
        agree_with_differences<TestType>(
            "Embedding", once, [&](const Rows& r) { return oracle::embedding(r, ids); }, table, c);
        Embedding::vjp(bench.ctx, p, {Y.in()}, C.in(), c_table.out(), {.accumulate = true});
        agree<TestType>("Embedding vjp, twice", bench.get(c_table), scaled(once, 2));
        CHECK_THROWS_WITH(Embedding::vjp(bench.ctx, p, {Y.in()}, C.in(), c_table.out(), {.scale = 2}),
                          Catch::Matchers::Contains("takes no scale"));
        for (const std::int32_t bad : {6, -1}) {
            const std::vector<std::int32_t> wrong{5, bad, 0};
            CHECK_THROWS_WITH(Embedding::forward(bench.ctx, {E.in(), wrong}, Y.out()),
                              Catch::Matchers::Contains("token id " + std::to_string(bad) + " is outside the vocabulary of 6"));
        }
    }
}

}  // namespace lrp::test
