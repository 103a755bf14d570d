// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/gated_product.hpp>
#include <lrp/op/silu.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

TEMPLATE_TEST_CASE("a gated product is an activation and a product, bit for bit", "[op]", float, double) {
    for (const bool sliced : {false, true}) {
        Bench<TestType> bench(5, sliced);
        const Rows g = bench.normal(3, 37, 3), u = bench.normal(3, 37), c = bench.normal(3, 37);
        const auto G = bench.activation(g), U = bench.activation(u);
        const auto C = bench.coefficient(c);
        auto act = bench.activation(3, 37), two = bench.activation(3, 37), one = bench.activation(3, 37);
        SiLU::forward(bench.ctx, {}, G.in(), act.out());
        Multiply::forward(bench.ctx, {}, act.in(), U.in(), two.out());
        GatedProduct<SiLU>::forward(bench.ctx, G.in(), U.in(), one.out());
        agree<TestType>("GatedProduct forward", bench.get(one), oracle::multiply(oracle::each(g, oracle::silu.value), u));
        CHECK(gap(bench.get(one), bench.get(two)) <= tolerance<TestType> * peak(bench.get(two)) / 16);  // a card may fuse the multiplication

        auto c_g = bench.coefficient(3, 37), c_u = bench.coefficient(3, 37);
        GatedProduct<SiLU>::template backward<SiLU::Derivative>(bench.ctx, 0.5, 2, G.in(), U.in(), C.in(), c_g.out(), c_u.out());
        const auto y = [&](const Rows& a, const Rows& b) { return oracle::multiply(oracle::each(a, oracle::silu.value), b); };
        agree_with_differences<TestType>("GatedProduct g", scaled(bench.get(c_g), 2), [&](const Rows& x) { return y(x, u); }, g, c);
        agree_with_differences<TestType>("GatedProduct u", scaled(bench.get(c_u), 0.5), [&](const Rows& x) { return y(g, x); }, u, c);
        auto ratio = bench.coefficient(3, 37), rest = bench.coefficient(3, 37);
        GatedProduct<SiLU>::template backward<SiLU::Ratio>(bench.ctx, 0.5, 0.5, G.in(), U.in(), C.in(), ratio.out(), rest.out());
        agree<TestType>("GatedProduct shares", oracle::multiply(g, bench.get(ratio)), scaled(oracle::multiply(y(g, u), c), 0.5));
        agree<TestType>("GatedProduct shares", oracle::multiply(u, bench.get(rest)), scaled(oracle::multiply(y(g, u), c), 0.5));
    }
}

}  // namespace lrp::test
