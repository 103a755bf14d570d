// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/thread_pool.hpp>

#include <numeric>
#include <stdexcept>

#include "support/catch.hpp"

using namespace lrp;

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
        CHECK_THROWS_AS(pool.parallel_for(10,
                                          [](Index i) {
                                              if (i == 7) throw std::runtime_error("seven");
                                          }),
                        std::runtime_error);
        std::atomic<int> sum{0};
        pool.parallel_for(10, [&](Index i) { sum += static_cast<int>(i); });
        CHECK(sum == 45);
    }
}

TEST_CASE("a thread pool of nothing to do returns, and 0 threads means as many as there are") {
    ThreadPool pool(3);
    pool.parallel_for(0, [](Index) { FAIL("no index exists"); });
    int calls = 0;
    pool.parallel_for(1, [&](Index) { ++calls; });
    CHECK(calls == 1);
    CHECK(ThreadPool(0).size() >= 1);
}

TEST_CASE("two threads may share one pool") {
    ThreadPool pool(3);
    std::atomic<int> sum{0};
    const auto loops = [&] {
        for (int round = 0; round < 100; ++round) pool.parallel_for(20, [&](Index i) { sum += static_cast<int>(i); });
    };
    std::thread other(loops);
    loops();
    other.join();
    CHECK(sum == 2 * 100 * 190);
}
