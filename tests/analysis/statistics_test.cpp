// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Intervals, slopes and divergences against numbers worked out by hand or found in tables.
#include <lrp/analysis/statistics.hpp>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("Wilson's interval") {
    const Interval eight = wilson_interval(8, 10), none = wilson_interval(0, 10), all = wilson_interval(10, 10);
    CHECK(eight.low == Approx(0.4902).margin(5e-5));
    CHECK(eight.high == Approx(0.9433).margin(5e-5));
    CHECK(none.low == 0);
    CHECK(none.high == Approx(0.2775).margin(5e-5));
    CHECK((all.low == Approx(1 - none.high) && all.high == Approx(1)));
    CHECK((wilson_interval(0, 0).low == 0 && wilson_interval(0, 0).high == 1));
}

TEST_CASE("the slope of a line, and of points beside it") {
    CHECK(least_squares_slope({0, 1, 2}, {3, 2.5, 2}) == Approx(-0.5));
    CHECK(least_squares_slope({0, 1, 2, 3}, {0, 1, 0, 1}) == Approx(0.2));
    CHECK(least_squares_slope({1, 1}, {0, 5}) == 0);
}

TEST_CASE("the bootstrap of a mean is about its standard error wide, and the same for the same seed") {
    std::vector<double> values(400);
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = i % 4 == 0 ? 1 : 0;
    const auto mean = [&](const std::vector<double>& weights) { return std::inner_product(weights.begin(), weights.end(), values.begin(), 0.0); };
    const Interval interval = bootstrap_interval(values.size(), 2000, 3, mean);
    const double error = std::sqrt(0.25 * 0.75 / 400);
    CHECK(interval.low == Approx(0.25 - 1.96 * error).margin(0.2 * error));
    CHECK(interval.high == Approx(0.25 + 1.96 * error).margin(0.2 * error));
    CHECK(bootstrap_interval(values.size(), 2000, 3, mean).low == interval.low);
    const auto odd = [](const std::vector<double>& weights) {
        double sum = 0;
        for (std::size_t i = 0; i < weights.size(); ++i) sum += weights[i] * std::sqrt(static_cast<double>(i));
        return sum;
    };
    CHECK(bootstrap_interval(50, 100, 3, odd).low != bootstrap_interval(50, 100, 4, odd).low);
    const Interval certain = bootstrap_interval(5, 100, 1, [](const std::vector<double>& weights) { return std::accumulate(weights.begin(), weights.end(), 0.0); });
    CHECK((certain.low == Approx(1) && certain.high == Approx(1)));
}

TEST_CASE("divergence of two rows of logits") {
    const std::vector<double> p{0, std::log(3.0)}, q{5, 5};
    CHECK(divergence(p, q) == Approx(0.25 * std::log(0.5) + 0.75 * std::log(1.5)));
    CHECK(divergence(q, p) == Approx(0.5 * std::log(2.0) + 0.5 * std::log(2.0 / 3)));
    CHECK(divergence(p, p) == 0);
}
