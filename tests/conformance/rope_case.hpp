// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/rope.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

/// Heads of size D at positions 0 .. T-1, turned on a backend; a coefficient drawn.
template <class T>
struct RopeCase {
    RopeCase(std::size_t count, std::size_t heads, std::size_t D, bool sliced)
        : bench(18, sliced),
          x(bench.normal(count, heads * D)),
          c(bench.normal(count, heads * D)),
          cosines(table(count, D, [](double angle) { return std::cos(angle); })),
          sines(table(count, D, [](double angle) { return std::sin(angle); })),
          X(bench.activation(x)),
          Y(bench.activation(count, heads * D)),
          C(bench.coefficient(c)),
          cos(bench.put(cosines)),
          sin(bench.put(sines)) {
        Rope::forward(bench.ctx, p, X.in(), Y.out());
    }
    /// f(angle) as T holds it.
    static Rows table(std::size_t count, std::size_t D, double (*f)(double)) {
        Rows out(count, Row(D / 2));
        for (std::size_t t = 0; t < count; ++t)
            for (std::size_t i = 0; i < D / 2; ++i) {
                const double angle = static_cast<double>(t) * std::pow(100.0, -2.0 * static_cast<double>(i) / static_cast<double>(D));
                out[t][i] = static_cast<double>(static_cast<T>(f(angle)));
            }
        return out;
    }
    [[nodiscard]] Rows y(const Rows& of) const { return oracle::rope(of, cosines, sines); }
    [[nodiscard]] Rows R() const { return oracle::multiply(y(x), c); }
    template <class R_>
    Rows apply(const R_& rule) {
        const auto step = [&](auto out, Write write) { rule.propagate(bench.ctx, p, {Y.in()}, C.in(), out, write); };
        return oracle::multiply(x, backward(bench, x.size(), x[0].size(), step));
    }

    Bench<T> bench;
    Rows x, c, cosines, sines;
    Placed<T, ActivationTag> X, Y;
    Placed<T, CoefficientTag> C;
    Placed<T, void> cos, sin;
    Rope::Params<T> p{cos.in(), sin.in()};
};

}  // namespace lrp::test
