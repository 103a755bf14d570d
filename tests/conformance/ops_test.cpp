// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Every op: forward against the oracle, vjp against central differences of the oracle's forward.
#include <functional>

#include <lrp/op/add.hpp>
#include <lrp/op/embedding.hpp>
#include <lrp/op/gelu.hpp>
#include <lrp/op/layer_norm.hpp>
#include <lrp/op/linear.hpp>
#include <lrp/op/matmul.hpp>
#include <lrp/op/multiply.hpp>
#include <lrp/op/relu.hpp>
#include <lrp/op/rms_norm.hpp>
#include <lrp/op/rope.hpp>
#include <lrp/op/silu.hpp>
#include <lrp/op/softmax.hpp>
#include <lrp/op/tanh.hpp>

#include "conformance/fixture.hpp"

using namespace lrp;
using namespace lrp::test;

namespace {

/// d/dx sum(c * f(x)) by central differences.
Rows differences(const std::function<Rows(const Rows&)>& f, Rows x, const Rows& c) {
    const double step = 1e-5;
    Rows out = x;
    for (std::size_t i = 0; i < x.size(); ++i)
        for (std::size_t j = 0; j < x[i].size(); ++j) {
            const double keep = x[i][j];
            x[i][j] = keep + step;
            const double above = total(times(f(x), c));
            x[i][j] = keep - step;
            const double below = total(times(f(x), c));
            x[i][j] = keep;
            out[i][j] = (above - below) / (2 * step);
        }
    return out;
}

/// The vjp with every way of writing: plain, scaled, accumulated. Float rounding of the inputs' products allows 1e-4 there.
template <class T, class Call>
void check_vjp(Bench<T>& bench, const std::string& name, const Rows& right, const Call& call) {
    const double allowed = (sizeof(T) == 4 ? 1e-4 : 1e-6) * std::max(1.0, peak(right));
    auto c_x = bench.coefficient(right.size(), right[0].size());
    INFO(name);
    call(c_x.view(), Write{});
    Report::instance().note(name + " vjp, against differences" + (sizeof(T) == 4 ? " f32" : " f64"), gap(bench.get(c_x), right) / std::max(1.0, peak(right)));
    CHECK(gap(bench.get(c_x), right) < allowed);
    call(c_x.view(), Write{0.5, true});
    Rows more = right;
    for (Row& row : more)
        for (double& v : row) v *= 1.5;
    CHECK(gap(bench.get(c_x), more) < 2 * allowed);
}

template <class O, class T>
void check_pointwise(const std::string& name, double (*f)(double)) {
    Bench<T> bench(11);
    Rows x = bench.normal(3, 37, 3), c = bench.normal(3, 37);
    for (double& v : x[0]) v = v == 0 ? 1 : v;
    auto X = bench.activation(x), y = bench.activation(3, 37);
    auto C = bench.coefficient(c);
    O::forward(bench.ctx, {}, X.view().as_const(), y.view());
    agree<T>(name + " forward", bench.get(y), oracle::pointwise(x, f));
    check_vjp(bench, name, differences([f](const Rows& r) { return oracle::pointwise(r, f); }, x, c),
              [&](auto c_x, Write write) { O::vjp(bench.ctx, {}, {X.view(), y.view()}, C.view().as_const(), c_x, write); });
}

}  // namespace

