// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/epsilon.hpp>
#include <lrp/rule/relevance_form.hpp>

#include "conformance/linear_case.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("one rule in relevance form", "[rule]", float, double) {
    for (const bool sliced : {false, true}) {
        LinearCase<TestType> one(true, sliced);
        const Rows R = one.R();
        auto r_z = one.bench.template put<RelevanceTag>(R), r_x = one.bench.template put<RelevanceTag>(Rows(6, Row(9, not_a_number)));
        propagate_relevance(one.bench.ctx, EpsilonRule<Linear>{1e-3}, one.p, {one.X.in(), one.Z.in()}, r_z.in(), r_x.out());
        agree<TestType>("propagate_relevance", one.bench.get(r_x), oracle::epsilon_linear(one.x, one.W, one.b, R, 1e-3));
    }
}

TEMPLATE_TEST_CASE("R = x c, and c = R / x with 0 where x is 0", "[rule]", float, double) {
    Bench<TestType> bench(5);
    Rows x = bench.normal(3, 4);
    x[1][2] = 0;
    const Rows c = bench.normal(3, 4);
    auto X = bench.activation(x);
    auto C = bench.coefficient(c), back = bench.coefficient(3, 4);
    auto R = bench.template put<RelevanceTag>(oracle::zeros_like(x));
    to_relevance(bench.ctx, X.in(), C.in(), R.out());
    agree<TestType>("to_relevance", bench.get(R), oracle::multiply(x, c));
    to_coefficient(bench.ctx, X.in(), R.in(), back.out());
    Rows right = c;
    right[1][2] = 0;
    agree<TestType>("to_coefficient", bench.get(back), right);
    auto narrow = bench.coefficient(3, 3);
    CHECK_THROWS_WITH(to_relevance(bench.ctx, X.in(), narrow.in(), R.out()),
                      Catch::Matchers::Contains("coefficient: expected shape [3, 4], found [3, 3]"));
}

}  // namespace lrp::test
