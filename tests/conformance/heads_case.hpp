// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Products of several heads, as attention makes them: the oracle of one head, applied to each, groups summed.
#pragma once

#include <lrp/op/matmul.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

struct HeadsCase {
    const char* what;
    std::size_t rows, inner, cols;  // of one head: A [rows, inner], B [inner, cols], Z [rows, cols]
    MatMul::Params<double> p;       // the same for every scalar

    [[nodiscard]] std::size_t count() const { return static_cast<std::size_t>(p.count); }
    [[nodiscard]] std::size_t blocks() const { return static_cast<std::size_t>(p.count / p.group); }

    template <class T>
    [[nodiscard]] MatMul::Params<T> params() const {
        return {p.count, p.group, p.transpose_b, p.scale, p.a_layout, p.b_layout, p.z_layout};
    }
    static std::pair<std::size_t, std::size_t> shape(std::size_t heads, HeadLayout layout, std::size_t r, std::size_t c) {
        return layout == HeadLayout::columns ? std::pair{r, heads * c} : std::pair{heads * r, c};
    }
    [[nodiscard]] auto a_shape() const { return shape(count(), p.a_layout, rows, inner); }
    [[nodiscard]] auto b_shape() const {
        return p.transpose_b ? shape(blocks(), p.b_layout, cols, inner) : shape(blocks(), p.b_layout, inner, cols);
    }
    [[nodiscard]] auto z_shape() const { return shape(count(), p.z_layout, rows, cols); }

    /// Row and column at which head h begins in a tensor of `heads` heads.
    static std::pair<std::size_t, std::size_t> corner(const Rows& all, std::size_t heads, HeadLayout layout, std::size_t h) {
        return layout == HeadLayout::columns ? std::pair{std::size_t{0}, h * (all[0].size() / heads)}
                                             : std::pair{h * (all.size() / heads), std::size_t{0}};
    }
    static Rows cut(const Rows& all, std::size_t heads, HeadLayout layout, std::size_t h) {
        const auto [row, col] = corner(all, heads, layout, h);
        return layout == HeadLayout::columns ? oracle::columns(all, col, all[0].size() / heads)
                                             : oracle::rows(all, row, all.size() / heads);
    }
    [[nodiscard]] Rows a(const Rows& A, std::size_t h) const { return cut(A, count(), p.a_layout, h); }
    /// s B of head h as [inner, cols], however it is stored.
    [[nodiscard]] Rows b(const Rows& B, std::size_t h) const {
        const Rows own = scaled(cut(B, blocks(), p.b_layout, h / static_cast<std::size_t>(p.group)), p.scale);
        return p.transpose_b ? oracle::transpose(own) : own;
    }

    [[nodiscard]] Rows forward(const Rows& A, const Rows& B) const {
        Rows Z(z_shape().first, Row(z_shape().second, 0.0));
        for (std::size_t h = 0; h < count(); ++h) {
            const auto [row, col] = corner(Z, count(), p.z_layout, h);
            oracle::add_at(Z, row, col, oracle::matmul(a(A, h), b(B, h)));
        }
        return Z;
    }
    /// Relevance of both factors; `one(A, B, R, RA, RB)` is the rule of one head.
    template <class One>
    std::pair<Rows, Rows> relevance(const Rows& A, const Rows& B, const Rows& R, const One& one) const {
        Rows RA = oracle::zeros_like(A), RB = oracle::zeros_like(B);
        for (std::size_t h = 0; h < count(); ++h) {
            Rows ra, rb;
            one(a(A, h), b(B, h), cut(R, count(), p.z_layout, h), ra, rb);
            const auto [a_row, a_col] = corner(A, count(), p.a_layout, h);
            oracle::add_at(RA, a_row, a_col, ra);
            const auto [b_row, b_col] = corner(B, blocks(), p.b_layout, h / static_cast<std::size_t>(p.group));
            oracle::add_at(RB, b_row, b_col, p.transpose_b ? oracle::transpose(rb) : rb);
        }
        return {RA, RB};
    }
};

inline const std::vector<HeadsCase>& heads_cases() {
    constexpr HeadLayout side_by_side = HeadLayout::columns, stacked = HeadLayout::rows;
    static const std::vector<HeadsCase> cases{
        {"one product", 4, 6, 5, {}},
        {"one product, B transposed", 4, 6, 5, {.transpose_b = true, .scale = 0.25}},
        {"one row", 1, 3, 1, {}},
        {"scores: 4 heads on 2 keys", 5, 3, 5, {.count = 4, .group = 2, .transpose_b = true, .scale = 0.5, .z_layout = stacked}},
        {"mix: 4 heads on 2 values", 5, 5, 3, {.count = 4, .group = 2, .a_layout = stacked, .b_layout = side_by_side}},
        {"mix: 3 heads on 1 value, all stacked",
         2,
         4,
         3,
         {.count = 3, .group = 3, .a_layout = stacked, .b_layout = stacked, .z_layout = stacked}},
    };
    return cases;
}

/// A case put on a backend, its forward pass done, a coefficient drawn.
template <class T>
struct HeadsOn {
    HeadsOn(const HeadsCase& one_, bool sliced)
        : one(one_),
          bench(13, sliced),
          a(bench.normal(one.a_shape().first, one.a_shape().second)),
          b(bench.normal(one.b_shape().first, one.b_shape().second)),
          c(bench.normal(one.z_shape().first, one.z_shape().second)),
          A(bench.activation(a)),
          B(bench.activation(b)),
          Z(bench.activation(c.size(), c[0].size())),
          C(bench.coefficient(c)),
          p(one.params<T>()) {
        MatMul::forward(bench.ctx, p, A.in(), B.in(), Z.out());
    }
    [[nodiscard]] MatMul::Saved<T> saved() const { return {A.in(), B.in(), Z.in()}; }
    /// Relevance at the output.
    [[nodiscard]] Rows R() const { return oracle::multiply(one.forward(a, b), c); }
    /// Relevance of both factors under a rule, all ways of writing checked.
    template <class R_>
    std::pair<Rows, Rows> apply(const R_& rule) {
        const auto [c_a, c_b] = backward_pair(
            bench, a, b, [&](auto out_a, auto out_b, Write write) { rule.propagate(bench.ctx, p, saved(), C.in(), out_a, out_b, write); });
        return {oracle::multiply(a, c_a), oracle::multiply(b, c_b)};
    }

    HeadsCase one;
    Bench<T> bench;
    Rows a, b, c;
    Placed<T, ActivationTag> A, B, Z;
    Placed<T, CoefficientTag> C;
    MatMul::Params<T> p;
};

}  // namespace lrp::test
