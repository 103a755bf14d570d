// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/embedding.hpp>
#include <lrp/op/silu.hpp>
#include <lrp/rule/stop.hpp>

#include "conformance/heads_case.hpp"
#include "conformance/linear_case.hpp"
#include "conformance/norm_case.hpp"
#include "conformance/pair_case.hpp"
#include "conformance/softmax_case.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("StopRule passes nothing, and adds nothing to what is there", "[rule]", float, double) {
    for (const bool sliced : {false, true}) {
        LinearCase<TestType> linear(true, sliced);
        CHECK(gap(linear.apply(StopRule<Linear>{}), oracle::stop(linear.x)) == 0);
        SoftmaxCase<TestType> softmax({6, 7, 3}, sliced);
        CHECK(gap(softmax.apply(StopRule<Softmax>{}), oracle::stop(softmax.x)) == 0);
        RMSNormCase<TestType> norm(3, 5, sliced);
        CHECK(gap(norm.apply(StopRule<RMSNorm>{}), oracle::stop(norm.x)) == 0);
        PairCase<TestType, Multiply> product(sliced);
        CHECK(product.apply(StopRule<Multiply>{}) == std::pair{oracle::stop(product.a), oracle::stop(product.b)});
        PairCase<TestType, Add> sum(sliced);
        CHECK(sum.apply(StopRule<Add>{}) == std::pair{oracle::stop(sum.a), oracle::stop(sum.b)});
        for (const HeadsCase& shape : heads_cases()) {
            HeadsOn<TestType> on(shape, sliced);
            const auto [R_a, R_b] = on.apply(StopRule<MatMul>{});
            CHECK((peak(R_a) == 0 && peak(R_b) == 0));
        }
        Bench<TestType> bench(1, sliced);
        auto C = bench.coefficient(bench.normal(2, 3));
        const auto step = [&](auto out, Write write) { StopRule<Embedding>{}.propagate(bench.ctx, {}, {}, C.in(), out, write); };
        CHECK(peak(backward(bench, 5, 3, step)) == 0);
        const auto pointwise = [&](auto out, Write write) { StopRule<SiLU>{}.propagate(bench.ctx, {}, {}, C.in(), out, write); };
        CHECK(peak(backward(bench, 2, 3, pointwise)) == 0);
    }
}

}  // namespace lrp::test
