// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/analysis/exact_sum.hpp>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("an exact sum has the same bits in any order and grouping, where a plain one has not") {
    std::mt19937 random(3);
    std::vector<double> terms;
    for (int i = 0; i < 2000; ++i) terms.push_back(std::ldexp(static_cast<double>(random()) - 2147483648.0, -static_cast<int>(random() % 60)));
    const auto sum = [](const std::vector<double>& list) {
        ExactSum total;
        for (const double term : list) total.add(term);
        return total;
    };
    const auto plain = [](const std::vector<double>& list) {
        double total = 0;
        for (const double term : list) total += term;
        return total;
    };
    const ExactSum whole = sum(terms);
    const double rounded = plain(terms);
    bool differs = false;
    for (int round = 0; round < 20; ++round) {
        std::shuffle(terms.begin(), terms.end(), random);
        CHECK(sum(terms) == whole);
        differs = differs || plain(terms) != rounded;
        ExactSum halves = sum({terms.begin(), terms.begin() + 777});
        halves.add(sum({terms.begin() + 777, terms.end()}));
        CHECK(halves == whole);
    }
    CHECK(differs);
    long double precise = 0;
    for (const double term : terms) precise += term;
    CHECK(std::abs(whole.value() - static_cast<double>(precise)) <= std::ldexp(std::abs(whole.value()), -52));
    CHECK(ExactSum(whole.low(), whole.high()) == whole);
}

TEST_CASE("an exact sum knows signs, small parts, variance, and what it cannot hold") {
    for (const double term : {0.0, 1.0, -1.0, 0.1, -0.1, 1e18, -1e18, 0x1p-64, -0x1p-64, -0x1p-70, 12345.678, -12345.678}) {
        ExactSum sum;
        sum.add(term);
        CHECK(std::abs(sum.value() - term) <= 0x1p-64);
        sum.add(-term);
        CHECK(std::abs(sum.value()) <= 0x1p-63);
    }
    ExactSum sum, squares;
    for (const double x : {1e6 + 1, 1e6 + 2, 1e6 + 3, 1e6 + 4}) {
        sum.add(x);
        squares.add(x * x);
    }
    CHECK(squares.variance(sum, 4) == Approx(1.25).epsilon(1e-5));
    ExactSum small;  // to the nearest multiple of 2^-64, whatever the sign
    small.add(0x1.8p-65);
    CHECK(small.value() == 0x1p-64);
    small.add(-0x1.cp-64);
    CHECK(small.value() == -0x1p-64);
    CHECK(ExactSum().variance(ExactSum(), 0) == 0);
    for (const double bad : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN(), 0x1p62}) CHECK_THROWS_AS(sum.add(bad), Error);
    ExactSum full;
    full.add(0x1p61);
    full.add(0x1p61);
    full.add(0x1p61);
    CHECK_THROWS_AS(full.add(0x1p61), Error);
}
