// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What a CUDA context owns besides its kernels: a stream, host memory for uploads, and Thrust's scratch.
#pragma once

#include <algorithm>
#include <cstring>

#include <lrp/thrust/cuda_error.hpp>
#include <lrp/thrust/memory.hpp>

namespace lrp::detail {

/// A stream of one card, and the card's pool told to keep what is given back, so that a pass need not ask the driver for memory.
class CudaStream {
  public:
    explicit CudaStream(int device) : device_(device) {
        if (const std::string reason = cuda_unavailable(device); !reason.empty()) fail<NoDevice>("cuda: ", reason);
        cuda_check(cudaSetDevice(device), "cudaSetDevice ", device);
        cuda_check(cudaDeviceGetDefaultMemPool(&pool_, device), "cudaDeviceGetDefaultMemPool");
        std::uint64_t keep = ~std::uint64_t{0};
        cuda_check(cudaMemPoolSetAttribute(pool_, cudaMemPoolAttrReleaseThreshold, &keep), "cudaMemPoolSetAttribute");
        cuda_check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreateWithFlags");
    }
    CudaStream(const CudaStream&) = delete;
    CudaStream& operator=(const CudaStream&) = delete;
    ~CudaStream() {
        cudaStreamSynchronize(stream_);
        cudaStreamDestroy(stream_);
    }
    [[nodiscard]] cudaStream_t get() const { return stream_; }
    [[nodiscard]] int device() const { return device_; }
    /// Bytes that the pool has from the driver and nobody from the pool.
    [[nodiscard]] std::uint64_t pooled() const {
        std::uint64_t reserved = 0, used = 0;
        cuda_check(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrReservedMemCurrent, &reserved), "cudaMemPoolGetAttribute");
        cuda_check(cudaMemPoolGetAttribute(pool_, cudaMemPoolAttrUsedMemCurrent, &used), "cudaMemPoolGetAttribute");
        return reserved - std::min(reserved, used);
    }

  private:
    int device_;
    cudaMemPool_t pool_ = nullptr;
    cudaStream_t stream_ = nullptr;
};

/// Host memory the card can read by itself: what is uploaded is put here first, so that the host need not wait for the copy.
class CudaStaging {
  public:
    explicit CudaStaging(std::size_t bytes) : size_(bytes) { cuda_check(cudaMallocHost(&block_, bytes), "cudaMallocHost of ", bytes, " bytes"); }
    CudaStaging(const CudaStaging&) = delete;
    CudaStaging& operator=(const CudaStaging&) = delete;
    ~CudaStaging() { cudaFreeHost(block_); }

    [[nodiscard]] std::size_t size() const { return size_; }
    /// A place that holds the bytes until the stream has copied them. Waits for the stream only when all places have been used.
    [[nodiscard]] const void* put(const void* from, std::size_t bytes, cudaStream_t stream) {
        if (used_ + bytes > size_) {
            cuda_check(cudaStreamSynchronize(stream), "waiting for uploads");
            used_ = 0;
        }
        char* place = static_cast<char*>(block_) + used_;
        std::memcpy(place, from, bytes);
        used_ += (bytes + 15) / 16 * 16;
        return place;
    }

  private:
    void* block_ = nullptr;
    std::size_t size_;
    std::size_t used_ = 0;
};

/// The scratch memory of Thrust algorithms, from the context's own.
template <class Memory>
struct CudaScratch {
    using value_type = char;
    Memory* memory;
    char* allocate(std::ptrdiff_t bytes) { return static_cast<char*>(memory->take(static_cast<std::uint64_t>(bytes))); }
    void deallocate(char* piece, std::size_t) { memory->give(piece); }
};

}  // namespace lrp::detail
