// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/random_normal.hpp>

#include <algorithm>

#include "support/catch.hpp"

using namespace lrp;

namespace {

std::vector<double> draw(std::uint64_t seed, std::uint64_t stream, std::size_t count, double mean = 0, double deviation = 1) {
    std::vector<bf16> numbers(count);
    RandomNormal(seed, mean, deviation).fill(stream, 0, numbers);
    std::vector<double> result;
    for (const bf16 number : numbers) result.push_back(static_cast<float>(number));
    return result;
}

double moment(const std::vector<double>& values, int power) {
    double sum = 0;
    for (const double value : values) sum += std::pow(value, power);
    return sum / static_cast<double>(values.size());
}

/// Correlation of x[i] with y[i + lag].
double correlation(const std::vector<double>& x, const std::vector<double>& y, std::size_t lag) {
    double sum = 0;
    for (std::size_t i = 0; i + lag < x.size(); ++i) sum += x[i] * y[i + lag];
    return sum / static_cast<double>(x.size() - lag);
}

}  // namespace

TEST_CASE("random numbers are normal: moments, tails, and no memory") {
    const auto values = draw(1, 0, 1 << 20);
    CHECK(std::abs(moment(values, 1)) < 0.005);  // five deviations of the mean
    CHECK(std::abs(moment(values, 2) - 1) < 0.008);
    CHECK(std::abs(moment(values, 3)) < 0.02);
    CHECK(std::abs(moment(values, 4) - 3) < 0.06);
    const auto beyond = [&](double z) { return static_cast<double>(std::count_if(values.begin(), values.end(), [z](double v) { return v > z; })) / (1 << 20); };
    CHECK(std::abs(beyond(1) - 0.15866) < 0.0025);  // bf16 is as coarse as 1/128 here
    CHECK(std::abs(beyond(3) - 0.00135) < 0.0002);
    for (const std::size_t lag : {1, 2, 3, 4, 5, 64, 4096}) CHECK(std::abs(correlation(values, values, lag)) < 0.005);
    CHECK(std::abs(correlation(values, draw(1, 1, 1 << 20), 0)) < 0.005);  // another stream
    CHECK(std::abs(correlation(values, draw(2, 0, 1 << 20), 0)) < 0.005);  // another seed
    for (std::size_t shift = 1; shift < 8; ++shift) CHECK(std::abs(correlation(values, draw(1, 1, 1 << 20), shift)) < 0.005);
}

TEST_CASE("random numbers have the mean and deviation asked for") {
    const auto values = draw(3, 9, 1 << 18, 1, 0.1);
    CHECK(std::abs(moment(values, 1) - 1) < 0.002);
    CHECK(std::abs(moment(values, 2) - 1.01) < 0.004);
}

TEST_CASE("any part of a stream can be made by itself") {
    const RandomNormal random(7, 0, 1);
    std::vector<bf16> whole(1003);
    random.fill(5, 0, whole);
    for (const std::size_t first : {504, 505, 506, 507})
        for (const std::size_t count : {0, 1, 2, 3, 490}) {
            std::vector<bf16> part(count);
            random.fill(5, first, part);
            for (std::size_t i = 0; i < count; ++i) CHECK(part[i].bits == whole[first + i].bits);
        }
}
