// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What the blocks of card.cu share: times by CUDA events, random numbers made on the card, copies enough that nothing is found in a cache.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

#include <lrp/thrust/cuda.hpp>

namespace lrp::bench {

/// Numbers in (-scale, scale), none of them 0 but by rounding: products of zeros run faster than others.
template <class E>
struct RandomFill {
    E* data;
    float scale;
    std::uint32_t seed;
    LRP_HD void operator()(Index i) const {
        std::uint32_t h = static_cast<std::uint32_t>(i) * 0x9E3779B1u + seed * 0x85EBCA77u;
        h = (h ^ (h >> 16)) * 0x7FEB352Du;
        h = (h ^ (h >> 15)) * 0x846CA68Bu;
        h ^= h >> 16;
        data[i] = static_cast<E>(scale * (static_cast<float>(h >> 8) + 0.5f) * 0x1p-23f - scale);
    }
};

template <class C, class E>
void fill_random(C& ctx, E* data, Index count, float scale, std::uint32_t seed) {
    ctx.device().each(count, RandomFill<E>{data, scale, seed});
}

/// A tensor of random numbers in so many copies that they exceed every cache; `next()` gives one after the other.
template <class B, class Tag = void, class E = typename B::scalar>
class Copies {
  public:
    Copies(typename B::context& ctx, Index rows, Index cols, float scale = 1) {
        const double bytes = static_cast<double>(rows) * static_cast<double>(cols) * sizeof(E);
        const Index count = std::clamp<Index>(static_cast<Index>(std::ceil(256e6 / bytes)), 1, 64);
        for (Index i = 0; i < count; ++i) {
            all_.emplace_back(ctx, rows, cols);
            fill_random(ctx, all_.back().view().data, rows * cols, scale, static_cast<std::uint32_t>(i + 1));
        }
    }
    Tensor<B, Tag, E>& next() { return all_[at_++ % all_.size()]; }

  private:
    std::vector<Tensor<B, Tag, E>> all_;
    std::size_t at_ = 0;
};

/// Events on the context's stream.
class Stopwatch {
  public:
    explicit Stopwatch(cudaStream_t stream) : stream_(stream) {
        detail::cuda_check(cudaEventCreate(&begin_), "cudaEventCreate");
        detail::cuda_check(cudaEventCreate(&end_), "cudaEventCreate");
    }
    Stopwatch(const Stopwatch&) = delete;
    Stopwatch& operator=(const Stopwatch&) = delete;
    ~Stopwatch() {
        cudaEventDestroy(begin_);
        cudaEventDestroy(end_);
    }
    /// Seconds from the first of `launches` calls to the end of the last.
    template <class F>
    double run(int launches, const F& step) {
        detail::cuda_check(cudaEventRecord(begin_, stream_), "cudaEventRecord");
        for (int i = 0; i < launches; ++i) step();
        detail::cuda_check(cudaEventRecord(end_, stream_), "cudaEventRecord");
        detail::cuda_check(cudaEventSynchronize(end_), "cudaEventSynchronize");
        float milliseconds = 0;
        detail::cuda_check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
        return static_cast<double>(milliseconds) * 1e-3;
    }

  private:
    cudaStream_t stream_;
    cudaEvent_t begin_ = nullptr, end_ = nullptr;
};

/// Seconds of one step: the median of seven batches of so many launches that a batch takes about 10 ms, after a warm-up.
template <class C, class F>
double seconds(C& ctx, const F& step) {
    Stopwatch watch(ctx.device().stream());
    watch.run(3, step);
    const int launches = std::clamp(static_cast<int>(0.01 / watch.run(1, step)), 1, 200);
    std::vector<double> times;
    for (int i = 0; i < 7; ++i) times.push_back(watch.run(launches, step) / launches);
    std::nth_element(times.begin(), times.begin() + 3, times.end());
    return times[3];
}

/// Bytes that can still be had; what the pool keeps for later is given back first.
template <class C>
double available(C& ctx) {
    ctx.device().wait("available");
    cudaMemPool_t pool = nullptr;
    int device = 0;
    std::size_t left = 0, all = 0;
    detail::cuda_check(cudaGetDevice(&device), "cudaGetDevice");
    detail::cuda_check(cudaDeviceGetDefaultMemPool(&pool, device), "cudaDeviceGetDefaultMemPool");
    detail::cuda_check(cudaMemPoolTrimTo(pool, 0), "cudaMemPoolTrimTo");
    detail::cuda_check(cudaMemGetInfo(&left, &all), "cudaMemGetInfo");
    return static_cast<double>(left);
}

inline void heading(const char* title, const char* columns) {
    std::printf("\n### %s\n\n%s\n|", title, columns);
    for (const char* c = columns + 1; *c != 0; ++c)
        if (*c == '|') std::printf("---|");
    std::printf("\n");
    std::fflush(stdout);
}

}  // namespace lrp::bench
