// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A norm on a backend: its forward pass done, a coefficient drawn; for the tests of the op and of its rules.
#pragma once

#include <lrp/op/layer_norm.hpp>
#include <lrp/op/rms_norm.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

template <class T>
struct NormCase {
    NormCase(std::size_t rows, std::size_t width, bool sliced, unsigned seed = 15)
        : bench(seed, sliced),
          x(bench.normal(rows, width)),
          c(bench.normal(rows, width)),
          w(bench.normal(1, width)[0]),
          b(bench.normal(1, width)[0]),
          X(bench.activation(x)),
          Y(bench.activation(rows, width)),
          C(bench.coefficient(c)),
          weight(bench.line(w)),
          bias(bench.line(b)),
          statistic(bench.line(rows)),
          mean(bench.line(rows)) {}

    static constexpr double epsilon = 1e-3;  // large, so that it shows where it is forgotten

    Bench<T> bench;
    Rows x, c;
    Row w, b;
    Placed<T, ActivationTag> X, Y;
    Placed<T, CoefficientTag> C;
    Placed<T, void> weight, bias, statistic, mean;

    /// Relevance of the input under a rule (or anything with propagate), all ways of writing checked.
    template <class P, class S, class R>
    Rows apply(const R& rule, const P& p, const S& saved) {
        const auto step = [&](auto out, Write write) { rule.propagate(bench.ctx, p, saved, C.in(), out, write); };
        return oracle::multiply(x, backward(bench, x.size(), x[0].size(), step));
    }
};

template <class T>
struct RMSNormCase : NormCase<T> {
    RMSNormCase(std::size_t rows, std::size_t width, bool sliced) : NormCase<T>(rows, width, sliced) {
        RMSNorm::forward(this->bench.ctx, p, this->X.in(), this->Y.out(), this->statistic.data());
        saved = {this->X.in(), this->statistic.data(), this->Y.in()};
    }
    [[nodiscard]] Rows y(const Rows& of) const { return oracle::rms_norm(of, this->w, this->epsilon); }
    [[nodiscard]] Rows R() const { return oracle::multiply(y(this->x), this->c); }
    template <class R_>
    Rows apply(const R_& rule) {
        return NormCase<T>::apply(rule, p, saved);
    }
    RMSNorm::Params<T> p{this->weight.data(), this->epsilon};
    RMSNorm::Saved<T> saved;
};

template <class T>
struct LayerNormCase : NormCase<T> {
    LayerNormCase(std::size_t rows, std::size_t width, bool sliced, bool with_bias = true) : NormCase<T>(rows, width, sliced) {
        if (!with_bias) {
            this->b.clear();
            p.bias = nullptr;
        }
        LayerNorm::forward(this->bench.ctx, p, this->X.in(), this->Y.out(), this->mean.data(), this->statistic.data());
        saved = {this->X.in(), this->mean.data(), this->statistic.data(), this->Y.in()};
    }
    [[nodiscard]] Rows y(const Rows& of) const { return oracle::layer_norm(of, this->w, this->b, this->epsilon); }
    [[nodiscard]] Rows R() const { return oracle::multiply(y(this->x), this->c); }
    template <class R_>
    Rows apply(const R_& rule) {
        return NormCase<T>::apply(rule, p, saved);
    }
    LayerNorm::Params<T> p{this->weight.data(), this->bias.data(), this->epsilon};
    LayerNorm::Saved<T> saved;
};

}  // namespace lrp::test
