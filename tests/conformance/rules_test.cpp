// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Every rule on every op it admits: against the oracle in relevance form, its conservation, and its difference from its neighbour.
#include <lrp/op/embedding.hpp>
#include <lrp/op/gelu.hpp>
#include <lrp/op/layer_norm.hpp>
#include <lrp/op/relu.hpp>
#include <lrp/op/rope.hpp>
#include <lrp/op/tanh.hpp>
#include <lrp/rule/composite.hpp>
#include <lrp/rule/relevance_form.hpp>

#include "conformance/fixture.hpp"

using namespace lrp;
using namespace lrp::test;

namespace {

/// Relevance at an output of coefficient c.
Rows relevance(const Rows& y, const Rows& c) { return times(y, c); }

template <class T>
struct LinearCase {
    explicit LinearCase(bool with_bias, unsigned seed = 21) : bench(seed) {
        x = bench.normal(6, 9);
        x[0][0] = 0;
        W = bench.normal(5, 9);
        for (double& w : W[3]) w = 0;  // an output that is exactly 0 without bias
        b = with_bias ? bench.normal(1, 5)[0] : Row{};
        c = bench.normal(6, 5);
        X.emplace(bench.activation(x));
        weight.emplace(bench.put(W));
        if (with_bias) bias.emplace(bench.put(Rows{b}));
        z.emplace(bench.activation(6, 5));
        p = {std::as_const(*weight).view(), with_bias ? bias->view().data : nullptr};
        Linear::forward(bench.ctx, p, X->view().as_const(), z->view());
        C.emplace(bench.coefficient(c));
    }
    /// R_x of a rule.
    template <class R>
    Rows apply(const R& rule, Write write = {}) {
        auto c_x = bench.coefficient(bench.normal(6, 9, 0));
        rule.propagate(bench.ctx, p, {X->view(), z->view()}, C->view().as_const(), c_x.view(), write);
        return times(x, bench.get(c_x));
    }
    Rows R() { return relevance(oracle::linear(x, W, b), c); }

    Bench<T> bench;
    Rows x, W, c;
    Row b;
    Linear::Params<T> p;
    std::optional<ActivationTensor<typename Bench<T>::B>> X, z;
    std::optional<CoefficientTensor<typename Bench<T>::B>> C;
    std::optional<Tensor<typename Bench<T>::B>> weight, bias;
};

}  // namespace

TEMPLATE_TEST_CASE("EpsilonRule<Linear>", "", float, double) {
    for (const bool bias : {false, true}) {
        LinearCase<TestType> one(bias);
        for (const double eps : {0.0, 1e-6, 0.3}) agree<TestType>("EpsilonRule<Linear>", one.apply(EpsilonRule<Linear>{eps}), oracle::epsilon_linear(one.x, one.W, one.b, one.R(), eps), 4);
        double lost = 0;  // LRP-0 loses the bias's share and nothing else
        for (const Row& row : one.c)
            for (std::size_t o = 0; o < row.size() && bias; ++o) lost += one.b[o] * row[o];
        CHECK(total(one.R()) - total(one.apply(EpsilonRule<Linear>{})) == Approx(lost).margin(1e-4));
        CHECK(gap(one.apply(EpsilonRule<Linear>{0.3}), one.apply(EpsilonRule<Linear>{})) > 1e-3);
        CHECK(gap(one.apply(EpsilonRule<Linear>{}), one.apply(GradientRule<Linear>{})) == 0);  // in coefficients LRP-0 is the gradient
        Rows twice = one.apply(EpsilonRule<Linear>{0.3});
        for (Row& row : twice)
            for (double& v : row) v *= 2;
        CHECK(gap(one.apply(EpsilonRule<Linear>{0.3}, {2, true}), twice) < 1e-4);
    }
    LinearCase<TestType> one(false);
    auto c_x = one.bench.coefficient(6, 9);
    CHECK_THROWS_WITH(EpsilonRule<Linear>{1e-3}.propagate(one.bench.ctx, one.p, {one.X->view(), {}}, one.C->view().as_const(), c_x.view()),
                      Catch::Matchers::Contains("must have been saved"));
    CHECK_THROWS_WITH(one.apply(EpsilonRule<Linear>{-1}), Catch::Matchers::Contains("epsilon must be 0 or positive, found -1"));
}