TEMPLATE_TEST_CASE("Linear, with and without bias", "", float, double) {
    for (const bool with_bias : {false, true}) {
        Bench<TestType> bench(12);
        const Rows x = bench.normal(5, 7), W = bench.normal(9, 7), b = bench.normal(1, 9), c = bench.normal(5, 9);
        const Row bias = with_bias ? b[0] : Row{};
        auto X = bench.activation(x), z = bench.activation(5, 9);
        auto C = bench.coefficient(c);
        auto weight = bench.put(W), bias_tensor = bench.put(b);
        const Linear::Params<TestType> p{std::as_const(weight).view(), with_bias ? bias_tensor.view().data : nullptr};
        Linear::forward(bench.ctx, p, X.view().as_const(), z.view());
        agree<TestType>("Linear forward", bench.get(z), oracle::linear(x, W, bias));
        check_vjp(bench, "Linear", differences([&](const Rows& r) { return oracle::linear(r, W, bias); }, x, c),
                  [&](auto c_x, Write write) { Linear::vjp(bench.ctx, p, {}, C.view().as_const(), c_x, write); });
    }
    Bench<TestType> bench;
    auto X = bench.activation(bench.normal(2, 3)), z = bench.activation(2, 4);
    auto weight = bench.put(bench.normal(4, 5));
    typename Bench<TestType>::B::scalar unused = 0;
    Bench<TestType>::B::fill(bench.ctx, z.view(), unused);
    CHECK_THROWS_WITH(Linear::forward(bench.ctx, {std::as_const(weight).view()}, X.view().as_const(), z.view()),
                      Catch::Matchers::Contains("the input has 3 columns, the weight takes 5"));
}

TEMPLATE_TEST_CASE("MatMul, plain and transposed", "", float, double) {
    for (const bool transposed : {false, true}) {
        Bench<TestType> bench(13);
        const Rows a = bench.normal(4, 6), b = bench.normal(6, 5), c = bench.normal(4, 5);
        const Rows stored = transposed ? oracle::transpose(b) : b;
        auto A = bench.activation(a), Bm = bench.activation(stored), Z = bench.activation(4, 5);
        auto C = bench.coefficient(c);
        const MatMul::Params<TestType> p{.transpose_b = transposed, .scale = 0.25};
        const auto quarter = [](Rows z) {
            for (Row& row : z)
                for (double& v : row) v *= 0.25;
            return z;
        };
        MatMul::forward(bench.ctx, p, A.view().as_const(), Bm.view().as_const(), Z.view());
        agree<TestType>("MatMul forward", bench.get(Z), quarter(oracle::matmul(a, b)));
        const MatMul::Saved<TestType> saved{A.view(), Bm.view(), Z.view()};
        check_vjp(bench, "MatMul first", differences([&](const Rows& r) { return quarter(oracle::matmul(r, b)); }, a, c),
                  [&](auto c_a, Write write) { MatMul::vjp_first(bench.ctx, p, saved, C.view().as_const(), c_a, write); });
        const auto of_b = [&](const Rows& r) { return quarter(oracle::matmul(a, transposed ? oracle::transpose(r) : r)); };
        check_vjp(bench, "MatMul second", differences(of_b, stored, c),
                  [&](auto c_b, Write write) { MatMul::vjp_second(bench.ctx, p, saved, C.view().as_const(), c_b, write); });
    }
}

TEMPLATE_TEST_CASE("Softmax, with and without a causal mask", "", float, double) {
    for (const bool causal : {false, true}) {
        Bench<TestType> bench(14);
        Rows x = bench.normal(6, 6, 2);
        const Rows c = bench.normal(6, 6);
        const Rows right = oracle::softmax(x, causal);
        const Rows gradient = differences([&](const Rows& r) { return oracle::softmax(r, causal); }, x, c);
        if (causal) {  // what lies above the diagonal must not matter
            for (std::size_t i = 0; i < 6; ++i)
                for (std::size_t j = i + 1; j < 6; ++j) x[i][j] = j % 2 == 0 ? std::numeric_limits<double>::quiet_NaN() : 1e30;
        }
        auto X = bench.activation(x), s = bench.activation(6, 6);
        auto C = bench.coefficient(c);
        const Softmax::Params<TestType> p{causal ? 6 : 0};
        Softmax::forward(bench.ctx, p, X.view().as_const(), s.view());
        agree<TestType>("Softmax forward", bench.get(s), right);
        check_vjp(bench, "Softmax", gradient, [&](auto c_x, Write write) { Softmax::vjp(bench.ctx, p, {X.view(), s.view()}, C.view().as_const(), c_x, write); });
    }
    Bench<TestType> bench;  // large scores do not overflow; one column is certain
    auto X = bench.activation(Rows{{1000, 999, -1000}}), s = bench.activation(1, 3);
    Softmax::forward(bench.ctx, {}, X.view().as_const(), s.view());
    CHECK(bench.get(s)[0][0] == Approx(1 / (1 + std::exp(-1.0))).margin(1e-6));
}

