// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Draws the figures of docs/rule and docs/op with the library itself. Usage: make_figures FOLDER
#include <filesystem>
#include <fstream>
#include <iostream>

#include <lrp/op/embedding.hpp>
#include <lrp/op/gelu.hpp>
#include <lrp/op/layer_norm.hpp>
#include <lrp/op/relu.hpp>
#include <lrp/op/rope.hpp>
#include <lrp/op/tanh.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/composite.hpp>
#include <lrp/rule/relevance_form.hpp>

#include "chart.hpp"

using namespace lrp;
using figures::Chart;
using figures::Series;
using B = ReferenceBackend<double>;
using Values = std::vector<double>;

namespace {

B::context ctx;
std::filesystem::path folder;

void save(const std::string& name, const std::string& svg) { std::ofstream(folder / (name + ".svg")) << svg; }

View<double> row(Values& values) { return {values.data(), 1, static_cast<Index>(values.size())}; }
Activation<double> act(Values& values) { return Activation<double>(row(values)); }
Coefficient<double> coef(Values& values) { return Coefficient<double>(row(values)); }
Values product(const Values& a, const Values& b) {
    Values out = a;
    for (std::size_t i = 0; i < a.size(); ++i) out[i] *= b[i];
    return out;
}
std::vector<std::string> numbered(const std::string& name, std::size_t count) {
    std::vector<std::string> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(name + std::to_string(i + 1));
    return out;
}

/// The example of the linear rules: one output, five inputs that speak for and against it.
struct LinearExample {
    Values x{1.0, -0.8, 0.6, 1.2, -0.4}, w{0.9, 0.7, -0.8, 0.5, -0.6}, b{0.3}, z{0}, c{1};
    Linear::Params<double> p{View<const double>(w.data(), 1, 5), b.data()};
    LinearExample() { Linear::forward(ctx, p, act(x), act(z)); }
    template <class R>
    Values relevance(const R& rule) {
        Values c_x(5);
        rule.propagate(ctx, p, {act(x), act(z)}, coef(c), coef(c_x));
        return product(x, c_x);
    }
};

void linear_rules() {
    LinearExample one;
    save("rule_epsilon", Chart("EpsilonRule<Linear>: shares of five inputs, z = " + number_text(one.z[0], 3))
                             .bars(numbered("x", 5), {{"LRP-0", one.relevance(EpsilonRule<Linear>{})},
                                                      {"epsilon 0.1", one.relevance(EpsilonRule<Linear>{0.1})},
                                                      {"epsilon 1", one.relevance(EpsilonRule<Linear>{1})}}));
    save("rule_gamma", Chart("GammaRule<Linear>: agreeing contributions are favoured")
                           .bars(numbered("x", 5), {{"gamma 0", one.relevance(GammaRule<Linear>{0})},
                                                    {"gamma 0.25", one.relevance(GammaRule<Linear>{0.25})},
                                                    {"gamma 1", one.relevance(GammaRule<Linear>{1})},
                                                    {"gamma 1000", one.relevance(GammaRule<Linear>{1000})}}));
    Values contributions = product(one.x, one.w);
    save("op_linear", Chart("Linear: z is the sum of the contributions and the bias")
                          .bars({"x1w1", "x2w2", "x3w3", "x4w4", "x5w5", "b", "z"},
                                {{"value", {contributions[0], contributions[1], contributions[2], contributions[3], contributions[4], one.b[0], one.z[0]}}}));
}

template <class O>
void pointwise(const std::string& file, const std::string& name) {
    Values x, f, derivative, ratio;
    for (double v = -5; v <= 5.001; v += 0.05) {
        const double at = std::abs(v) < 1e-9 ? 0 : v;
        x.push_back(at);
        f.push_back(typename O::Value{}(at));
        derivative.push_back(typename O::Derivative{}(at));
        ratio.push_back(typename O::Ratio{}(at));
    }
    for (double& v : f) v = std::clamp(v, -1.2, 2.0);
    save(file, Chart(name + ": f(x) (cut at 2), the identity rule's f(x)/x and the derivative").lines(x, {{"f(x)", f}, {"f(x) / x", ratio}, {"f'(x)", derivative}}));
}

void softmax_rules() {
    Values x{2.0, 0.5, -1.0, 1.2}, s(4), c{1.0, -0.5, 0.8, 0.3}, c_x(4);
    Softmax::forward(ctx, {}, act(x), act(s));
    const Softmax::Saved<double> saved{act(x), act(s)};
    const auto apply = [&](const auto& rule) {
        rule.propagate(ctx, {}, saved, coef(c), coef(c_x));
        return product(x, c_x);
    };
    const Values in = product(s, c), taylor = apply(TaylorRule<Softmax>{}), uniform = apply(UniformRule<Softmax>{}), stop = apply(StopRule<Softmax>{});
    save("op_softmax", Chart("Softmax: scores and probabilities").bars(numbered("x", 4), {{"x", x}, {"s", s}}));
    save("rule_taylor", Chart("TaylorRule<Softmax>: relevance at the output and at the input").bars(numbered("x", 4), {{"R at s", in}, {"R at x", taylor}}));
    save("rule_uniform", Chart("UniformRule<Softmax>: every score gets the same").bars(numbered("x", 4), {{"R at s", in}, {"R at x", uniform}}));
    save("rule_stop", Chart("StopRule<Softmax> beside TaylorRule: nothing passes").bars(numbered("x", 4), {{"R at s", in}, {"Taylor", taylor}, {"Stop", stop}}));
}

void norms() {
    Values x{1.5, -0.4, 2.2, 0.3, -1.1}, w{1, 1.2, 0.8, 1, 1.1}, b{0.1, 0.1, 0.1, 0.1, 0.1}, y(5), mean(1), inverse(1), c{1, 0.5, -0.5, 0.8, 0.2}, c_x(5);
    const RMSNorm::Params<double> p{w.data(), 1e-6};
    RMSNorm::forward(ctx, p, act(x), act(y), inverse.data());
    save("op_rms_norm", Chart("RMSNorm: before and after").bars(numbered("x", 5), {{"x", x}, {"y", y}}));
    const RMSNorm::Saved<double> saved{act(x), inverse.data(), act(y)};
    IdentityRule<RMSNorm>{}.propagate(ctx, p, saved, coef(c), coef(c_x));
    const Values identity = product(x, c_x);
    GradientRule<RMSNorm>{}.propagate(ctx, p, saved, coef(c), coef(c_x));
    save("rule_gradient", Chart("GradientRule<RMSNorm> beside IdentityRule: the gradient's shares sum to nothing")
                              .bars(numbered("x", 5), {{"R at y", product(y, c)}, {"identity", identity}, {"gradient", product(x, c_x)}}));
    const LayerNorm::Params<double> q{w.data(), b.data(), 1e-5};
    LayerNorm::forward(ctx, q, act(x), act(y), mean.data(), inverse.data());
    save("op_layer_norm", Chart("LayerNorm: before and after").bars(numbered("x", 5), {{"x", x}, {"y", y}}));
}

void others() {
    Values a{0.8, -1.2, 0.5, 1.5}, b{1.1, 0.6, -0.9, 0.4}, y(4), c{1, 1, 1, 1}, c_a(4), c_b(4);
    Multiply::forward(ctx, {}, act(a), act(b), act(y));
    UniformRule<Multiply>{}.propagate(ctx, {}, {act(a), act(b), act(y)}, coef(c), coef(c_a), coef(c_b));
    save("op_multiply", Chart("Multiply under the uniform rule: half to each factor").bars(numbered("y", 4), {{"R at y", y}, {"R at a", product(a, c_a)}, {"R at b", product(b, c_b)}}));
    Add::forward(ctx, {}, act(a), act(b), act(y));
    EpsilonRule<Add>{}.propagate(ctx, {}, {act(y)}, coef(c), coef(c_a));
    save("op_add", Chart("Add under the epsilon rule: each addend in proportion").bars(numbered("y", 4), {{"R at y", y}, {"R at a", product(a, c_a)}, {"R at b", product(b, c_a)}}));

    Values A{1, -0.5, 0.7, 0.2}, V{0.6, 1.1, -0.8, 0.4}, Z(4), cz(4, 1.0), cA(4), cV(4);
    const auto square = [](Values& v) { return View<double>(v.data(), 2, 2); };
    const MatMul::Params<double> m{};
    MatMul::forward(ctx, m, Activation<double>(square(A)), Activation<double>(square(V)), Activation<double>(square(Z)));
    UniformRule<MatMul>{}.propagate(ctx, m, {Activation<double>(square(A)), Activation<double>(square(V)), Activation<double>(square(Z))}, Coefficient<double>(square(cz)),
                                    Coefficient<double>(square(cA)), Coefficient<double>(square(cV)));
    save("op_matmul", Chart("MatMul of 2 x 2 under the uniform rule").bars({"11", "12", "21", "22"}, {{"R at Z", Z}, {"R at A", product(A, cA)}, {"R at B", product(V, cV)}}));

    Values position, first, second, third;
    for (int t = 0; t <= 64; ++t) {
        position.push_back(t);
        first.push_back(std::cos(t * 1.0));
        second.push_back(std::cos(t * 0.1));
        third.push_back(std::cos(t * 0.01));
    }
    save("op_rope", Chart("Rope, D = 6, base 1000: cosine of each pair's angle by position").lines(position, {{"pair 1", first}, {"pair 2", second}, {"pair 3", third}}));
    Values table{0.4, -0.2, 0.9, 0.1, 0.7, -0.6}, rows(4), cr{1, 1, 0.5, 0.5};
    const std::vector<std::int32_t> ids{2, 0};
    const View<double> out(rows.data(), 2, 2);
    Embedding::forward(ctx, {View<const double>(table.data(), 3, 2), ids}, Activation<double>(out));
    save("op_embedding", Chart("Embedding: rows 2 and 0 of a table, and their relevance").bars({"t1 d1", "t1 d2", "t2 d1", "t2 d2"}, {{"y", rows}, {"R = y c", product(rows, cr)}}));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: make_figures FOLDER\n";
        return 2;
    }
    folder = argv[1];
    linear_rules();
    pointwise<SiLU>("rule_identity", "IdentityRule<SiLU>");
    pointwise<SiLU>("op_silu", "SiLU");
    pointwise<GELU>("op_gelu", "GELU");
    pointwise<ReLU>("op_relu", "ReLU");
    pointwise<Tanh>("op_tanh", "Tanh");
    softmax_rules();
    norms();
    others();
    return 0;
}
