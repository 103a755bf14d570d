// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Thrust's CUDA system, for nvcc: rows and maps as kernels of their own, products by cuBLASLt, sorts by Thrust. One stream a context,
// nothing on the default stream; the host waits in `download` and `top_k` alone.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>

#include <cuda_runtime.h>
#include <thrust/extrema.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>
#include <thrust/system/cuda/execution_policy.h>
#include <thrust/system_error.h>

#include <lrp/thrust/backend.hpp>
#include <lrp/thrust/cuda_error.hpp>
#include <lrp/thrust/cuda_kernels.hpp>
#include <lrp/thrust/cuda_memory.hpp>
#include <lrp/thrust/cuda_product.hpp>

namespace lrp {

namespace detail {

struct RoundRow {
    View<const float> from;
    View<bf16> to;
    template <Group G>
    LRP_HD void operator()(G& group, Index row) const {
        row_each(group, to.cols, [&](Index col) { to(row, col) = bf16(from(row, col)); });
    }
};
template <class T>
struct Constant {
    T value;
    LRP_HD T operator()() const { return value; }
};

}  // namespace detail

/// A CUDA card with a stream of its own. NoDevice if there is none; DeviceError, naming the call, the shape and CUDA's words, if a call fails.
/// Faults inside a kernel surface where the host next waits; a `checked` device waits after every call and names it.
class CudaDevice {
  public:
    struct Options {
        int device = 0;
        bool checked = false;
        std::size_t workspace = std::size_t{32} << 20;  ///< bytes for cuBLASLt
        std::size_t staging = std::size_t{16} << 20;    ///< bytes of host memory for uploads
    };

    static constexpr Index tile_bytes = Index{99} << 10;  ///< of shared memory, which every card since sm_80 gives a block that asks

    explicit CudaDevice(Options options) : checked_(options.checked), stream_(options.device), products_(options.workspace), staging_(options.staging) {}

    [[nodiscard]] cudaStream_t stream() const { return stream_.get(); }

    [[nodiscard]] void* take(std::uint64_t bytes) {
        void* piece = nullptr;
        const cudaError_t code = cudaMallocAsync(&piece, bytes, stream());
        if (code == cudaErrorMemoryAllocation) {
            cudaGetLastError();
            std::size_t left = 0, all = 0;
            detail::cuda_check(cudaMemGetInfo(&left, &all), "cudaMemGetInfo");
            fail<DeviceError>("cuda: device memory: ", bytes, " bytes were asked for, ", left, " of ", all, " are free: ", detail::cuda_words(code));
        }
        detail::cuda_check(code, "cudaMallocAsync of ", bytes, " bytes");
        return piece;
    }
    void give(void* piece) noexcept {
        if (cudaFreeAsync(piece, stream()) != cudaSuccess) cudaGetLastError();  // or the next launch would be blamed
    }
    /// Half of what the card and this program's pool have left: a pass that is watched takes more than one that nobody watches, and some is lost between pieces.
    [[nodiscard]] std::optional<std::uint64_t> room() const {
        std::size_t left = 0, all = 0;
        detail::cuda_check(cudaMemGetInfo(&left, &all), "cudaMemGetInfo");
        return (left + stream_.pooled()) / 2;
    }

    void upload(const void* host, void* device, std::size_t bytes) {
        if (bytes == 0) return;
        const bool staged = bytes <= staging_.size();
        const void* from = staged ? staging_.put(host, bytes, stream()) : host;
        detail::cuda_check(cudaMemcpyAsync(device, from, bytes, cudaMemcpyHostToDevice, stream()), "copying ", bytes, " bytes to the card");
        if (!staged) wait("copying to the card");
    }
    void download(const void* device, void* host, std::size_t bytes) {
        if (bytes == 0) return;
        detail::cuda_check(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream()), "copying ", bytes, " bytes from the card");
        wait("copying from the card");
    }

    /// The places 0, 1, ..., count - 1 in the order `before` says.
    template <class Memory, class Before>
    void sort_places(Memory& memory, std::int32_t* places, Index count, const Before& before) {
        algorithm(memory, "sorting", count, [&](const auto& policy) {
            thrust::sequence(policy, places, places + count);
            thrust::sort(policy, places, places + count, before);
        });
        if (checked_) wait("sorting places");
    }
    /// The first of them.
    template <class Memory, class Before>
    [[nodiscard]] std::int32_t first_place(Memory& memory, Index count, const Before& before) {
        std::int32_t first = 0;
        algorithm(memory, "finding the first of", count, [&](const auto& policy) {
            const thrust::counting_iterator<std::int32_t> places(0);
            first = *thrust::min_element(policy, places, places + count, before);
        });
        return first;
    }