TEMPLATE_TEST_CASE("RMSNorm", "", float, double) {
    Bench<TestType> bench(15);
    const Rows x = bench.normal(4, 11), w = bench.normal(1, 11), c = bench.normal(4, 11);
    const auto right = [&](const Rows& r) {
        Rows y = r;
        for (Row& row : y) {
            double squares = 0;
            for (const double v : row) squares += v * v / 11;
            for (std::size_t j = 0; j < row.size(); ++j) row[j] *= w[0][j] / std::sqrt(squares + 1e-3);
        }
        return y;
    };
    auto X = bench.activation(x), y = bench.activation(4, 11);
    auto C = bench.coefficient(c);
    auto weight = bench.put(w), r = bench.put(Rows(1, Row(4)));
    const RMSNorm::Params<TestType> p{weight.view().data, 1e-3};
    RMSNorm::forward(bench.ctx, p, X.view().as_const(), y.view(), r.view().data);
    agree<TestType>("RMSNorm forward", bench.get(y), right(x));
    check_vjp(bench, "RMSNorm", differences(right, x, c),
              [&](auto c_x, Write write) { RMSNorm::vjp(bench.ctx, p, {X.view(), r.view().data, y.view()}, C.view().as_const(), c_x, write); });
}

TEMPLATE_TEST_CASE("LayerNorm", "", float, double) {
    Bench<TestType> bench(16);
    const Rows x = bench.normal(4, 11), w = bench.normal(1, 11), b = bench.normal(1, 11), c = bench.normal(4, 11);
    const auto right = [&](const Rows& r) {
        Rows y = r;
        for (Row& row : y) {
            double mean = 0, var = 0;
            for (const double v : row) mean += v / 11;
            for (const double v : row) var += (v - mean) * (v - mean) / 11;
            for (std::size_t j = 0; j < row.size(); ++j) row[j] = w[0][j] * (row[j] - mean) / std::sqrt(var + 1e-3) + b[0][j];
        }
        return y;
    };
    auto X = bench.activation(x), y = bench.activation(4, 11);
    auto C = bench.coefficient(c);
    auto weight = bench.put(w), bias = bench.put(b), mean = bench.put(Rows(1, Row(4))), inverse = bench.put(Rows(1, Row(4)));
    const LayerNorm::Params<TestType> p{weight.view().data, bias.view().data, 1e-3};
    LayerNorm::forward(bench.ctx, p, X.view().as_const(), y.view(), mean.view().data, inverse.view().data);
    agree<TestType>("LayerNorm forward", bench.get(y), right(x));
    check_vjp(bench, "LayerNorm", differences(right, x, c), [&](auto c_x, Write write) {
        LayerNorm::vjp(bench.ctx, p, {X.view(), mean.view().data, inverse.view().data, y.view()}, C.view().as_const(), c_x, write);
    });
}

TEMPLATE_TEST_CASE("pointwise ops", "", float, double) {
    check_pointwise<SiLU, TestType>("SiLU", oracle::silu);
    check_pointwise<GELU, TestType>("GELU", oracle::gelu);
    check_pointwise<TanhGELU, TestType>("TanhGELU", oracle::tanh_gelu);
    check_pointwise<ReLU, TestType>("ReLU", oracle::relu);
    check_pointwise<Tanh, TestType>("Tanh", [](double v) { return std::tanh(v); });
}

