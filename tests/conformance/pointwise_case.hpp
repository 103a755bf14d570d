// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "conformance/fixture.hpp"

namespace lrp::test {

/// A pointwise op forward, and back under a plain derivative, on numbers of all sizes; in place too.
template <class O, class T>
void check_pointwise(const std::string& name, const oracle::Pointwise& f) {
    for (const bool sliced : {false, true}) {
        Bench<T> bench(11, sliced);
        Rows x = bench.normal(3, 37, 3);
        x[1][0] = 12, x[1][1] = -12, x[1][2] = 1e-3;
        const Rows c = bench.normal(3, 37), y = oracle::each(x, f.value);
        auto X = bench.activation(x), Y = bench.activation(3, 37);
        auto C = bench.coefficient(c);
        O::forward(bench.ctx, {}, X.in(), Y.out());
        agree<T>(name + " forward", bench.get(Y), y);
        const auto step = [&](auto out, Write write) { O::vjp(bench.ctx, {}, {X.in(), Y.in()}, C.in(), out, write); };
        const Rows c_x = backward(bench, 3, 37, step);
        agree_with_differences<T>(
            name, c_x, [&](const Rows& r) { return oracle::each(r, f.value); }, x, c);
        agree<T>(name + " vjp", c_x, oracle::multiply(oracle::each(x, f.slope), c));

        O::forward(bench.ctx, {}, X.in(), X.out());
        CHECK(gap(bench.get(X), bench.get(Y)) == 0);
    }
    Bench<T> bench;  // no overflow far out, no 0/0 at 0; one row of one number
    for (const double far : {-800.0, -0.0, 0.0, 800.0}) {
        auto X = bench.activation(Rows{{far}}), Y = bench.activation(1, 1);
        auto C = bench.coefficient(Rows{{1}});
        O::forward(bench.ctx, {}, X.in(), Y.out());
        CHECK(bench.get(Y)[0][0] == Approx(far == -800.0 ? f.value(-30.0) : f.value(far)).margin(1e-6));
        CHECK(std::isfinite(peak(backward(bench, 1, 1, [&](auto out, Write write) {
            O::vjp(bench.ctx, {}, {X.in(), Y.in()}, C.in(), out, write);
        }))));
        CHECK(std::isfinite(peak(backward(bench, 1, 1, [&](auto out, Write write) {
            O::ratio_vjp(bench.ctx, {}, {X.in(), Y.in()}, C.in(), out, write);
        }))));
    }
    auto X = bench.activation(bench.normal(2, 3)), none = bench.activation(2, 1);
    auto C = bench.coefficient(bench.normal(2, 3)), out = bench.coefficient(2, 3), narrow = bench.coefficient(2, 2);
    CHECK_THROWS_WITH(O::vjp(bench.ctx, {}, {none.in(), {}}, C.in(), out.out()), Catch::Matchers::Contains("pointwise op: saved input: expected shape [2, 3], found [2, 1]"));
    CHECK_THROWS_WITH(O::vjp(bench.ctx, {}, {X.in(), {}}, narrow.in(), out.out()), Catch::Matchers::Contains("pointwise op: saved input: expected shape [2, 2], found [2, 3]"));
    CHECK_THROWS_WITH(O::vjp(bench.ctx, {}, {X.in(), {}}, C.in(), narrow.out()), Catch::Matchers::Contains("pointwise op: coefficient of the input: expected shape [2, 3], found [2, 2]"));
}

}  // namespace lrp::test
