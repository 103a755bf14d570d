// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/epsilon.hpp>
#include <lrp/rule/gradient.hpp>
#include <lrp/rule/stop.hpp>
#include <lrp/rule/uniform.hpp>

#include "conformance/heads_case.hpp"
#include "conformance/pair_case.hpp"
#include "conformance/softmax_case.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("UniformRule<MatMul>: half to either factor", "[rule]", float, double) {
    for (const HeadsCase& shape : heads_cases())
        for (const bool sliced : {false, true}) {
            INFO(shape.what);
            HeadsOn<TestType> on(shape, sliced);
            const double size = peak(on.R());
            for (const double eps : {0.0, 1e-6, 0.2}) {
                const auto [R_a, R_b] = on.apply(UniformRule<MatMul>{eps});
                const auto right =
                    shape.relevance(on.a, on.b, on.R(), [eps](const Rows& A, const Rows& B, const Rows& R, Rows& RA, Rows& RB) {
                        oracle::uniform_matmul(A, B, R, eps, RA, RB);
                    });
                agree<TestType>("UniformRule<MatMul>", R_a, right.first);
                agree<TestType>("UniformRule<MatMul>", R_b, right.second);
                if (eps == 0) {  // conserved, and half of it on either side
                    CHECK(total(R_a) == Approx(total(on.R()) / 2).margin(50 * tolerance<TestType> * size));
                    CHECK(total(R_b) == Approx(total(on.R()) / 2).margin(50 * tolerance<TestType> * size));
                    const auto gradient = on.apply(GradientRule<MatMul>{});
                    CHECK(gap(gradient.first, R_a) > 1e-2 * size);
                    CHECK(gap(gradient.first, scaled(R_a, 2)) <= 10 * tolerance<TestType> * size);
                    CHECK(gap(on.apply(EpsilonRule<MatMul>{}).second, R_b) > 1e-2 * size);
                } else if (eps > 0.1) {
                    CHECK(gap(R_a, on.apply(UniformRule<MatMul>{}).first) > 1e-2 * size);
                }
            }
        }
}

TEMPLATE_TEST_CASE("UniformRule<Multiply>: half to either factor", "[rule]", float, double) {
    for (const bool sliced : {false, true}) {
        PairCase<TestType, Multiply> one(sliced);
        for (const double eps : {0.0, 1e-6, 0.2}) {
            const auto [R_a, R_b] = one.apply(UniformRule<Multiply>{eps});
            agree<TestType>("UniformRule<Multiply>", R_a, oracle::uniform_multiply(one.a, one.b, one.R(), eps));
            agree<TestType>("UniformRule<Multiply>", R_b, oracle::uniform_multiply(one.a, one.b, one.R(), eps));
            if (eps == 0) {
                CHECK(total(R_a) + total(R_b) == Approx(total(one.R())).margin(1e-4));
                CHECK(gap(one.apply(GradientRule<Multiply>{}).first, R_a) > 1e-2);
                CHECK(gap(one.apply(EpsilonRule<Multiply>{}).second, R_b) > 1e-2);
            }
        }
    }
}

TEMPLATE_TEST_CASE("UniformRule<Softmax>: every visible score gets the same", "[rule]", float, double) {
    for (const SoftmaxShape& shape : softmax_shapes())
        for (const bool sliced : {false, true}) {
            INFO("[" << shape.rows << ", " << shape.cols << "], queries " << shape.queries);
            SoftmaxCase<TestType> one(shape, sliced);
            const Rows R = one.R();
            for (const double eps : {1e-6, 0.1})
                agree<TestType>("UniformRule<Softmax>", one.apply(UniformRule<Softmax>{eps}),
                                oracle::uniform_softmax(one.x, shape.queries, R, eps));
            const Rows exact = one.apply(UniformRule<Softmax>{0});
            agree<TestType>("UniformRule<Softmax>", exact, oracle::uniform_softmax(one.x, shape.queries, R, 0));
            for (std::size_t t = 0; t < shape.rows; ++t)  // without damping each row is conserved
                CHECK(total({exact[t]}) == Approx(total({R[t]})).margin(50 * tolerance<TestType> * std::max(1.0, peak(R))));
            CHECK(gap(exact, one.apply(StopRule<Softmax>{})) > 1e-3 * peak(R));
            CHECK(gap(exact, one.apply(GradientRule<Softmax>{})) > 1e-3 * peak(R));
        }
}

TEMPLATE_TEST_CASE("UniformRule<Softmax> at a score of 0: the coefficient is finite, the damping takes the share", "[rule]", float,
                   double) {
    SoftmaxCase<TestType> one({4, 5, 0}, false, 0);
    const Rows c_x = one.coefficient(UniformRule<Softmax>{0.5});
    const double share = total({one.R()[3]}) / 5;
    CHECK(c_x[3][0] == Approx(share / 0.5));  // sgn(0) = +1
    CHECK_THROWS_WITH(one.coefficient(UniformRule<Softmax>{-1}), Catch::Matchers::Contains("epsilon must be 0 or positive, found -1"));
    CHECK(total({oracle::multiply(one.x, one.coefficient(UniformRule<Softmax>{}))[3]}) == Approx(4 * share).epsilon(1e-3));
}

}  // namespace lrp::test
