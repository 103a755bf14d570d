// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/epsilon.hpp>
#include <lrp/rule/gamma.hpp>

#include "conformance/linear_case.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("GammaRule<Linear>", "[rule]", float, double) {
    for (const bool with_bias : {false, true})
        for (const bool sliced : {false, true})
            for (const std::size_t rows : {1, 6}) {
                LinearCase<TestType> one(with_bias, sliced, rows);
                const double size = peak(one.R());
                for (const double gamma : {0.0, 0.25, 3.0, 100.0})
                    for (const double eps : {1e-9, 1e-3, 0.3})
                        agree<TestType>("GammaRule<Linear>", one.apply(GammaRule<Linear>{gamma, eps}),
                                        oracle::gamma_linear(one.x, one.W, one.b, one.R(), gamma, eps));
                // gamma = 0 is the epsilon rule, gamma without bound z+, in between it is neither.
                for (const double eps : {1e-6, 0.3})
                    CHECK(gap(one.apply(GammaRule<Linear>{0, eps}), one.apply(EpsilonRule<Linear>{eps})) <=
                          10 * tolerance<TestType> * size);
                const Rows z_plus = oracle::z_plus_linear(one.x, one.W, one.b, one.R());
                CHECK(gap(one.apply(GammaRule<Linear>{1e7, 1e-9}), z_plus) < 1e-5 * size);
                const Rows between = one.apply(GammaRule<Linear>{0.25, 1e-9});
                CHECK(gap(between, one.apply(EpsilonRule<Linear>{1e-9})) > 1e-2 * size);
                CHECK(gap(between, z_plus) > 1e-2 * size);
                if (!with_bias) CHECK(total(between) == Approx(total(one.R())).margin(1e-4 * size));  // nothing is lost
            }
}

TEMPLATE_TEST_CASE("GammaRule: an input of 0 counts as positive, and an output of 0 has nothing to share", "[rule]", float, double) {
    Bench<TestType> bench;
    auto W = bench.put(Rows{{1, 2, -1}});
    const Linear::Params<TestType> p{W.in()};
    const auto coefficient = [&](const Row& x, double epsilon) {
        auto X = bench.activation(Rows{x}), Z = bench.activation(1, 1);
        auto C = bench.coefficient(Rows{{1}}), out = bench.coefficient(1, 3);
        Linear::forward(bench.ctx, p, X.in(), Z.out());
        GammaRule<Linear>{0.25, epsilon}.propagate(bench.ctx, p, {X.in(), Z.in()}, C.in(), out.out());
        return bench.get(out)[0];
    };
    // z = 2 is shared over w' = (1.25, 2.5, -1): c = z w' / 2.5, for inputs of 0 too.
    const Row c = coefficient({0, 1, 0}, 0);
    CHECK((c[0] == Approx(1) && c[1] == Approx(2) && c[2] == Approx(-0.8)));
    for (const Row& x : {Row{0, 0, 0}, Row{1, 0, 1}}) CHECK(coefficient(x, 0) == Row{0, 0, 0});
}

TEMPLATE_TEST_CASE("GammaRule says what it needs", "[rule]", float) {
    LinearCase<TestType> one(false);
    auto out = one.bench.coefficient(6, 9);
    CHECK_THROWS_WITH(one.apply(GammaRule<Linear>{-0.5}), Catch::Matchers::Contains("gamma must not be negative, found -0.5"));
    CHECK_THROWS_WITH(one.apply(GammaRule<Linear>{0.25, -6}), Catch::Matchers::Contains("epsilon must be 0 or positive, found -6"));
    CHECK(one.apply(GammaRule<Linear>{0, 1e-9}) == one.apply(EpsilonRule<Linear>{1e-9}));
    CHECK_THROWS_WITH(GammaRule<Linear>{}.propagate(one.bench.ctx, one.p, {{}, one.Z.in()}, one.C.in(), out.out()),
                      Catch::Matchers::Contains("saved input"));
    CHECK_THROWS_WITH(GammaRule<Linear>{}.propagate(one.bench.ctx, one.p, {one.X.in(), {}}, one.C.in(), out.out()),
                      Catch::Matchers::Contains("saved output"));
    auto narrow = one.bench.coefficient(6, 2);
    CHECK_THROWS_WITH(GammaRule<Linear>{}.propagate(one.bench.ctx, one.p, {one.X.in(), one.Z.in()}, one.C.in(), narrow.out()),
                      Catch::Matchers::Contains("GammaRule<Linear>: coefficient of the input: expected shape [6, 9], found [6, 2]"));
}

}  // namespace lrp::test
