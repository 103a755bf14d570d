// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A backend whose rows and tiles are worked by several real threads at once, as a card's lanes do: what a row functor gets wrong between lanes shows
// here, as wrong numbers or, under ThreadSanitizer, as a race.
#pragma once

#include <array>
#include <barrier>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <lrp/backend/native.hpp>
#include <lrp/reference/backend.hpp>

namespace lrp::test {

/// Threads that wait for a job and all run it together.
class Lanes {
  public:
    static constexpr Index count = 3;

    Lanes() {
        for (Index rank = 0; rank < count; ++rank) threads_.emplace_back([this, rank] { serve(rank); });
    }
    Lanes(const Lanes&) = delete;
    Lanes& operator=(const Lanes&) = delete;
    ~Lanes() {
        job_ = nullptr;
        start_.arrive_and_wait();
        for (auto& thread : threads_) thread.join();
    }

    /// job(rank) on every lane at once; returns when all are done.
    void run(const std::function<void(Index)>& job) {
        job_ = job;
        start_.arrive_and_wait();
        end_.arrive_and_wait();
    }
    void meet() { between_.arrive_and_wait(); }
    /// One place per lane, for numbers that meet; as many bytes as a double takes.
    template <class A>
    A& place(Index rank) {
        static_assert(sizeof(A) <= sizeof(double));
        return *reinterpret_cast<A*>(places_[static_cast<std::size_t>(rank)].data());
    }

  private:
    void serve(Index rank) {
        for (;;) {
            start_.arrive_and_wait();
            if (!job_) return;
            job_(rank);
            end_.arrive_and_wait();
        }
    }

    std::barrier<> start_{count + 1}, end_{count + 1}, between_{count};
    std::function<void(Index)> job_;
    struct alignas(64) Place {
        alignas(double) std::array<std::byte, sizeof(double)> bytes;
        std::byte* data() { return bytes.data(); }
    };
    std::array<Place, static_cast<std::size_t>(count)> places_{};
    std::vector<std::thread> threads_;
};

/// One of the lanes, as a row functor sees it.
class ThreadGroup {
  public:
    template <class A>
    using sum_type = A;

    ThreadGroup(Lanes& lanes, Index rank) : lanes_(&lanes), rank_(rank) {}
    [[nodiscard]] Index rank() const { return rank_; }
    [[nodiscard]] Index size() const { return Lanes::count; }
    template <class A>
    A sum(A value) const {
        return meet(value, [](A a, A b) { return a + b; });
    }
    template <class A>
    A max(A value) const {
        return meet(value, [](A a, A b) { return a > b ? a : b; });
    }
    void barrier() const { lanes_->meet(); }

  private:
    template <class A, class F>
    A meet(A value, F f) const {
        lanes_->place<A>(rank_) = value;
        barrier();
        A all = lanes_->place<A>(0);
        for (Index rank = 1; rank < Lanes::count; ++rank) all = f(all, lanes_->place<A>(rank));
        barrier();
        return all;
    }
    Lanes* lanes_;
    Index rank_;
};

static_assert(Group<ThreadGroup>);

/// The reference backend with lanes.
template <Scalar T, Storage W = T>
struct LaneBackend : ReferenceBackend<T, W> {
    static constexpr const char* name = "lanes";
    static constexpr std::array native{Native::tiles};

    struct context : ReferenceBackend<T, W>::context {
        using backend = LaneBackend;
        using scalar = T;
        std::unique_ptr<Lanes> lanes = std::make_unique<Lanes>();
    };

    template <class F>
    static void for_each_row(context& ctx, Index rows, Index, F f) {
        ctx.lanes->run([&](Index rank) {
            ThreadGroup group(*ctx.lanes, rank);
            for (Index row = 0; row < rows; ++row) f(group, row);
        });
    }
    template <class F>
    static void for_each_tile(context& ctx, Index tiles, Index scratch, F f) {
        std::vector<T> memory(static_cast<std::size_t>(scratch));
        ctx.lanes->run([&](Index rank) {
            ThreadGroup group(*ctx.lanes, rank);
            for (Index tile = 0; tile < tiles; ++tile) {
                f(group, tile, memory.data());
                group.barrier();  // tiles share one memory here
            }
        });
    }
};

static_assert(check_backend<LaneBackend<float>>() && check_backend<LaneBackend<double>>());

}  // namespace lrp::test
