// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "conformance/norm_case.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("LayerNorm", "[op]", float, double) {
    for (const bool sliced : {false, true}) {
        LayerNormCase<TestType> one(4, 11, sliced);
        agree<TestType>("LayerNorm forward", one.bench.get(one.Y), one.y(one.x));
        const auto step = [&](auto out, Write write) { LayerNorm::vjp(one.bench.ctx, one.p, one.saved, one.C.in(), out, write); };
        const Rows c_x = backward(one.bench, 4, 11, step);
        agree_with_differences<TestType>(
            "LayerNorm", c_x, [&](const Rows& r) { return one.y(r); }, one.x, one.c);
    }
    LayerNormCase<TestType> small(1, 1, false);  // one number in one row
    agree<TestType>("LayerNorm forward", small.bench.get(small.Y), small.y(small.x));
    auto zero = small.bench.activation(Rows{{0, 0, 0}}), out = small.bench.activation(1, 3);
    auto weight = small.bench.line(Row{1, 2, 3});
    const LayerNorm::Params<TestType> p{weight.data(), weight.data(), 1e-5};  // a constant row is its bias
    LayerNorm::forward(small.bench.ctx, p, zero.in(), out.out(), small.mean.data(), small.statistic.data());
    CHECK(gap(small.bench.get(out), {{1, 2, 3}}) == 0);
    LayerNormCase<TestType> plain(3, 8, false, false);
    agree<TestType>("LayerNorm forward", plain.bench.get(plain.Y), plain.y(plain.x));
}

}  // namespace lrp::test
