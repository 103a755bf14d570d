// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/rule/composite.hpp>

#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>
#include <lrp/rule/preset/gradient.hpp>

#include "support/catch.hpp"

using namespace lrp;

namespace {
struct Mine : AttnLRP {
    using softmax = UniformRule<Softmax>;
};

/// The rule of every role, in the order of the table in docs/math.md, section 2.
template <Composite R>
std::string table() {
    std::string out;
    const auto add = [&](auto rule) { out += std::string(rule.name) + "<" + std::string(decltype(rule)::op::name) + "> "; };
    const RuleSet<R> rules;
    add(rules.norm), add(rules.projection), add(rules.scores), add(rules.softmax), add(rules.mix), add(rules.activation), add(rules.gating),
        add(rules.residual);
    return out;
}
}  // namespace

TEST_CASE("the presets are what the table of docs/math.md says") {
    CHECK(table<AttnLRP>() ==
          "IdentityRule<RMSNorm> EpsilonRule<Linear> UniformRule<MatMul> TaylorRule<Softmax> UniformRule<MatMul> IdentityRule<SiLU> "
          "UniformRule<Multiply> EpsilonRule<Add> ");
    CHECK(table<CpLRP>() ==
          "IdentityRule<RMSNorm> EpsilonRule<Linear> StopRule<MatMul> StopRule<Softmax> EpsilonRule<MatMul> StopRule<SiLU> "
          "EpsilonRule<Multiply> EpsilonRule<Add> ");
    CHECK(table<Gradient>() ==
          "GradientRule<RMSNorm> GradientRule<Linear> GradientRule<MatMul> GradientRule<Softmax> GradientRule<MatMul> GradientRule<SiLU> "
          "GradientRule<Multiply> GradientRule<Add> ");
}

TEST_CASE("a derived composite changes one role and no other") {
    CHECK(table<Mine>() ==
          "IdentityRule<RMSNorm> EpsilonRule<Linear> UniformRule<MatMul> UniformRule<Softmax> UniformRule<MatMul> IdentityRule<SiLU> "
          "UniformRule<Multiply> EpsilonRule<Add> ");
}

TEST_CASE("rules begin with the values of docs/math.md: LRP-0 for products and linear maps, 1e-6 for the uniform softmax") {
    const RuleSet<AttnLRP> rules;
    CHECK((rules.projection.epsilon == 0 && rules.scores.epsilon == 0 && rules.mix.epsilon == 0 && rules.gating.epsilon == 0 &&
           rules.residual.epsilon == 0));
    CHECK(RuleSet<Mine>{}.softmax.epsilon == 1e-6);
    CHECK(GammaRule<Linear>{}.gamma == 0.25);
}
