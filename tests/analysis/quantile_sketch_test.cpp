// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/analysis/quantile_sketch.hpp>

#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("bins ascend with the value, and each value lies between its bin's edges") {
    std::vector<float> values{-1e30f, -256, -255.9f, -1.25f, -1.2499f, -1, -0x1p-24f, -1e-20f, -0.0f, 0.0f, 1e-20f, 0x1p-24f, 0.1f, 1, 1.25f, 255.9f, 256, 1e30f};
    Index before = 0;
    for (const float value : values) {
        const Index bin = QuantileSketch::bin(value);
        CHECK((bin >= before && bin < QuantileSketch::bins));
        before = bin;
        if (std::abs(value) < 256) {
            CHECK(static_cast<double>(value) >= QuantileSketch::lower_edge(bin));
            CHECK(static_cast<double>(value) <= QuantileSketch::upper_edge(bin));
        }
    }
    CHECK(QuantileSketch::bin(-0.0f) == QuantileSketch::zero);
    CHECK(QuantileSketch::bin(0x1p-149f) == QuantileSketch::zero + 1);
    CHECK(QuantileSketch::bin(1.0f) != QuantileSketch::bin(std::nextafter(1.0f, 0.0f)));
    for (Index bin = 0; bin + 1 < QuantileSketch::bins; ++bin) CHECK(QuantileSketch::upper_edge(bin) == QuantileSketch::lower_edge(bin + 1));
}

TEST_CASE("a quantile is off by an eighth of its value at most, and sketches merge by adding") {
    std::mt19937 random(5);
    std::normal_distribution<float> draw(0.3f, 2);
    std::vector<float> values;
    std::vector<std::uint32_t> counts(static_cast<std::size_t>(QuantileSketch::bins));
    for (int i = 0; i < 5001; ++i) {
        values.push_back(draw(random));
        ++counts[static_cast<std::size_t>(QuantileSketch::bin(values.back()))];
    }
    const auto positive = static_cast<std::uint64_t>(std::count_if(values.begin(), values.end(), [](float v) { return v > 0; }));
    CHECK(QuantileSketch::positive(counts) == positive);
    CHECK(QuantileSketch::total(counts) == values.size());
    std::sort(values.begin(), values.end());
    for (const double q : {0.001, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999}) {
        const double right = static_cast<double>(values[static_cast<std::size_t>(q * 5000)]);
        CHECK(std::abs(QuantileSketch::quantile(counts, q) - right) <= 0.125 * std::abs(right) + 1e-3);
    }
    CHECK(QuantileSketch::quantile(std::vector<std::uint32_t>(static_cast<std::size_t>(QuantileSketch::bins)), 0.5) == 0);
}

TEST_CASE("a quantile lies on a straight line within its bin; zero is neither positive nor negative") {
    std::vector<std::uint32_t> counts(static_cast<std::size_t>(QuantileSketch::bins));
    const auto put = [&](float value, std::uint32_t times) { counts[static_cast<std::size_t>(QuantileSketch::bin(value))] += times; };
    put(-1.0f, 2);  // in [-1.25, -1]
    put(0.0f, 3);
    put(1.0f, 5);  // in [1, 1.25)
    CHECK((QuantileSketch::positive(counts) == 5 && QuantileSketch::total(counts) == 10));
    CHECK(QuantileSketch::quantile(counts, 0.1) == Approx(-1.125));
    CHECK(QuantileSketch::quantile(counts, 0.3) == 0);
    CHECK(QuantileSketch::quantile(counts, 0.5) == 0);
    CHECK(QuantileSketch::quantile(counts, 0.75) == Approx(1.125));
    CHECK(QuantileSketch::quantile(counts, 1) == Approx(1.25));
    CHECK((QuantileSketch::quantile(counts, 2) == Approx(1.25) && QuantileSketch::quantile(counts, -1) == Approx(-1.25)));
}
