// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/softmax.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

/// Shape of a softmax: `queries` rows per head under a causal mask, 0 without one.
struct SoftmaxShape {
    std::size_t rows, cols, queries;
};
inline const std::vector<SoftmaxShape>& softmax_shapes() {
    static const std::vector<SoftmaxShape> shapes{{6, 6, 0}, {6, 6, 6}, {15, 5, 5}, {6, 7, 3},
                                                  {1, 1, 1}, {1, 1, 0}, {2, 1, 0},  {4, 301, 0}};
    return shapes;
}

/// A softmax on a backend, its forward pass done, a coefficient drawn. The columns that a row does not see hold what must not be read.
template <class T>
struct SoftmaxCase {
    SoftmaxCase(SoftmaxShape shape_, bool sliced, double at_corner = 0.75)
        : shape(shape_),
          bench(26, sliced),
          x(with_corner(bench.normal(shape.rows, shape.cols, 1.5), at_corner)),
          c(bench.normal(shape.rows, shape.cols)),
          X(bench.activation(with_garbage(x))),
          S(bench.activation(shape.rows, shape.cols)),
          C(bench.coefficient(with_garbage(c))),
          p{static_cast<Index>(shape.queries)} {
        Softmax::forward(bench.ctx, p, X.in(), S.out());
    }
    static Rows with_corner(Rows x, double value) { return x.back()[0] = value, x; }
    [[nodiscard]] std::size_t seen(std::size_t row) const { return oracle::visible(row, shape.cols, shape.queries); }
    [[nodiscard]] Rows with_garbage(Rows a) const {
        const double garbage[] = {not_a_number, INFINITY, -INFINITY, 1e30};
        for (std::size_t t = 0; t < a.size(); ++t)
            for (std::size_t j = seen(t); j < a[t].size(); ++j) a[t][j] = garbage[(t + j) % 4];
        return a;
    }

    [[nodiscard]] Rows s() const { return oracle::softmax(x, shape.queries); }
    /// Relevance at the output.
    [[nodiscard]] Rows R() const { return oracle::multiply(s(), c); }
    /// The coefficient at the input under a rule, all ways of writing checked.
    template <class R_>
    Rows coefficient(const R_& rule) {
        const auto step = [&](auto out, Write write) { rule.propagate(bench.ctx, p, {X.in(), S.in()}, C.in(), out, write); };
        const Rows c_x = backward(bench, shape.rows, shape.cols, step);
        for (std::size_t t = 0; t < shape.rows; ++t)
            for (std::size_t j = seen(t); j < shape.cols; ++j) CHECK(c_x[t][j] == 0);
        return c_x;
    }
    template <class R_>
    Rows apply(const R_& rule) {
        return oracle::multiply(x, coefficient(rule));
    }

    SoftmaxShape shape;
    Bench<T> bench;
    Rows x, c;
    Placed<T, ActivationTag> X, S;
    Placed<T, CoefficientTag> C;
    Softmax::Params<T> p;
};

}  // namespace lrp::test
