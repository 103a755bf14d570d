// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include <lrp/core/error.hpp>
#include <lrp/core/scalar.hpp>

namespace lrp {

/// As many threads as were asked for; 0: as many as the machine has.
[[nodiscard]] inline unsigned all_if_none(unsigned threads) { return threads > 0 ? threads : std::max(1u, std::thread::hardware_concurrency()); }

/// A fixed set of threads that share the indices of one loop at a time. Which thread takes which index is left open, so work on
/// different indices must be independent; then results are the same bits for every number of threads.
class ThreadPool {
  public:
    /// `threads` in all, the caller included; 0: as many as the machine has. Throws Error where the system does not give so many.
    explicit ThreadPool(unsigned threads = 0) {
        threads = all_if_none(threads);
        try {
            for (unsigned i = 1; i < threads; ++i) workers_.emplace_back([this, i] { serve(i); });
        } catch (const std::system_error& error) {
            const std::size_t started = workers_.size() + 1;
            stop();
            fail("thread pool: the system gave ", started, " of ", threads, " threads: ", error.what());
        }
    }
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    ~ThreadPool() { stop(); }

    [[nodiscard]] unsigned size() const { return static_cast<unsigned>(workers_.size()) + 1; }

    /// Calls work(i), or work(i, thread) with the number of the thread below size(), for every i < count and returns when all are done. The
    /// first exception is thrown again here. A loop inside a loop, of this pool or another one, runs on its own thread
    /// alone; of another one as thread 0, so that several of its threads must not share what work keeps by number there.
    template <class F>
    void parallel_for(Index count, const F& work) {
        const auto call = [&work](Index i, unsigned thread) {
            if constexpr (std::invocable<const F&, Index, unsigned>) {
                work(i, thread);
            } else {
                work(i);
            }
        };
        if (count <= 1 || workers_.empty() || running() != nullptr) {
            const unsigned thread = running() == this ? own_number() : 0;
            for (Index i = 0; i < count; ++i) call(i, thread);
            return;
        }
        const std::lock_guard one_loop(loop_mutex_);
        {
            const std::lock_guard lock(mutex_);
            job_ = call;
            count_ = count;
            next_.store(0);
            busy_.store(workers_.size());
            error_ = nullptr;
            generation_.fetch_add(1);
        }
        wake_.notify_all();
        take_indices(0);
        if (!spin([this] { return busy_.load() == 0; })) {
            std::unique_lock lock(mutex_);
            done_.wait(lock, [this] { return busy_.load() == 0; });
        }
        const std::lock_guard lock(mutex_);  // the last worker has let go of it
        job_ = nullptr;
        if (error_) std::rethrow_exception(error_);
    }

    /// Calls work(begin, end, thread) for ranges that cover [0, count), none longer than `most` and ever shorter towards the end, so that no thread waits
    /// long for the last of another (guided self-scheduling: Polychronopoulos and Kuck 1987; half of an even share of what is left). Which ranges there are
    /// differs from run to run: for work whose results do not depend on the cut.
    template <class F>
    void parallel_ranges(Index count, Index most, const F& work) {
        std::atomic<Index> next{0};
        const Index shares = size() == 1 ? 1 : 2 * static_cast<Index>(size());
        parallel_for(static_cast<Index>(size()), [&](Index, unsigned thread) {
            for (Index begin = next.load(); begin < count;) {
                const Index end = begin + std::clamp<Index>((count - begin) / shares, 1, most);
                if (!next.compare_exchange_weak(begin, end)) continue;
                work(begin, end, thread);
                begin = next.load();
            }
        });
    }

  private:
    void stop() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (auto& worker : workers_) worker.join();
    }

    /// The pool whose loop this thread is in, if it is in one.
    static const ThreadPool*& running() {
        thread_local const ThreadPool* pool = nullptr;
        return pool;
    }

    /// The number of this thread in that pool.
    static unsigned& own_number() {
        thread_local unsigned number = 0;
        return number;
    }

    /// Loops follow each other within microseconds; a thread that sleeps at once would take longer to wake than to work. Whether `done` came true.
    template <class F>
    static bool spin(const F& done) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
        do {
            for (int i = 0; i < 64; ++i) {
                if (done()) return true;
#if defined(__x86_64__)
                __builtin_ia32_pause();
#endif
            }
        } while (std::chrono::steady_clock::now() < end);
        return false;
    }

    void take_indices(unsigned thread) {
        running() = this;
        own_number() = thread;
        for (Index i = next_.fetch_add(1); i < count_; i = next_.fetch_add(1)) {
            try {
                job_(i, thread);
            } catch (...) {
                const std::lock_guard lock(mutex_);
                if (!error_) error_ = std::current_exception();
                next_.store(count_);
            }
        }
        running() = nullptr;
        own_number() = 0;
    }

    void serve(unsigned thread) {
        std::size_t seen = 0;
        for (;;) {
            spin([&] { return generation_.load() != seen; });
            {
                std::unique_lock lock(mutex_);
                wake_.wait(lock, [&] { return stopping_ || generation_.load() != seen; });
                if (stopping_) return;
                seen = generation_.load();
            }
            take_indices(thread);
            const std::lock_guard lock(mutex_);
            if (busy_.fetch_sub(1) == 1) done_.notify_one();
        }
    }

    std::vector<std::thread> workers_;
    std::mutex loop_mutex_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::function<void(Index, unsigned)> job_;
    Index count_ = 0;
    std::atomic<Index> next_{0};
    std::atomic<std::size_t> busy_{0};
    std::atomic<std::size_t> generation_{0};
    std::exception_ptr error_;
    bool stopping_ = false;
};

}  // namespace lrp
