// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <limits>

#include <lrp/core/exponential.hpp>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("the exponential agrees with the library's in double") {
    double worst = 0;
    for (float x = -87.3f; x <= 87.3f; x += 0.00037f) {
        const double truth = std::exp(static_cast<double>(x));
        worst = std::max(worst, std::abs(exponential(x) - truth) / truth);
    }
    CHECK(worst < 1.2e-7);
    CHECK(worst > 1e-9);  // it is a float
    CHECK(exponential(0.0f) == 1.0f);
}

TEST_CASE("beyond what a float holds the exponential stays at the end, and a NaN a NaN") {
    constexpr float inf = std::numeric_limits<float>::infinity();
    CHECK(exponential(inf) == exponential(87.3f));
    CHECK(exponential(1000.0f) == exponential(87.3f));
    CHECK(exponential(-inf) == exponential(-87.3f));
    CHECK(exponential(-inf) < 2e-38f);
    CHECK(std::isnan(exponential(std::numeric_limits<float>::quiet_NaN())));
    CHECK(std::isnan(exponential(-std::numeric_limits<float>::quiet_NaN())));
    CHECK(fast_exp(1.5) == std::exp(1.5));
    CHECK(fast_exp(1.5f) == exponential(1.5f));
}
