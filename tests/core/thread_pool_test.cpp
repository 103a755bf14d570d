// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/thread_pool.hpp>

#include <latch>
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

TEST_CASE("in the loop of one pool, another pool's threads are numbered as its own") {
    ThreadPool outer(4), alone(1), two(2);
    std::atomic<unsigned> highest{0};
    std::latch all(4);  // every thread has one index
    outer.parallel_for(4, [&](Index, unsigned own) {
        all.arrive_and_wait();
        for (ThreadPool* inner : {&alone, &two})
            inner->parallel_for(3, [&](Index, unsigned thread) {
                for (unsigned so_far = highest; so_far < thread && !highest.compare_exchange_weak(so_far, thread);) {}
            });
        outer.parallel_for(2, [&](Index, unsigned thread) {
            if (thread != own) throw std::logic_error("another thread");
        });
    });
    CHECK(highest == 0);
}

TEST_CASE("ranges cover every index once, none is longer than asked for, and the last is short") {
    for (const unsigned threads : {1u, 2u, 5u}) {
        ThreadPool pool(threads);
        for (const Index count : {0, 1, 7, 97, 1000})
            for (const Index most : {1, 8, 2000}) {
                CAPTURE(threads, count, most);
                std::vector<std::atomic<int>> seen(static_cast<std::size_t>(count));
                std::atomic<Index> longest{0}, last{0};
                pool.parallel_ranges(count, most, [&](Index begin, Index end, unsigned thread) {
                    if (begin >= end || end > count || thread >= threads) throw std::logic_error("no such range");
                    for (Index i = begin; i < end; ++i) seen[static_cast<std::size_t>(i)]++;
                    for (Index so_far = longest; so_far < end - begin && !longest.compare_exchange_weak(so_far, end - begin);) {}
                    if (end == count) last = end - begin;
                });
                CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& times) { return times == 1; }));
                CHECK(longest <= most);
                if (threads == 1) CHECK(longest == std::min(count, most));
                if (threads > 1 && count > 0) CHECK(last == 1);
            }
        CHECK_THROWS_AS(pool.parallel_ranges(10, 2, [](Index, Index end, unsigned) { if (end == 10) throw std::runtime_error("ten"); }), std::runtime_error);
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

TEST_CASE("a loop ends with its last index, on whichever thread") {
    ThreadPool pool(2);
    for (int round = 0; round < 20; ++round) {
        std::latch both(2);  // either thread has one index
        std::atomic<int> done{0};
        pool.parallel_for(2, [&](Index, unsigned thread) {
            both.arrive_and_wait();
            for (std::atomic<int> i{0}; thread == 1 && i < 100000;) ++i;  // the caller has long come to its end
            ++done;
        });
        CHECK(done == 2);
    }
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
