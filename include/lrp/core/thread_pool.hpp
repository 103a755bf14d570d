// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include <lrp/core/scalar.hpp>

namespace lrp {

/// A fixed set of threads that share the indices of one loop at a time. Which thread takes which index is left open, so work on
/// different indices must be independent; then results are the same bits for every number of threads.
class ThreadPool {
  public:
    /// `threads` in all, the caller included; 0: as many as the machine has.
    explicit ThreadPool(unsigned threads = 0) {
        if (threads == 0) threads = std::max(1u, std::thread::hardware_concurrency());
        for (unsigned i = 1; i < threads; ++i) workers_.emplace_back([this] { serve(); });
    }
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;
    ~ThreadPool() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (auto& worker : workers_) worker.join();
    }

    [[nodiscard]] unsigned size() const { return static_cast<unsigned>(workers_.size()) + 1; }

    /// Calls work(i) for every i < count and returns when all are done. The first exception is thrown again here. A loop inside a
    /// loop runs on its own thread alone.
    template <class F>
    void parallel_for(Index count, const F& work) {
        if (count <= 1 || workers_.empty() || inside()) {
            for (Index i = 0; i < count; ++i) work(i);
            return;
        }
        const std::lock_guard one_loop(loop_mutex_);
        {
            const std::lock_guard lock(mutex_);
            job_ = [&work](Index i) { work(i); };
            count_ = count;
            next_.store(0);
            busy_ = workers_.size();
            error_ = nullptr;
            ++generation_;
        }
        wake_.notify_all();
        take_indices();
        std::unique_lock lock(mutex_);
        done_.wait(lock, [this] { return busy_ == 0; });
        job_ = nullptr;
        if (error_) std::rethrow_exception(error_);
    }

  private:
    static bool& inside() {
        thread_local bool flag = false;
        return flag;
    }

    void take_indices() {
        inside() = true;
        for (Index i = next_.fetch_add(1); i < count_; i = next_.fetch_add(1)) {
            try {
                job_(i);
            } catch (...) {
                const std::lock_guard lock(mutex_);
                if (!error_) error_ = std::current_exception();
                next_.store(count_);
            }
        }
        inside() = false;
    }

    void serve() {
        std::size_t seen = 0;
        std::unique_lock lock(mutex_);
        for (;;) {
            wake_.wait(lock, [&] { return stopping_ || generation_ != seen; });
            if (stopping_) return;
            seen = generation_;
            lock.unlock();
            take_indices();
            lock.lock();
            if (--busy_ == 0) done_.notify_one();
        }
    }

    std::vector<std::thread> workers_;
    std::mutex loop_mutex_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable done_;
    std::function<void(Index)> job_;
    Index count_ = 0;
    std::atomic<Index> next_{0};
    std::size_t busy_ = 0;
    std::size_t generation_ = 0;
    std::exception_ptr error_;
    bool stopping_ = false;
};

}  // namespace lrp