TEMPLATE_TEST_CASE("the stabiliser looks at the sign", "", float, double) {
    const Stabilizer<TestType> stab{TestType(0.5)};
    CHECK(stab(0) == TestType(0.5));
    CHECK(stab(TestType(-0.0)) == TestType(0.5));
    CHECK(stab(-2) == TestType(-2.5));
    CHECK(stab.damping(0) == 0);
    CHECK(stab.damping(-2) == Approx(0.8));
    Bench<TestType> bench;
    bench.ctx.calls = 1;  // arithmetic of a value, no backend
}

TEMPLATE_TEST_CASE("GammaRule<Linear>", "", float, double) {
    for (const bool bias : {false, true}) {
        LinearCase<TestType> one(bias);
        for (const double gamma : {0.0, 0.25, 3.0, 1e4})
            agree<TestType>("GammaRule<Linear>", one.apply(GammaRule<Linear>{gamma, 1e-6}), oracle::gamma_linear(one.x, one.W, one.b, one.R(), gamma, 1e-6),
                            gamma > 100 ? 100 : 10);
        CHECK(gap(one.apply(GammaRule<Linear>{0, 1e-6}), one.apply(EpsilonRule<Linear>{1e-6})) < 1e-3 * peak(one.R()));
        CHECK(gap(one.apply(GammaRule<Linear>{0.25}), one.apply(EpsilonRule<Linear>{})) > 1e-2);
        Rows twice = one.apply(GammaRule<Linear>{0.25});
        for (Row& row : twice)
            for (double& v : row) v *= 2;
        CHECK(gap(one.apply(GammaRule<Linear>{0.25}, {2, true}), twice) < 1e-3);
    }
    LinearCase<TestType> one(false);  // without bias nothing is lost
    Rows R = one.R();
    CHECK(total(one.apply(GammaRule<Linear>{0.5, 0})) == Approx(total(R)).epsilon(1e-3));
}

TEMPLATE_TEST_CASE("StopRule passes nothing", "", float, double) {
    LinearCase<TestType> one(true);
    CHECK(peak(one.apply(StopRule<Linear>{})) == 0);
    Bench<TestType> bench;
    auto c_a = bench.coefficient(Rows{{1, 2}}), c_b = bench.coefficient(Rows{{1, 2}}), c = bench.coefficient(Rows{{1, 1}});
    StopRule<Multiply>{}.propagate(bench.ctx, {}, {}, c.view().as_const(), c_a.view(), c_b.view(), {.accumulate = true});
    CHECK(total(bench.get(c_a)) == 3);
    StopRule<Multiply>{}.propagate(bench.ctx, {}, {}, c.view().as_const(), c_a.view(), c_b.view());
    CHECK(peak(bench.get(c_a)) + peak(bench.get(c_b)) == 0);
    auto table = bench.coefficient(Rows{{5, 5}});
    StopRule<Embedding>{}.propagate(bench.ctx, {}, {}, c.view().as_const(), table.view());
    CHECK(peak(bench.get(table)) == 0);
}

namespace {
template <class O, class T>
void check_identity(const std::string& name, double (*f)(double)) {
    Bench<T> bench(22);
    Rows x = bench.normal(4, 25, 2);
    x[0][0] = 0;
    const Rows c = bench.normal(4, 25);
    auto X = bench.activation(x), y = bench.activation(4, 25);
    auto C = bench.coefficient(c), c_x = bench.coefficient(4, 25);
    O::forward(bench.ctx, {}, X.view().as_const(), y.view());
    IdentityRule<O>{}.propagate(bench.ctx, {}, {X.view(), y.view()}, C.view().as_const(), c_x.view());
    agree<T>("IdentityRule<" + name + ">", times(x, bench.get(c_x)), relevance(oracle::pointwise(x, f), c), 3);
    CHECK(std::isfinite(peak(bench.get(c_x))));
    auto gradient = bench.coefficient(4, 25);
    GradientRule<O>{}.propagate(bench.ctx, {}, {X.view(), y.view()}, C.view().as_const(), gradient.view());
    if (name == "ReLU") {
        CHECK(gap(bench.get(c_x), bench.get(gradient)) == 0);
    } else {
        CHECK(gap(bench.get(c_x), bench.get(gradient)) > 1e-2);
    }
}
}  // namespace