TEMPLATE_TEST_CASE("Multiply and Add", "", float, double) {
    Bench<TestType> bench(17);
    const Rows a = bench.normal(3, 8), b = bench.normal(3, 8), c = bench.normal(3, 8);
    auto A = bench.activation(a), Bt = bench.activation(b), y = bench.activation(3, 8);
    auto C = bench.coefficient(c);
    Multiply::forward(bench.ctx, {}, A.view().as_const(), Bt.view().as_const(), y.view());
    agree<TestType>("Multiply forward", bench.get(y), times(a, b));
    const Multiply::Saved<TestType> saved{A.view(), Bt.view(), y.view()};
    check_vjp(bench, "Multiply first", times(b, c), [&](auto c_a, Write w) { Multiply::vjp_first(bench.ctx, {}, saved, C.view().as_const(), c_a, w); });
    check_vjp(bench, "Multiply second", times(a, c), [&](auto c_b, Write w) { Multiply::vjp_second(bench.ctx, {}, saved, C.view().as_const(), c_b, w); });
    Add::forward(bench.ctx, {}, A.view().as_const(), Bt.view().as_const(), y.view());
    Rows sum = a;
    for (std::size_t i = 0; i < 3; ++i)
        for (std::size_t j = 0; j < 8; ++j) sum[i][j] += b[i][j];
    agree<TestType>("Add forward", bench.get(y), sum);
    check_vjp(bench, "Add", c, [&](auto c_a, Write w) { Add::vjp(bench.ctx, {}, {y.view()}, C.view().as_const(), c_a, w); });
}

TEMPLATE_TEST_CASE("Rope turns pairs, and its backward turns them back", "", float, double) {
    Bench<TestType> bench(18);
    const std::size_t T = 5, D = 6, heads = 2;
    const Rows x = bench.normal(T, heads * D), c = bench.normal(T, heads * D);
    Rows cosines(T, Row(D / 2)), sines(T, Row(D / 2));
    for (std::size_t t = 0; t < T; ++t)
        for (std::size_t i = 0; i < D / 2; ++i) {
            const double angle = static_cast<double>(t) * std::pow(100.0, -2.0 * static_cast<double>(i) / D);
            cosines[t][i] = std::cos(angle);
            sines[t][i] = std::sin(angle);
        }
    const auto right = [&](const Rows& r) {
        Rows y = r;
        for (std::size_t t = 0; t < T; ++t)
            for (std::size_t h = 0; h < heads; ++h)
                for (std::size_t i = 0; i < D / 2; ++i) {
                    const double low = r[t][h * D + i], high = r[t][h * D + D / 2 + i];
                    y[t][h * D + i] = low * cosines[t][i] - high * sines[t][i];
                    y[t][h * D + D / 2 + i] = high * cosines[t][i] + low * sines[t][i];
                }
        return y;
    };
    auto X = bench.activation(x), y = bench.activation(T, heads * D);
    auto C = bench.coefficient(c);
    auto cos = bench.put(cosines), sin = bench.put(sines);
    const Rope::Params<TestType> p{std::as_const(cos).view(), std::as_const(sin).view()};
    Rope::forward(bench.ctx, p, X.view().as_const(), y.view());
    agree<TestType>("Rope forward", bench.get(y), right(x));
    check_vjp(bench, "Rope", differences(right, x, c), [&](auto c_x, Write write) { Rope::vjp(bench.ctx, p, {y.view()}, C.view().as_const(), c_x, write); });
}

TEMPLATE_TEST_CASE("Embedding gathers rows; its backward adds to them", "", float, double) {
    Bench<TestType> bench(19);
    const Rows table = bench.normal(6, 4), c = bench.normal(3, 4);
    const std::vector<std::int32_t> ids{5, 2, 5};
    auto E = bench.put(table);
    auto y = bench.activation(3, 4);
    auto C = bench.coefficient(c), c_table = bench.coefficient(6, 4);
    Embedding::forward(bench.ctx, {std::as_const(E).view(), ids}, y.view());
    CHECK(gap(bench.get(y), {table[5], table[2], table[5]}) == 0);
    Embedding::vjp(bench.ctx, {std::as_const(E).view(), ids}, {y.view()}, C.view().as_const(), c_table.view());
    Rows right(6, Row(4, 0.0));
    for (std::size_t j = 0; j < 4; ++j) {
        right[5][j] = c[0][j] + c[2][j];
        right[2][j] = c[1][j];
    }
    agree<TestType>("Embedding vjp", bench.get(c_table), right);
    const std::vector<std::int32_t> bad{5, 6, 0};
    CHECK_THROWS_WITH(Embedding::forward(bench.ctx, {std::as_const(E).view(), bad}, y.view()),
                      Catch::Matchers::Contains("token id 6 is outside the vocabulary of 6"));
}
