// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/add.hpp>
#include <lrp/op/multiply.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

/// Two matrices of one shape on a backend, multiplied or added element by element; a coefficient drawn.
template <class T, class O>
struct PairCase {
    explicit PairCase(bool sliced)
        : bench(24, sliced),
          a(bench.normal(3, 7)),
          b(bench.normal(3, 7)),
          c(bench.normal(3, 7)),
          A(bench.activation(a)),
          B(bench.activation(b)),
          Y(bench.activation(3, 7)),
          C(bench.coefficient(c)) {
        O::forward(bench.ctx, {}, A.in(), B.in(), Y.out());
    }
    [[nodiscard]] Rows R() const { return oracle::multiply(std::same_as<O, Add> ? oracle::add(a, b) : oracle::multiply(a, b), c); }

    /// Relevance of both inputs, all ways of writing checked. Both addends of a sum get one coefficient.
    template <class R_>
    std::pair<Rows, Rows> apply(const R_& rule) {
        if constexpr (std::same_as<O, Add>) {
            const auto step = [&](auto out, Write write) { rule.propagate(bench.ctx, {}, {Y.in()}, C.in(), out, write); };
            const Rows both = backward(bench, 3, 7, step);
            return {oracle::multiply(a, both), oracle::multiply(b, both)};
        } else {
            const auto step = [&](auto out_a, auto out_b, Write write) {
                rule.propagate(bench.ctx, {}, {A.in(), B.in(), Y.in()}, C.in(), out_a, out_b, write);
            };
            const auto [c_a, c_b] = backward_pair(bench, a, b, step);
            return {oracle::multiply(a, c_a), oracle::multiply(b, c_b)};
        }
    }

    Bench<T> bench;
    Rows a, b, c;
    Placed<T, ActivationTag> A, B, Y;
    Placed<T, CoefficientTag> C;
};

}  // namespace lrp::test