TEMPLATE_TEST_CASE("IdentityRule on pointwise ops: R_x = R_y", "", float, double) {
    check_identity<SiLU, TestType>("SiLU", oracle::silu);
    check_identity<GELU, TestType>("GELU", oracle::gelu);
    check_identity<TanhGELU, TestType>("TanhGELU", oracle::tanh_gelu);
    check_identity<ReLU, TestType>("ReLU", oracle::relu);
    check_identity<Tanh, TestType>("Tanh", [](double v) { return std::tanh(v); });
}

TEMPLATE_TEST_CASE("IdentityRule on norms", "", float, double) {
    Bench<TestType> bench(23);
    const Rows x = bench.normal(4, 13), w = bench.normal(1, 13), b = bench.normal(1, 13), c = bench.normal(4, 13);
    auto X = bench.activation(x), y = bench.activation(4, 13);
    auto C = bench.coefficient(c), c_x = bench.coefficient(4, 13), gradient = bench.coefficient(4, 13);
    auto weight = bench.put(w), bias = bench.put(b), r = bench.put(Rows(1, Row(4))), mean = bench.put(Rows(1, Row(4)));
    const RMSNorm::Params<TestType> rms{weight.view().data, 1e-5};
    RMSNorm::forward(bench.ctx, rms, X.view().as_const(), y.view(), r.view().data);
    const RMSNorm::Saved<TestType> saved{X.view(), r.view().data, y.view()};
    IdentityRule<RMSNorm>{}.propagate(bench.ctx, rms, saved, C.view().as_const(), c_x.view());
    agree<TestType>("IdentityRule<RMSNorm>", times(x, bench.get(c_x)), times(bench.get(y), c));
    GradientRule<RMSNorm>{}.propagate(bench.ctx, rms, saved, C.view().as_const(), gradient.view());
    CHECK(gap(bench.get(gradient), bench.get(c_x)) > 1e-2);

    const LayerNorm::Params<TestType> norm{weight.view().data, bias.view().data, 1e-5};
    LayerNorm::forward(bench.ctx, norm, X.view().as_const(), y.view(), mean.view().data, r.view().data);
    const LayerNorm::Saved<TestType> kept{X.view(), mean.view().data, r.view().data, y.view()};
    IdentityRule<LayerNorm>{}.propagate(bench.ctx, norm, kept, C.view().as_const(), c_x.view());
    const Rows R = times(bench.get(y), c);
    agree<TestType>("IdentityRule<LayerNorm>", times(x, bench.get(c_x)), oracle::identity_layer_norm(x, w[0], b[0], 1e-5, R), 20);
    double lost = 0;
    for (const Row& row : c)
        for (std::size_t j = 0; j < row.size(); ++j) lost += b[0][j] * row[j];
    CHECK(total(R) - total(times(x, bench.get(c_x))) == Approx(lost).margin(1e-4));
    GradientRule<LayerNorm>{}.propagate(bench.ctx, norm, kept, C.view().as_const(), gradient.view());
    CHECK(gap(bench.get(gradient), bench.get(c_x)) > 1e-2);
}

