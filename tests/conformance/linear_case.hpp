// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/linear.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

/// A linear layer on a backend, its forward pass done, a coefficient drawn. x holds a 0 and, without bias, one output is exactly 0.
template <class T>
struct LinearCase {
    explicit LinearCase(bool with_bias, bool sliced = false, std::size_t rows = 6)
        : bench(21, sliced),
          x(with_zero(bench.normal(rows, 9))),
          W(with_dead_output(bench.normal(5, 9))),
          c(bench.normal(rows, 5)),
          b(with_bias ? bench.normal(1, 5)[0] : Row{}),
          X(bench.activation(x)),
          Z(bench.activation(rows, 5)),
          C(bench.coefficient(c)),
          weight(bench.put(W)),
          bias(bench.line(with_bias ? b : Row(5, not_a_number))),
          p{weight.in(), with_bias ? bias.data() : nullptr} {
        Linear::forward(bench.ctx, p, X.in(), Z.out());
    }
    static Rows with_zero(Rows x) { return x[0][0] = 0, x; }
    static Rows with_dead_output(Rows W) { return W[3] = Row(W[3].size(), 0.0), W; }

    /// Relevance at the output.
    [[nodiscard]] Rows R() const { return oracle::multiply(oracle::linear(x, W, b), c); }
    /// Relevance at the input under a rule, all ways of writing checked.
    template <class R_>
    Rows apply(const R_& rule) {
        const auto step = [&](auto out, Write write) { rule.propagate(bench.ctx, p, {X.in(), Z.in()}, C.in(), out, write); };
        return oracle::multiply(x, backward(bench, x.size(), 9, step));
    }

    Bench<T> bench;
    Rows x, W, c;
    Row b;
    Placed<T, ActivationTag> X, Z;
    Placed<T, CoefficientTag> C;
    Placed<T, void> weight, bias;
    Linear::Params<T> p;
};

}  // namespace lrp::test
