// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/gradient.hpp>
#include <lrp/rule/stop.hpp>
#include <lrp/rule/taylor.hpp>
#include <lrp/rule/uniform.hpp>

#include "conformance/softmax_case.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("TaylorRule<Softmax>", "[rule]", float, double) {
    for (const SoftmaxShape& shape : softmax_shapes())
        for (const bool sliced : {false, true}) {
            INFO("[" << shape.rows << ", " << shape.cols << "], queries " << shape.queries);
            SoftmaxCase<TestType> one(shape, sliced);
            const Rows mine = one.apply(TaylorRule<Softmax>{}), s = one.s(), R = one.R();
            if (shape.cols == 1) {  // one column: s = 1 whatever x, so nothing passes and all is absorbed
                CHECK(peak(mine) == 0);
                continue;
            }
            agree<TestType>("TaylorRule<Softmax>", mine, oracle::taylor_softmax(one.x, shape.queries, R));
            for (std::size_t t = 0; t < shape.rows; ++t) {  // in E_s[c], out Cov_s(x, c): the difference is absorbed
                double expectation = 0, mean = 0, covariance = 0;
                for (std::size_t j = 0; j < one.seen(t); ++j) {
                    expectation += s[t][j] * one.c[t][j];
                    mean += s[t][j] * one.x[t][j];
                }
                for (std::size_t j = 0; j < one.seen(t); ++j) covariance += s[t][j] * (one.x[t][j] - mean) * (one.c[t][j] - expectation);
                const double absorbed = total({R[t]}) - total({mine[t]});
                CHECK(absorbed == Approx(expectation - covariance).margin(10 * tolerance<TestType> * std::max(1.0, peak(R))));
            }
            CHECK(gap(mine, one.apply(GradientRule<Softmax>{})) == 0);  // its coefficient is the derivative's
            CHECK(gap(mine, one.apply(StopRule<Softmax>{})) > 1e-2 * peak(R));
            CHECK(gap(mine, one.apply(UniformRule<Softmax>{})) > 1e-2 * peak(R));
        }
}

}  // namespace lrp::test