TEMPLATE_TEST_CASE("UniformRule and EpsilonRule on products", "", float, double) {
    Bench<TestType> bench(24);
    const Rows a = bench.normal(4, 6), b = bench.normal(6, 5), c = bench.normal(4, 5);
    auto A = bench.activation(a), Bm = bench.activation(b), Z = bench.activation(4, 5);
    auto C = bench.coefficient(c), c_a = bench.coefficient(4, 6), c_b = bench.coefficient(6, 5);
    const MatMul::Params<TestType> p{};
    MatMul::forward(bench.ctx, p, A.view().as_const(), Bm.view().as_const(), Z.view());
    const MatMul::Saved<TestType> saved{A.view(), Bm.view(), Z.view()};
    const Rows R = relevance(oracle::matmul(a, b), c);
    for (const double eps : {0.0, 0.2}) {
        Rows RA, RB;
        oracle::uniform_matmul(a, b, R, eps, RA, RB);
        UniformRule<MatMul>{eps}.propagate(bench.ctx, p, saved, C.view().as_const(), c_a.view(), c_b.view());
        agree<TestType>("UniformRule<MatMul>", times(a, bench.get(c_a)), RA, 4);
        agree<TestType>("UniformRule<MatMul>", times(b, bench.get(c_b)), RB, 4);
        if (eps == 0) {
            CHECK(total(RA) + total(RB) == Approx(total(R)).epsilon(1e-6));
            CHECK(total(times(a, bench.get(c_a))) == Approx(total(R) / 2).epsilon(1e-3));
        }
        EpsilonRule<MatMul>{eps}.propagate(bench.ctx, p, saved, C.view().as_const(), c_a.view(), c_b.view());
        CHECK(peak(bench.get(c_a)) == 0);
        for (Row& row : RB)
            for (double& v : row) v *= 2;
        agree<TestType>("EpsilonRule<MatMul>", times(b, bench.get(c_b)), RB, 4);
    }
    GradientRule<MatMul>{}.propagate(bench.ctx, p, saved, C.view().as_const(), c_a.view(), c_b.view());
    CHECK(total(times(a, bench.get(c_a))) == Approx(total(R)).epsilon(1e-3));  // twice the uniform share

    const Rows x = bench.normal(3, 7), y = bench.normal(3, 7), k = bench.normal(3, 7);
    auto X = bench.activation(x), Y = bench.activation(y), P = bench.activation(3, 7);
    auto K = bench.coefficient(k), c_x = bench.coefficient(3, 7), c_y = bench.coefficient(3, 7);
    Multiply::forward(bench.ctx, {}, X.view().as_const(), Y.view().as_const(), P.view());
    const Multiply::Saved<TestType> pair{X.view(), Y.view(), P.view()};
    const Rows RP = relevance(times(x, y), k);
    Rows half = RP;
    for (Row& row : half)
        for (double& v : row) v /= 2;
    UniformRule<Multiply>{}.propagate(bench.ctx, {}, pair, K.view().as_const(), c_x.view(), c_y.view());
    agree<TestType>("UniformRule<Multiply>", times(x, bench.get(c_x)), half, 2);
    agree<TestType>("UniformRule<Multiply>", times(y, bench.get(c_y)), half, 2);
    EpsilonRule<Multiply>{}.propagate(bench.ctx, {}, pair, K.view().as_const(), c_x.view(), c_y.view());
    agree<TestType>("EpsilonRule<Multiply>", times(y, bench.get(c_y)), RP, 2);
    CHECK(peak(bench.get(c_x)) == 0);
    GradientRule<Multiply>{}.propagate(bench.ctx, {}, pair, K.view().as_const(), c_x.view(), c_y.view());
    agree<TestType>("GradientRule<Multiply>", times(x, bench.get(c_x)), RP, 2);
}

TEMPLATE_TEST_CASE("EpsilonRule on sums and rotations", "", float, double) {
    Bench<TestType> bench(25);
    const Rows a = bench.normal(3, 6), b = bench.normal(3, 6), c = bench.normal(3, 6);
    auto A = bench.activation(a), Bt = bench.activation(b), y = bench.activation(3, 6);
    auto C = bench.coefficient(c), c_a = bench.coefficient(3, 6);
    Add::forward(bench.ctx, {}, A.view().as_const(), Bt.view().as_const(), y.view());
    const Rows sum = bench.get(y);
    for (const double eps : {0.0, 0.2}) {
        EpsilonRule<Add>{eps}.propagate(bench.ctx, {}, {y.view()}, C.view().as_const(), c_a.view());
        Rows right = a;
        for (std::size_t i = 0; i < 3; ++i)
            for (std::size_t j = 0; j < 6; ++j) right[i][j] = a[i][j] * oracle::share(sum[i][j] * c[i][j], sum[i][j], eps);
        agree<TestType>("EpsilonRule<Add>", times(a, bench.get(c_a)), right, 2);
    }
    auto cos = bench.put(Rows(3, Row(3, 0.6))), sin = bench.put(Rows(3, Row(3, 0.8)));
    const Rope::Params<TestType> p{std::as_const(cos).view(), std::as_const(sin).view()};
    Rope::forward(bench.ctx, p, A.view().as_const(), y.view());
    EpsilonRule<Rope>{}.propagate(bench.ctx, p, {y.view()}, C.view().as_const(), c_a.view());
    CHECK(total(times(a, bench.get(c_a))) == Approx(total(times(bench.get(y), c))).epsilon(1e-4));
}

