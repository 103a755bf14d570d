// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <utility>
#include <vector>

#include <lrp/op/add.hpp>
#include <lrp/op/linear.hpp>
#include <lrp/op/matmul.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/epsilon.hpp>
#include <lrp/rule/gradient.hpp>
#include <lrp/rule/relevance_form.hpp>
#include <lrp/rule/stop.hpp>
#include <lrp/rule/uniform.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

TEST_CASE("rules and the relevance form refuse shapes that do not fit, and say which") {
    ReferenceBackend<double>::context ctx;
    std::vector<double> numbers(64), result(64);
    const auto a = [&](Index rows, Index cols) { return Activation<const double>(View<const double>(numbers.data(), rows, cols)); };
    const auto c = [&](Index rows, Index cols) { return Coefficient<const double>(View<const double>(numbers.data(), rows, cols)); };
    const auto c_x = [&](Index rows, Index cols) { return Coefficient<double>(View<double>(result.data(), rows, cols)); };
    const auto r = [&](Index rows, Index cols) { return Relevance<double>(View<double>(result.data(), rows, cols)); };

    CHECK_THROWS_WITH(to_relevance(ctx, a(2, 3), c(2, 3), r(2, 2)), Contains("relevance: expected shape [2, 3], found [2, 2]"));
    CHECK_THROWS_WITH(to_relevance(ctx, a(2, 3), c(2, 2), r(2, 3)), Contains("coefficient: expected shape [2, 3], found [2, 2]"));
    CHECK_THROWS_WITH(to_coefficient(ctx, a(2, 3), r(2, 3).as_const(), c_x(2, 2)), Contains("coefficient: expected shape [2, 3], found [2, 2]"));
    CHECK_THROWS_WITH(to_coefficient(ctx, a(2, 3), r(2, 2).as_const(), c_x(2, 3)), Contains("relevance: expected shape [2, 3], found [2, 2]"));
    CHECK_THROWS_WITH(UniformRule<Softmax>{}.propagate(ctx, {}, {a(2, 2), a(2, 3)}, c(2, 3), c_x(2, 3)), Contains("UniformRule<Softmax>: saved input"));
    for (const auto& [rows, cols] : {std::pair<Index, Index>{2, 2}, {3, 3}})  // too narrow, too tall
        CHECK_THROWS_WITH(EpsilonRule<Add>{0.1}.propagate(ctx, {}, {a(rows, cols)}, c(2, 3), c_x(2, 3)), Contains("the op's output [2, 3] must have been saved"));
}

TEST_CASE("what a rule reads and how it shares follows its epsilon") {
    CHECK((!EpsilonRule<Linear>{}.reads_output() && EpsilonRule<Linear>{0.1}.reads_output()));
    CHECK((!UniformRule<MatMul>{}.reads_output() && UniformRule<MatMul>{0.1}.reads_output()));
    CHECK((!EpsilonRule<MatMul>{0.1}.shares() && !UniformRule<MatMul>{0.1}.shares()));
    const auto shares = [](const auto& rule) { return std::pair(rule.shares().value().first, rule.shares().value().second); };
    CHECK((shares(EpsilonRule<MatMul>{}) == std::pair(0.0, 1.0) && shares(UniformRule<MatMul>{}) == std::pair(0.5, 0.5)));
    CHECK((shares(GradientRule<MatMul>{}) == std::pair(1.0, 1.0) && shares(StopRule<MatMul>{}) == std::pair(0.0, 0.0)));
    CHECK_FALSE((StopRule<MatMul>{}.reads_output() || StopRule<MatMul>{}.reads_input()));
}

TEST_CASE("an epsilon rule may write over the coefficient that it reads") {
    ReferenceBackend<double>::context ctx;
    const std::vector<double> z{1, -2, 0, 4};
    for (const double epsilon : {0.0, 0.5})
        for (const Write write : {Write{}, Write{2, false}, Write{1, true}, Write{2, true}}) {
            std::vector<double> c{1, 2, 3, -4}, right;
            for (std::size_t i = 0; i < 4; ++i) right.push_back((write.accumulate ? c[i] : 0) + write.scale * c[i] * (epsilon == 0 ? 1 : std::abs(z[i]) / (std::abs(z[i]) + epsilon)));
            const Coefficient<double> own(View<double>(c.data(), 2, 2));
            EpsilonRule<Add>{epsilon}.propagate(ctx, {}, {Activation<const double>(View<const double>(z.data(), 2, 2))}, own.as_const(), own, write);
            for (std::size_t i = 0; i < 4; ++i) CHECK(c[i] == Approx(right[i]));
        }
}
