// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/embedding.hpp>
#include <lrp/op/gelu.hpp>
#include <lrp/op/relu.hpp>
#include <lrp/op/silu.hpp>
#include <lrp/op/tanh.hpp>
#include <lrp/rule/gradient.hpp>

#include "conformance/heads_case.hpp"
#include "conformance/linear_case.hpp"
#include "conformance/norm_case.hpp"
#include "conformance/pair_case.hpp"
#include "conformance/rope_case.hpp"
#include "conformance/softmax_case.hpp"

namespace lrp::test {

/// Relevance of a pointwise op's input under a rule, all ways of writing checked; the input holds a 0 if `zero`.
template <class O, class T, class R_>
std::pair<Rows, Rows> pointwise_relevance(const R_& rule, const oracle::Pointwise& f, bool sliced,
                                          const std::function<Rows(const Rows&, const Rows&)>& right, bool zero) {
    Bench<T> bench(22, sliced);
    Rows x = bench.normal(4, 25, 2);
    if (zero) x[0][0] = 0;
    const Rows c = bench.normal(4, 25);
    auto X = bench.activation(x), Y = bench.activation(4, 25);
    auto C = bench.coefficient(c);
    O::forward(bench.ctx, {}, X.in(), Y.out());
    const Rows c_x = backward(bench, 4, 25, [&](auto out, Write write) {
        rule.propagate(bench.ctx, {}, {X.in(), Y.in()}, C.in(), out, write);
    });
    return {oracle::multiply(x, c_x), right(x, oracle::multiply(oracle::each(x, f.value), c))};
}

template <class O, class T>
void check_gradient(const std::string& name, const oracle::Pointwise& f) {
    for (const bool sliced : {false, true}) {
        const auto right = [&f](const Rows& x, const Rows& R) { return oracle::gradient_pointwise(x, f, R); };
        const auto [mine, oracles] = pointwise_relevance<O, T>(GradientRule<O>{}, f, sliced, right, false);
        agree<T>("GradientRule<" + name + ">", mine, oracles);
    }
}

TEMPLATE_TEST_CASE("GradientRule on pointwise ops", "[rule]", float, double) {
    check_gradient<SiLU, TestType>("SiLU", oracle::silu);
    check_gradient<GELU, TestType>("GELU", oracle::gelu);
    check_gradient<TanhGELU, TestType>("TanhGELU", oracle::tanh_gelu);
    check_gradient<ReLU, TestType>("ReLU", oracle::relu);
    check_gradient<Tanh, TestType>("Tanh", oracle::tanh);
}

TEMPLATE_TEST_CASE("GradientRule on ops of one input", "[rule]", float, double) {
    for (const bool sliced : {false, true}) {
        LinearCase<TestType> linear(true, sliced);
        agree<TestType>("GradientRule<Linear>", linear.apply(GradientRule<Linear>{}),
                        oracle::gradient_linear(linear.x, linear.W, linear.b, linear.R()));
        RopeCase<TestType> rope(5, 2, 6, sliced);
        agree<TestType>("GradientRule<Rope>", rope.apply(GradientRule<Rope>{}),
                        oracle::gradient_rope(rope.x, rope.cosines, rope.sines, rope.R()));
        RMSNormCase<TestType> rms(4, 13, sliced), one_wide(4, 1, sliced);
        agree<TestType>("GradientRule<RMSNorm>", rms.apply(GradientRule<RMSNorm>{}),
                        oracle::gradient_rms_norm(rms.x, rms.w, rms.epsilon, rms.R()));
        const Rows left =
            oracle::gradient_rms_norm(one_wide.x, one_wide.w, one_wide.epsilon, one_wide.R());  // epsilon's part: the rest cancels
        CHECK(gap(one_wide.apply(GradientRule<RMSNorm>{}), left) <= tolerance<TestType> * peak(one_wide.R()));
        LayerNormCase<TestType> norm(4, 13, sliced);
        agree<TestType>("GradientRule<LayerNorm>", norm.apply(GradientRule<LayerNorm>{}),
                        oracle::gradient_layer_norm(norm.x, norm.w, norm.b, norm.epsilon, norm.R()));
        for (const SoftmaxShape& shape : softmax_shapes()) {
            SoftmaxCase<TestType> one(shape, sliced);
            const Rows mine = one.apply(GradientRule<Softmax>{});
            if (shape.cols > 1) agree<TestType>("GradientRule<Softmax>", mine, oracle::gradient_softmax(one.x, shape.queries, one.R()));
            if (shape.cols == 1) CHECK(peak(mine) == 0);
        }
    }
}

TEMPLATE_TEST_CASE("GradientRule on products and sums", "[rule]", float, double) {
    for (const bool sliced : {false, true}) {
        for (const HeadsCase& shape : heads_cases()) {
            INFO(shape.what);
            HeadsOn<TestType> on(shape, sliced);
            const auto mine = on.apply(GradientRule<MatMul>{});
            const auto right = shape.relevance(on.a, on.b, on.R(), oracle::gradient_matmul);
            agree<TestType>("GradientRule<MatMul>", mine.first, right.first);
            agree<TestType>("GradientRule<MatMul>", mine.second, right.second);
        }
        PairCase<TestType, Multiply> product(sliced);
        const auto factors = product.apply(GradientRule<Multiply>{});
        agree<TestType>("GradientRule<Multiply>", factors.first, oracle::gradient_multiply(product.R()));
        agree<TestType>("GradientRule<Multiply>", factors.second, oracle::gradient_multiply(product.R()));
        PairCase<TestType, Add> sum(sliced);
        const auto addends = sum.apply(GradientRule<Add>{});
        agree<TestType>("GradientRule<Add>", addends.first, oracle::gradient_add(sum.a, sum.b, sum.R()));
        agree<TestType>("GradientRule<Add>", addends.second, oracle::gradient_add(sum.b, sum.a, sum.R()));
    }
}

TEMPLATE_TEST_CASE("GradientRule<Embedding>: a row of the table gets what its tokens have", "[rule]", float, double) {
    Bench<TestType> bench(19);
    const Rows table = bench.normal(6, 4), c = bench.normal(4, 4);
    const std::vector<std::int32_t> ids{5, 2, 5, 0};
    auto E = bench.put(table);
    auto Y = bench.activation(4, 4);
    auto C = bench.coefficient(c), out = bench.coefficient(6, 4);
    const Embedding::Params<TestType> p{E.in(), ids};
    Embedding::forward(bench.ctx, p, Y.out());
    GradientRule<Embedding>{}.propagate(bench.ctx, p, {Y.in()}, C.in(), out.out());
    const Rows R = oracle::multiply(oracle::embedding(table, ids), c);
    agree<TestType>("GradientRule<Embedding>", oracle::multiply(table, bench.get(out)), oracle::gradient_embedding(table, ids, R));
}

}  // namespace lrp::test