TEMPLATE_TEST_CASE("rules of the softmax", "", float, double) {
    for (const bool causal : {false, true}) {
        Bench<TestType> bench(26);
        const std::size_t n = 7;
        Rows x = bench.normal(n, n, 1.5);
        x[2][1] = 0;
        const Rows c = bench.normal(n, n);
        auto X = bench.activation(x), s = bench.activation(n, n);
        auto C = bench.coefficient(c), c_x = bench.coefficient(n, n);
        const Softmax::Params<TestType> p{causal ? static_cast<Index>(n) : 0};
        Softmax::forward(bench.ctx, p, X.view().as_const(), s.view());
        const Softmax::Saved<TestType> saved{X.view(), s.view()};
        const Rows probs = oracle::softmax(x, causal), R = relevance(probs, c);
        const auto apply = [&](const auto& rule) {
            rule.propagate(bench.ctx, p, saved, C.view().as_const(), c_x.view());
            return times(x, bench.get(c_x));
        };
        const Rows taylor = apply(TaylorRule<Softmax>{}), uniform = apply(UniformRule<Softmax>{}), stop = apply(StopRule<Softmax>{});
        agree<TestType>("TaylorRule<Softmax>", taylor, oracle::taylor_softmax(x, probs, R, causal), 4);
        agree<TestType>("UniformRule<Softmax>", uniform, oracle::uniform_softmax(x, R, causal, 1e-6), 4);
        agree<TestType>("UniformRule<Softmax>", apply(UniformRule<Softmax>{0.1}), oracle::uniform_softmax(x, R, causal, 0.1), 4);
        CHECK(peak(stop) == 0);
        CHECK(gap(taylor, uniform) > 1e-2);
        for (std::size_t t = 0; t < n; ++t) {
            const std::size_t seen = causal ? t + 1 : n;
            double in = 0, out = 0, uniform_out = 0, mean = 0, lost_at_zero = 0;
            for (std::size_t j = 0; j < seen; ++j) {
                in += R[t][j];
                out += taylor[t][j];
                uniform_out += uniform[t][j];
                mean += probs[t][j] * x[t][j];
                lost_at_zero += x[t][j] == 0 ? 1.0 : 0.0;
            }
            double covariance = 0;
            for (std::size_t j = 0; j < seen; ++j) covariance += probs[t][j] * (x[t][j] - mean) * (c[t][j] - in);
            CHECK(in - out == Approx(in - covariance).margin(1e-4));
            CHECK(uniform_out == Approx(in * (1 - lost_at_zero / static_cast<double>(seen))).margin(2e-4));
            for (std::size_t j = seen; j < n; ++j) CHECK((taylor[t][j] == 0 && uniform[t][j] == 0));
        }
        if (!causal) {  // in coefficients the Taylor rule is the derivative
            CHECK(gap(apply(GradientRule<Softmax>{}), taylor) == 0);
        }
    }
}

TEMPLATE_TEST_CASE("one rule in relevance form", "", float, double) {
    LinearCase<TestType> one(true);
    const Rows R = one.R();
    auto r_y = one.bench.template put<RelevanceTag>(R);
    RelevanceTensor<typename Bench<TestType>::B> r_x(one.bench.ctx, 6, 9);
    propagate_relevance(one.bench.ctx, EpsilonRule<Linear>{1e-3}, one.p, {one.X->view(), one.z->view()}, std::as_const(r_y).view(), r_x.view());
    agree<TestType>("propagate_relevance", one.bench.get(r_x), oracle::epsilon_linear(one.x, one.W, one.b, R, 1e-3), 4);
}
