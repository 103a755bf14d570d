// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "conformance/heads_case.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("MatMul: one product, or heads in groups", "[op]", float, double) {
    for (const HeadsCase& one : heads_cases())
        for (const bool sliced : {false, true}) {
            INFO(one.what);
            HeadsOn<TestType> on(one, sliced);
            agree<TestType>("MatMul forward", on.bench.get(on.Z), one.forward(on.a, on.b));
            const auto [c_a, c_b] = backward_pair(on.bench, on.a, on.b, [&](auto out_a, auto out_b, Write write) {
                MatMul::vjp_first(on.bench.ctx, on.p, on.saved(), on.C.in(), out_a, write);
                MatMul::vjp_second(on.bench.ctx, on.p, on.saved(), on.C.in(), out_b, write);
            });
            agree_with_differences<TestType>(
                "MatMul first", c_a, [&](const Rows& r) { return one.forward(r, on.b); }, on.a, on.c);
            agree_with_differences<TestType>(
                "MatMul second", c_b, [&](const Rows& r) { return one.forward(on.a, r); }, on.b, on.c);
        }
}

TEMPLATE_TEST_CASE("MatMul refuses heads that do not fit", "[op]", float) {
    Bench<TestType> bench;
    auto A = bench.activation(bench.normal(4, 6)), B = bench.activation(bench.normal(5, 6)), Z = bench.activation(4, 5);
    const auto run = [&](const MatMul::Params<TestType>& p) { MatMul::forward(bench.ctx, p, A.in(), B.in(), Z.out()); };
    CHECK_NOTHROW(run({.transpose_b = true}));
    CHECK_THROWS_WITH(run({}), Catch::Matchers::Contains("MatMul: shapes of one head do not fit: A [4, 6], B [5, 6], Z [4, 5]"));
    auto narrow = bench.activation(4, 4);
    CHECK_THROWS_WITH(MatMul::forward(bench.ctx, MatMul::Params<TestType>{.transpose_b = true}, A.in(), B.in(), narrow.out()), Catch::Matchers::Contains("(transposed)"));
    CHECK_THROWS_WITH(run({.count = 3, .group = 2}), Catch::Matchers::Contains("MatMul: 3 heads cannot share factors in groups of 2"));
    CHECK_THROWS_WITH(run({.count = 4}), Catch::Matchers::Contains("cannot be cut into 4 heads"));
    CHECK_THROWS_WITH(run({.count = 0}), Catch::Matchers::Contains("0 heads"));
}

}  // namespace lrp::test
