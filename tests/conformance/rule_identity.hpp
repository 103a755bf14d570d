// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/identity.hpp>

#include "conformance/rule_gradient.hpp"

namespace lrp::test {

template <class O, class T>
void check_identity(const std::string& name, const oracle::Pointwise& f) {
    for (const bool sliced : {false, true}) {
        const auto right = [](const Rows&, const Rows& R) { return oracle::identity_pointwise(R); };
        const auto [mine, oracles] = pointwise_relevance<O, T>(IdentityRule<O>{}, f, sliced, right, true);
        agree<T>("IdentityRule<" + name + ">", mine, oracles);
        CHECK(total(mine) == Approx(total(oracles)).margin(1e-4));
        const auto gradient = pointwise_relevance<O, T>(GradientRule<O>{}, f, sliced, right, true).first;
        if (name == "ReLU") {  // piecewise linear: the quotient is the slope
            CHECK(gap(mine, gradient) == 0);
        } else {
            CHECK(gap(mine, gradient) > 1e-2);
        }
    }
}

TEMPLATE_TEST_CASE("IdentityRule on pointwise ops: R_x = R_y", "[rule]", float, double) {
    check_identity<SiLU, TestType>("SiLU", oracle::silu);
    check_identity<GELU, TestType>("GELU", oracle::gelu);
    check_identity<TanhGELU, TestType>("TanhGELU", oracle::tanh_gelu);
    check_identity<ReLU, TestType>("ReLU", oracle::relu);
    check_identity<Tanh, TestType>("Tanh", oracle::tanh);
}

TEMPLATE_TEST_CASE("f(x)/x at 0 is its limit", "[rule]", float, double) {
    const auto ratio_at_0 = []<class O>(O) { return IdentityAdmits<O> ? static_cast<double>(typename O::Ratio{}(TestType(0))) : 0.0; };
    CHECK(ratio_at_0(SiLU{}) == 0.5);
    CHECK(ratio_at_0(GELU{}) == 0.5);
    CHECK(ratio_at_0(TanhGELU{}) == 0.5);
    CHECK(ratio_at_0(ReLU{}) == 0);
    CHECK(ratio_at_0(Tanh{}) == 1);
}

TEMPLATE_TEST_CASE("IdentityRule<RMSNorm>: R_x = R_y", "[rule]", float, double) {
    for (const bool sliced : {false, true})
        for (const std::size_t width : {1, 13}) {
            RMSNormCase<TestType> one(4, width, sliced);
            const Rows mine = one.apply(IdentityRule<RMSNorm>{});
            agree<TestType>("IdentityRule<RMSNorm>", mine, oracle::identity_rms_norm(one.R()));
            CHECK(gap(mine, one.apply(GradientRule<RMSNorm>{})) > 1e-2);
        }
}

TEMPLATE_TEST_CASE("IdentityRule<LayerNorm>: the mean is not held constant, the bias's share is lost", "[rule]", float, double) {
    for (const bool sliced : {false, true})
        for (const bool with_bias : {false, true}) {
            LayerNormCase<TestType> one(4, 13, sliced, with_bias);
            const Rows mine = one.apply(IdentityRule<LayerNorm>{});
            agree<TestType>("IdentityRule<LayerNorm>", mine, oracle::identity_layer_norm(one.x, one.w, one.b, one.epsilon, one.R()));
            double lost = 0;
            for (const Row& row : one.c)
                for (std::size_t j = 0; j < one.b.size(); ++j) lost += one.b[j] * row[j];
            CHECK(total(one.R()) - total(mine) == Approx(lost).margin(20 * tolerance<TestType> * peak(one.R())));
            CHECK(gap(mine, one.apply(GradientRule<LayerNorm>{})) > 1e-2);
        }
    LayerNormCase<TestType> one(1, 1, false);  // one number has no deviation from its mean: nothing to pass
    CHECK(peak(one.apply(IdentityRule<LayerNorm>{})) == 0);
}

}  // namespace lrp::test
