// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "conformance/norm_case.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("RMSNorm", "[op]", float, double) {
    for (const bool sliced : {false, true}) {
        RMSNormCase<TestType> one(4, 11, sliced);
        agree<TestType>("RMSNorm forward", one.bench.get(one.Y), one.y(one.x));
        const auto step = [&](auto out, Write write) { RMSNorm::vjp(one.bench.ctx, one.p, one.saved, one.C.in(), out, write); };
        const Rows c_x = backward(one.bench, 4, 11, step);
        agree_with_differences<TestType>(
            "RMSNorm", c_x, [&](const Rows& r) { return one.y(r); }, one.x, one.c);
    }
    RMSNormCase<TestType> bare(4, 11, false);
    bare.saved.input = {};
    auto c_x = bare.bench.coefficient(4, 11), narrow = bare.bench.coefficient(4, 10);
    CHECK_THROWS_WITH(RMSNorm::vjp(bare.bench.ctx, bare.p, bare.saved, bare.C.in(), c_x.out()), Catch::Matchers::Contains("RMSNorm: saved input: expected shape [4, 11]"));
    CHECK_THROWS_WITH(RMSNorm::frozen_vjp(bare.bench.ctx, bare.p, bare.saved, bare.C.in(), narrow.out()), Catch::Matchers::Contains("RMSNorm: coefficient of the input"));
    RMSNormCase<TestType> small(1, 1, false);  // one number in one row
    agree<TestType>("RMSNorm forward", small.bench.get(small.Y), small.y(small.x));
    auto zero = small.bench.activation(Rows{{0, 0, 0}}), out = small.bench.activation(1, 3);
    auto weight = small.bench.line(Row{1, 2, 3});
    RMSNorm::forward(small.bench.ctx, {weight.data(), 1e-6}, zero.in(), out.out(), small.statistic.data());
    CHECK(peak(small.bench.get(out)) == 0);
    CHECK(small.bench.get(small.statistic)[0][0] == Approx(1000).epsilon(1e-5));  // 1 / sqrt(1e-6)
}

}  // namespace lrp::test