    template <class F>
    void each(Index count, const F& f) {
        if (count == 0) return;
        const Index blocks = std::min<Index>((count + detail::block_lanes - 1) / detail::block_lanes, 1 << 16);
        detail::each_kernel<<<static_cast<unsigned>(blocks), detail::block_lanes, 0, stream()>>>(f, count);
        launched<F>(count, 1);
    }
    template <class F>
    void rows(Index count, Index width, const F& f) {
        if (count == 0) return;
        if (width < narrow) {
            constexpr Index per_block = detail::block_lanes / 32;
            detail::warp_row_kernel<<<static_cast<unsigned>((count + per_block - 1) / per_block), detail::block_lanes, 0, stream()>>>(f, count);
        } else {
            detail::block_row_kernel<<<static_cast<unsigned>(count), detail::block_lanes, 0, stream()>>>(f);
        }
        launched<F>(count, width);
    }
    /// Error with both numbers if the card has less shared memory a block than asked for.
    template <class T, class F>
    void tiles(Index count, Index scratch, const F& f) {
        if (count == 0) return;
        const auto bytes = static_cast<std::size_t>(scratch) * sizeof(T);
        if (bytes > std::size_t{48} << 10) {  // more than every card gives without being asked
            int most = 0;
            detail::cuda_check(cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, stream_.device()), "cudaDeviceGetAttribute");
            if (bytes > static_cast<std::size_t>(most))
                fail<DeviceError>("cuda: ", detail::functor_name<F>, " needs ", bytes, " bytes of shared memory a block, the card has ", most);
            detail::cuda_check(cudaFuncSetAttribute(detail::tile_kernel<F, T>, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(bytes)),
                               "cudaFuncSetAttribute for ", bytes, " bytes of shared memory");
        }
        detail::tile_kernel<F, T><<<static_cast<unsigned>(count), detail::block_lanes, bytes, stream()>>>(f);
        launched<F>(count, scratch);
    }
    template <class F, class T, class... In>
    void map(const F& f, const View<T>& out, const In&... in) {
        if (out.rows == 0 || out.cols == 0) return;
        const dim3 grid(static_cast<unsigned>((out.cols + detail::block_lanes - 1) / detail::block_lanes), static_cast<unsigned>(std::min<Index>(out.rows, 65535)));
        detail::map_kernel<<<grid, detail::block_lanes, 0, stream()>>>(f, out, in...);
        launched<F>(out.rows, out.cols);
    }
    template <class T>
    void copy(const View<const T>& in, const View<T>& out) {
        if (out.rows == 0 || out.cols == 0) return;
        const auto bytes = [](Index count) { return static_cast<std::size_t>(count) * sizeof(T); };
        detail::cuda_check(cudaMemcpy2DAsync(out.data, bytes(out.stride), in.data, bytes(in.stride), bytes(out.cols), static_cast<std::size_t>(out.rows),
                                             cudaMemcpyDeviceToDevice, stream()),
                           "copying [", out.rows, ", ", out.cols, "]");
        if (checked_) wait("copy");
    }
    template <class T>
    void fill(const View<T>& out, T value) {
        map(detail::Constant<T>{value}, out);
    }
    /// With bf16 weights the other operand is rounded to bf16 for the tensor cores; sums and result stay in float.
    template <class Memory, class T, class U>
    void product(Memory& memory, const Product& p, const BatchView<const T>& a, const BatchView<const U>& b, const BatchView<T>& c) {
        if constexpr (std::is_same_v<T, U>) {
            products_.run(stream(), p, a, b, c);
        } else {
            const View<const T>& from = a.first;  // weights are never batched
            ThrustBuffer<CudaDevice, bf16> rounded(memory.shared_from_this(), from.rows * from.cols);
            const View<bf16> to(rounded.data(), from.rows, from.cols);
            rows(from.rows, from.cols, detail::RoundRow{from, to});
            products_.run(stream(), p, BatchView<const bf16>{to, 1, 0}, b, c);
        }
        if (checked_) wait("matmul");
    }

    /// Waits until all that was asked for is done. Error: a fault in any of it.
    void wait(std::string_view what) { detail::cuda_check(cudaStreamSynchronize(stream()), what); }

  private:
    static constexpr Index narrow = 1024;  // rows below this are shared by a warp, wider ones by a block

    /// Runs f(policy), an algorithm of Thrust over so many places, on the stream, its scratch from the context's memory.
    template <class Memory, class F>
    void algorithm(Memory& memory, const char* what, Index count, const F& f) {
        try {
            f(thrust::cuda::par_nosync(detail::CudaScratch<Memory>{&memory}).on(stream()));
        } catch (const thrust::system_error& error) {  // it has CUDA's words
            cudaGetLastError();
            fail<DeviceError>("cuda: ", what, " ", count, " places: ", error.what());
        }
    }
    template <class F>
    void launched(Index rows, Index cols) {
        detail::cuda_check(cudaGetLastError(), "launching ", detail::functor_name<F>, " over [", rows, ", ", cols, "]");
        if (checked_) detail::cuda_check(cudaStreamSynchronize(stream()), detail::functor_name<F>, " over [", rows, ", ", cols, "]");
    }

    bool checked_;
    detail::CudaStream stream_;
    detail::CudaProducts products_;
    detail::CudaStaging staging_;
};

struct ThrustCuda {
    static constexpr const char* name = "cuda";
    using Device = CudaDevice;
};

template <Scalar T, Storage W = T>
using CudaBackend = ThrustBackend<ThrustCuda, T, W>;

static_assert(check_backend<CudaBackend<float>>() && check_backend<CudaBackend<double>>() && check_backend<CudaBackend<float, bf16>>());

}  // namespace lrp
