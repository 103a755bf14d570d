// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Groups of lanes on a card, and the kernels that run functors: one for rows (a warp or a block a row), one for maps, one for plain indices.
#pragma once

#include <lrp/backend/group.hpp>
#include <lrp/core/tensor.hpp>

namespace lrp::detail {

/// 32 lanes that meet by shuffles, in one order: sums are the same in every run.
struct WarpGroup {
    template <class A>
    using sum_type = A;
    static constexpr unsigned all = 0xffffffffu;

    __device__ Index rank() const { return threadIdx.x % 32; }
    __device__ Index size() const { return 32; }
    template <class A>
    __device__ A sum(A value) const {
        for (int step = 16; step > 0; step /= 2) value += __shfl_xor_sync(all, value, step);
        return value;
    }
    template <class A>
    __device__ A max(A value) const {
        for (int step = 16; step > 0; step /= 2) {
            const A other = __shfl_xor_sync(all, value, step);
            value = other > value ? other : value;
        }
        return value;
    }
    __device__ void barrier() const { __syncwarp(); }
};

/// A block of `Lanes` threads, a multiple of 32: warps meet by shuffles, and each other through shared memory.
template <int Lanes>
struct BlockGroup {
    template <class A>
    using sum_type = A;
    static constexpr int warps = Lanes / 32;

    __device__ Index rank() const { return threadIdx.x; }
    __device__ Index size() const { return Lanes; }
    template <class A>
    __device__ A sum(A value) const {
        return meet(WarpGroup{}.sum(value), [](A a, A b) { return a + b; });
    }
    template <class A>
    __device__ A max(A value) const {
        return meet(WarpGroup{}.max(value), [](A a, A b) { return a > b ? a : b; });
    }
    __device__ void barrier() const { __syncthreads(); }

  private:
    template <class A, class F>
    __device__ A meet(A value, F f) const {
        __shared__ A each[warps];
        __syncthreads();  // an earlier meeting has been read
        if (threadIdx.x % 32 == 0) each[threadIdx.x / 32] = value;
        __syncthreads();
        A all = each[0];
        for (int warp = 1; warp < warps; ++warp) all = f(all, each[warp]);
        return all;
    }
};

inline constexpr int block_lanes = 256;

template <class F>
__global__ void __launch_bounds__(block_lanes) warp_row_kernel(F f, Index rows) {
    const Index row = static_cast<Index>(blockIdx.x) * (block_lanes / 32) + threadIdx.x / 32;
    if (row >= rows) return;  // a whole warp
    WarpGroup group;
    f(group, row);
}

template <class F>
__global__ void __launch_bounds__(block_lanes) block_row_kernel(F f) {
    BlockGroup<block_lanes> group;
    f(group, static_cast<Index>(blockIdx.x));
}

/// f(group, index, scratch) with a block's shared memory as scratch.
template <class F, class T>
__global__ void __launch_bounds__(block_lanes) tile_kernel(F f) {
    extern __shared__ __align__(16) unsigned char memory[];
    BlockGroup<block_lanes> group;
    f(group, static_cast<Index>(blockIdx.x), reinterpret_cast<T*>(memory));
}

template <class F>
__global__ void __launch_bounds__(block_lanes) each_kernel(F f, Index count) {
    const Index step = static_cast<Index>(gridDim.x) * block_lanes;
    for (Index i = static_cast<Index>(blockIdx.x) * block_lanes + threadIdx.x; i < count; i += step) f(i);
}

template <class F, class T, class... In>
__global__ void __launch_bounds__(block_lanes) map_kernel(F f, View<T> out, In... in) {
    const Index col = static_cast<Index>(blockIdx.x) * block_lanes + threadIdx.x;
    if (col >= out.cols) return;
    for (Index row = blockIdx.y; row < out.rows; row += gridDim.y) out(row, col) = f(in(row, col)...);
}

}  // namespace lrp::detail
