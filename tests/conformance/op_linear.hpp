// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/linear.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("Linear, with and without bias", "[op]", float, double) {
    struct Shape {
        std::size_t rows, in, out;
    };
    for (const auto& [rows, in, out] : {Shape{5, 7, 9}, Shape{1, 1, 1}, Shape{1, 13, 3}})
        for (const bool with_bias : {false, true})
            for (const bool sliced : {false, true}) {
                Bench<TestType> bench(12, sliced);
                const Rows x = bench.normal(rows, in), W = bench.normal(out, in), c = bench.normal(rows, out);
                const Row b = with_bias ? bench.normal(1, out)[0] : Row{};
                auto X = bench.activation(x), Z = bench.activation(rows, out);
                auto C = bench.coefficient(c);
                auto weight = bench.put(W), bias = bench.line(with_bias ? b : Row(out, not_a_number));
                const Linear::Params<TestType> p{weight.in(), with_bias ? bias.data() : nullptr};
                Linear::forward(bench.ctx, p, X.in(), Z.out());
                agree<TestType>("Linear forward", bench.get(Z), oracle::linear(x, W, b));
                const Rows c_x = backward(bench, rows, in, [&](auto to, Write write) { Linear::vjp(bench.ctx, p, {}, C.in(), to, write); });
                agree<TestType>("Linear vjp", c_x, oracle::matmul(c, W));
                agree_with_differences<TestType>(
                    "Linear", c_x, [&](const Rows& r) { return oracle::linear(r, W, b); }, x, c);
            }
}

TEMPLATE_TEST_CASE("Linear refuses shapes that do not fit", "[op]", float) {
    using Catch::Matchers::Contains;
    Bench<TestType> bench;
    auto X = bench.activation(2, 3), Z = bench.activation(2, 4);
    auto C = bench.coefficient(2, 4), c_x = bench.coefficient(2, 3);
    auto good = bench.put(bench.normal(4, 3)), wide = bench.put(bench.normal(4, 5)), tall = bench.put(bench.normal(6, 3));
    const auto forward = [&](auto& weight) { Linear::forward(bench.ctx, {weight.in()}, X.in(), Z.out()); };
    const auto back = [&](auto& weight) { Linear::vjp(bench.ctx, {weight.in()}, {}, C.in(), c_x.out()); };
    CHECK_NOTHROW(forward(good));
    CHECK_THROWS_WITH(forward(wide), Contains("the input has 3 columns, the weight takes 5"));
    CHECK_THROWS_WITH(forward(tall), Contains("Linear: output: expected shape [2, 6], found [2, 4]"));
    CHECK_THROWS_WITH(back(tall), Contains("the coefficient has 4 columns, the weight gives 6"));
    CHECK_THROWS_WITH(back(wide), Contains("expected shape [2, 5], found [2, 3]"));
}

}  // namespace lrp::test
