// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/eigen/attention/rows.hpp>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include <lrp/eigen/product/cpu.hpp>

#include "support/catch.hpp"
#include "support/guarded.hpp"

using namespace lrp;
using lrp::test::Guard;
using lrp::test::GuardedMatrix;

namespace {

/// Rows of every length, at either end of their memory, against the formulas in double.
template <class Rows>
void check_rows() {
    std::mt19937 random(5);
    std::normal_distribution<float> draw;
    for (const Guard guard : {Guard::before, Guard::after})
        for (Index count = 1; count <= 35; ++count) {
            const GuardedMatrix<float> memory(2, count, count, guard);
            float *const x = memory.view().row(0), *const e = memory.view().row(1);
            std::vector<float> before, weights;
            CAPTURE(count);
            for (Index i = 0; i < count; ++i) {
                for (Index j = 0; j < count; ++j) e[j] = -draw(random) - 20 + (j == i ? 20.5f : 0.0f);
                REQUIRE(Rows::peak(e, count) == e[i]);
            }
            for (Index i = 0; i < count; ++i) before.push_back(e[i] = draw(random)), weights.push_back(x[i] = draw(random) - 2);
            double total = 0;
            for (Index i = 0; i < count; ++i) total += 0.25 * std::exp(double{x[i]} - 0.5);
            CHECK(std::abs(Rows::exponentials(x, count, 0.5f, 0.25f) - total) <= 1e-6 * total);
            for (Index i = 0; i < count; ++i) {
                const double weight = 0.25 * std::exp(double{weights[static_cast<std::size_t>(i)]} - 0.5);
                REQUIRE(std::abs(x[i] - weight) <= 5e-7 * weight);
            }
            Rows::weigh(e, x, 0.75f, count);
            for (Index i = 0; i < count; ++i) REQUIRE(std::abs(e[i] - x[i] * (before[static_cast<std::size_t>(i)] - 0.75f)) <= 1e-6f);
        }
    // Beyond what a float holds, as `exponential`.
    std::vector<float> far{-1000, -88, -INFINITY, 88, 1000, INFINITY, NAN, 0};
    const std::vector<float> given = far;
    Rows::exponentials(far.data(), 8, 0, 1);
    for (std::size_t i = 0; i < 8; ++i) CHECK((std::isnan(given[i]) ? std::isnan(far[i]) : std::abs(far[i] - exponential(given[i])) <= 5e-7f * exponential(given[i])));
}

}  // namespace

TEST_CASE("rows of scores: their peak, their exponentials and their weights, at every length") {
    check_rows<detail::RowsPlain>();
#if defined(__x86_64__)
    if (CpuFeatures::detect().avx2) check_rows<detail::RowsAvx2>();
    if (CpuFeatures::detect().avx512) check_rows<detail::RowsAvx512>();
#endif
}
