// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/carrier.hpp>
#include <lrp/core/thread_pool.hpp>

#include <numeric>

#include "support/catch.hpp"

using namespace lrp;

// An activation, a coefficient and a relevance are not each other, and a plain view becomes none of them by accident.
static_assert(!std::is_convertible_v<Activation<float>, Coefficient<float>>);
static_assert(!std::is_convertible_v<Coefficient<float>, Relevance<float>>);
static_assert(!std::is_convertible_v<Relevance<float>, Activation<float>>);
static_assert(!std::is_convertible_v<View<float>, Activation<float>>);
static_assert(std::is_convertible_v<Activation<float>, Activation<const float>>);
static_assert(!std::is_convertible_v<Activation<const float>, Activation<float>>);
static_assert(std::is_convertible_v<Coefficient<float>, View<const float>>);
static_assert(std::is_trivially_copyable_v<View<double>>);

TEST_CASE("views are cut without copying") {
    std::vector<int> numbers(24);
    std::iota(numbers.begin(), numbers.end(), 0);
    const View<int> all(numbers.data(), 4, 6);
    CHECK(all(2, 3) == 15);
    const auto middle = all.columns(1, 3).rows_from(1, 2);
    CHECK((middle.rows == 2 && middle.cols == 3 && middle.stride == 6));
    CHECK(middle(1, 2) == 15);
    CHECK_FALSE(middle.contiguous());
    const auto heads = split_heads(all, HeadLayout::columns, 6, 2);  // 6 heads read 3 blocks of 2 columns
    CHECK(heads[5](3, 1) == 23);
    CHECK(heads[1].data == heads[0].data);
    const auto stacked = split_heads(all, HeadLayout::rows, 2);
    CHECK(stacked[1](1, 5) == 23);
}

TEST_CASE("a thread pool does every index once, passes on errors, and nests") {
    for (const unsigned threads : {1u, 2u, 5u}) {
        ThreadPool pool(threads);
        CHECK(pool.size() == threads);
        for (int round = 0; round < 50; ++round) {
            std::vector<std::atomic<int>> seen(97);
            pool.parallel_for(97, [&](Index i) {
                seen[static_cast<std::size_t>(i)]++;
                pool.parallel_for(3, [&](Index) {});
            });
            CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& count) { return count == 1; }));
        }
        CHECK_THROWS_AS(pool.parallel_for(10, [](Index i) { if (i == 7) throw std::runtime_error("seven"); }), std::runtime_error);
        std::atomic<int> sum{0};
        pool.parallel_for(10, [&](Index i) { sum += static_cast<int>(i); });
        CHECK(sum == 45);
    }
}
