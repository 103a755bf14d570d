// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "conformance/softmax_case.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("Softmax, with and without a causal mask", "[op]", float, double) {
    for (const SoftmaxShape& shape : softmax_shapes())
        for (const bool sliced : {false, true}) {
            INFO("[" << shape.rows << ", " << shape.cols << "], queries " << shape.queries);
            SoftmaxCase<TestType> one(shape, sliced);
            const Rows s = one.bench.get(one.S);
            agree<TestType>("Softmax forward", s, one.s());
            for (std::size_t t = 0; t < shape.rows; ++t) {
                CHECK(total({s[t]}) == Approx(1).epsilon(1e-5));
                for (std::size_t j = one.seen(t); j < shape.cols; ++j) CHECK(s[t][j] == 0);
            }
            const auto step = [&](auto out, Write write) {
                Softmax::vjp(one.bench.ctx, one.p, {one.X.in(), one.S.in()}, one.C.in(), out, write);
            };
            const Rows c_x = backward(one.bench, shape.rows, shape.cols, step);
            if (shape.cols == 1) {  // one column is certain whatever its score
                CHECK(peak(s) == 1);
                CHECK(peak(c_x) == 0);
            } else if (shape.cols < 100) {
                agree_with_differences<TestType>(
                    "Softmax", c_x, [&](const Rows& r) { return oracle::softmax(r, shape.queries); }, one.x, one.c);
            }
        }
}

TEMPLATE_TEST_CASE("Softmax of large scores does not overflow, and writes over its input", "[op]", float, double) {
    Bench<TestType> bench;
    auto X = bench.activation(Rows{{1000, 999, -1000}, {-1e30, -1e30, -1e30}});
    Softmax::forward(bench.ctx, {}, X.in(), X.out());
    const double most = 1 / (1 + std::exp(-1.0));
    agree<TestType>("Softmax forward, large", bench.get(X), {{most, 1 - most, 0}, {1.0 / 3, 1.0 / 3, 1.0 / 3}});
}

TEMPLATE_TEST_CASE("Softmax refuses a mask with more queries than columns", "[op]", float) {
    using Catch::Matchers::Contains;
    Bench<TestType> bench;
    auto X = bench.activation(bench.normal(4, 3)), S = bench.activation(4, 3), narrow = bench.activation(4, 2);
    CHECK_NOTHROW(Softmax::forward(bench.ctx, {2}, X.in(), S.out()));
    CHECK_THROWS_WITH(Softmax::forward(bench.ctx, {4}, X.in(), S.out()),
                      Contains("a causal mask of 4 queries needs as many columns, found 3"));
    CHECK_THROWS_WITH(Softmax::forward(bench.ctx, {}, X.in(), narrow.out()), Contains("Softmax: output: expected shape [4, 3]"));
    auto C = bench.coefficient(bench.normal(4, 3)), out = bench.coefficient(4, 3), narrow_out = bench.coefficient(4, 2);
    CHECK_THROWS_WITH(Softmax::vjp(bench.ctx, {}, {X.in(), narrow.in()}, C.in(), out.out()), Contains("Softmax: saved output: expected shape [4, 3], found [4, 2]"));
    CHECK_THROWS_WITH(Softmax::vjp(bench.ctx, {}, {X.in(), S.in()}, C.in(), narrow_out.out()), Contains("Softmax: coefficient of the input: expected shape [4, 3], found [4, 2]"));
}

}  // namespace lrp::test
