// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/epsilon.hpp>
#include <lrp/rule/gradient.hpp>

#include "conformance/heads_case.hpp"
#include "conformance/linear_case.hpp"
#include "conformance/pair_case.hpp"
#include "conformance/rope_case.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("EpsilonRule<Linear>", "[rule]", float, double) {
    for (const bool with_bias : {false, true})
        for (const bool sliced : {false, true})
            for (const std::size_t rows : {1, 6}) {
                LinearCase<TestType> one(with_bias, sliced, rows);
                for (const double eps : {0.0, 1e-6, 0.3})
                    agree<TestType>("EpsilonRule<Linear>", one.apply(EpsilonRule<Linear>{eps}),
                                    oracle::epsilon_linear(one.x, one.W, one.b, one.R(), eps));
                double lost = 0;  // LRP-0 loses the bias's share b c_z and nothing else
                for (const Row& row : one.c)
                    for (std::size_t o = 0; o < one.b.size(); ++o) lost += one.b[o] * row[o];
                CHECK(total(one.R()) - total(one.apply(EpsilonRule<Linear>{})) ==
                      Approx(lost).margin(10 * tolerance<TestType> * peak(one.R())));
                CHECK(gap(one.apply(EpsilonRule<Linear>{0.3}), one.apply(EpsilonRule<Linear>{})) > 1e-2 * peak(one.R()));
                CHECK(gap(one.apply(EpsilonRule<Linear>{}), one.apply(GradientRule<Linear>{})) ==
                      0);  // LRP-0's coefficient is the derivative's
            }
}

TEMPLATE_TEST_CASE("EpsilonRule with a negative output damps towards 0, not away from it", "[rule]", float, double) {
    Bench<TestType> bench;
    auto X = bench.activation(Rows{{1}}), Z = bench.activation(1, 3);
    auto C = bench.coefficient(Rows{{1, 1, 1}});
    for (const int place : {0, 1, 2}) {  // z = -0.5, 0, 0.5 one at a time
        Rows W(3, Row{0});
        W[static_cast<std::size_t>(place)][0] = 0.5 * (place - 1);
        auto weight = bench.put(W);
        const Linear::Params<TestType> p{weight.in()};
        Linear::forward(bench.ctx, p, X.in(), Z.out());
        const Rows c_x = backward(bench, 1, 1, [&](auto out, Write write) {
            EpsilonRule<Linear>{0.25}.propagate(bench.ctx, p, {X.in(), Z.in()}, C.in(), out, write);
        });
        CHECK(c_x[0][0] == Approx(0.5 * (place - 1) * 0.5 / 0.75));
    }
}

TEMPLATE_TEST_CASE("EpsilonRule says what it needs", "[rule]", float) {
    LinearCase<TestType> one(false);
    auto out = one.bench.coefficient(6, 9);
    CHECK_THROWS_WITH(EpsilonRule<Linear>{1e-3}.propagate(one.bench.ctx, one.p, {one.X.in(), {}}, one.C.in(), out.out()),
                      Catch::Matchers::Contains("the op's output [6, 5] must have been saved, found [0, 0]"));
    CHECK_THROWS_WITH(one.apply(EpsilonRule<Linear>{-1}), Catch::Matchers::Contains("epsilon must be 0 or positive, found -1"));
    CHECK_NOTHROW(EpsilonRule<Linear>{}.propagate(one.bench.ctx, one.p, {}, one.C.in(), out.out()));  // LRP-0 saves nothing
}

TEMPLATE_TEST_CASE("EpsilonRule<Add>", "[rule]", float, double) {
    for (const bool sliced : {false, true}) {
        PairCase<TestType, Add> one(sliced);
        for (const double eps : {0.0, 1e-6, 0.2}) {
            const auto [R_a, R_b] = one.apply(EpsilonRule<Add>{eps});
            agree<TestType>("EpsilonRule<Add>", R_a, oracle::epsilon_add(one.a, one.b, one.R(), eps));
            agree<TestType>("EpsilonRule<Add>", R_b, oracle::epsilon_add(one.b, one.a, one.R(), eps));
            if (eps == 0) CHECK(total(R_a) + total(R_b) == Approx(total(one.R())).margin(1e-4));
        }
    }
}

TEMPLATE_TEST_CASE("EpsilonRule<Rope>", "[rule]", float, double) {
    for (const bool sliced : {false, true}) {
        RopeCase<TestType> one(5, 2, 6, sliced);
        for (const double eps : {0.0, 1e-6, 0.2})
            agree<TestType>("EpsilonRule<Rope>", one.apply(EpsilonRule<Rope>{eps}),
                            oracle::epsilon_rope(one.x, one.cosines, one.sines, one.R(), eps));
        CHECK(total(one.apply(EpsilonRule<Rope>{})) == Approx(total(one.R())).margin(1e-4));
    }
}

TEMPLATE_TEST_CASE("EpsilonRule<MatMul>: the second factor gets everything", "[rule]", float, double) {
    for (const HeadsCase& shape : heads_cases())
        for (const bool sliced : {false, true}) {
            INFO(shape.what);
            HeadsOn<TestType> on(shape, sliced);
            for (const double eps : {0.0, 0.2}) {
                const auto [R_a, R_b] = on.apply(EpsilonRule<MatMul>{eps});
                const auto right =
                    shape.relevance(on.a, on.b, on.R(), [eps](const Rows& A, const Rows& B, const Rows& R, Rows& RA, Rows& RB) {
                        RA = oracle::zeros_like(A);
                        RB = oracle::epsilon_matmul_second(A, B, R, eps);
                    });
                CHECK(peak(R_a) == 0);
                agree<TestType>("EpsilonRule<MatMul>", R_b, right.second);
                if (eps == 0) CHECK(total(R_b) == Approx(total(on.R())).margin(1e-4));
            }
        }
}

TEMPLATE_TEST_CASE("EpsilonRule<Multiply>: the second factor gets everything", "[rule]", float, double) {
    for (const bool sliced : {false, true}) {
        PairCase<TestType, Multiply> one(sliced);
        for (const double eps : {0.0, 0.2}) {
            const auto [R_a, R_b] = one.apply(EpsilonRule<Multiply>{eps});
            CHECK(peak(R_a) == 0);
            agree<TestType>("EpsilonRule<Multiply>", R_b, oracle::epsilon_multiply_second(one.a, one.b, one.R(), eps));
        }
    }
}

}  // namespace lrp::test
