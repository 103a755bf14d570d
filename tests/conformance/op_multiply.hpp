// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/multiply.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("Multiply", "[op]", float, double) {
    for (const bool sliced : {false, true}) {
        Bench<TestType> bench(17, sliced);
        const Rows a = bench.normal(3, 8), b = bench.normal(3, 8), c = bench.normal(3, 8);
        auto A = bench.activation(a), B = bench.activation(b), Y = bench.activation(3, 8);
        auto C = bench.coefficient(c);
        Multiply::forward(bench.ctx, {}, A.in(), B.in(), Y.out());
        agree<TestType>("Multiply forward", bench.get(Y), oracle::multiply(a, b));
        const Multiply::Saved<TestType> saved{A.in(), B.in(), Y.in()};
        const auto [c_a, c_b] = backward_pair(bench, a, b, [&](auto out_a, auto out_b, Write write) {
            Multiply::vjp_first(bench.ctx, {}, saved, C.in(), out_a, write);
            Multiply::vjp_second(bench.ctx, {}, saved, C.in(), out_b, write);
        });
        agree_with_differences<TestType>(
            "Multiply first", c_a, [&](const Rows& r) { return oracle::multiply(r, b); }, a, c);
        agree_with_differences<TestType>(
            "Multiply second", c_b, [&](const Rows& r) { return oracle::multiply(a, r); }, b, c);
        Multiply::forward(bench.ctx, {}, A.in(), B.in(), A.out());
        CHECK(gap(bench.get(A), bench.get(Y)) == 0);
    }
    Bench<TestType> bench;
    auto A = bench.activation(bench.normal(3, 8)), B = bench.activation(bench.normal(3, 7)), Y = bench.activation(3, 8);
    CHECK_THROWS_WITH(Multiply::forward(bench.ctx, {}, A.in(), B.in(), Y.out()),
                      Catch::Matchers::Contains("Multiply: second factor: expected shape [3, 8], found [3, 7]"));
    auto C = bench.coefficient(bench.normal(3, 8)), out = bench.coefficient(3, 8);
    CHECK_THROWS_WITH(Multiply::vjp_first(bench.ctx, {}, {A.in(), B.in(), Y.in()}, C.in(), out.out()),
                      Catch::Matchers::Contains("Multiply: saved factor: expected shape [3, 8], found [3, 7]"));
    Multiply::forward(bench.ctx, {}, A.in(), A.in(), Y.out());
    agree<TestType>("Multiply forward", bench.get(Y), oracle::multiply(bench.get(A), bench.get(A)));
}

}  // namespace lrp::test
