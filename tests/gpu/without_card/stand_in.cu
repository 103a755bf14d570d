// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "gpu/without_card/stand_in.hpp"

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace lrp::test {

StandIn& stand_in() {
    static StandIn instance;
    return instance;
}

namespace {

char stream_made;  // its address is the stream

/// Notes a call; whether it is to fail.
bool fails(const char* name) {
    StandIn& card = stand_in();
    card.calls.emplace_back(name);
    return card.fail_at == card.calls.size() || card.fail_name == name;
}
cudaError_t answer(const char* name) {
    if (!fails(name)) return cudaSuccess;
    return stand_in().last = stand_in().code;
}
cudaError_t answer(const char* name, cudaStream_t stream) {
    if (static_cast<void*>(stream) != &stream_made) ++stand_in().strays;
    return answer(name);
}
cublasStatus_t answer_blas(const char* name) { return fails(name) ? stand_in().status : CUBLAS_STATUS_SUCCESS; }

cudaError_t take(const char* name, void** piece, std::size_t bytes, bool on_card) {
    StandIn& card = stand_in();
    if (const cudaError_t code = answer(name); code != cudaSuccess) return code;
    if (on_card && bytes > card.total - std::min(card.total, card.taken())) return card.last = cudaErrorMemoryAllocation;
    const std::size_t whole = (bytes / 256 + 1) * 256;  // CUDA's memory lies on multiples of 256 bytes
    *piece = std::memset(std::aligned_alloc(256, whole), 0, whole);
    card.pieces.emplace(*piece, on_card ? bytes : 0);
    return cudaSuccess;
}
cudaError_t give(void* piece) {
    if (piece != nullptr && stand_in().pieces.erase(piece) == 1) std::free(piece);
    return cudaSuccess;
}

}  // namespace

}  // namespace lrp::test

using lrp::test::answer;
using lrp::test::answer_blas;
using lrp::test::stand_in;

// The linker sends every call of X to __wrap_X; __real_X is CUDA's own.
extern "C" {

cudaError_t __real_cudaGetDeviceCount(int*);
cudaError_t __wrap_cudaGetDeviceCount(int* count) {
    if (!stand_in().here) return __real_cudaGetDeviceCount(count);
    *count = stand_in().devices;
    return answer("cudaGetDeviceCount");
}
cudaError_t __real_cudaGetLastError();
cudaError_t __wrap_cudaGetLastError() {
    if (!stand_in().here) return __real_cudaGetLastError();
    return std::exchange(stand_in().last, cudaSuccess);
}
cudaError_t __real_cudaMallocHost(void**, std::size_t);
cudaError_t __wrap_cudaMallocHost(void** piece, std::size_t bytes) {
    return stand_in().here ? lrp::test::take("cudaMallocHost", piece, bytes, false) : __real_cudaMallocHost(piece, bytes);
}
cudaError_t __real_cudaFreeHost(void*);
cudaError_t __wrap_cudaFreeHost(void* piece) { return stand_in().here ? lrp::test::give(piece) : __real_cudaFreeHost(piece); }
cudaError_t __real_cudaMalloc(void**, std::size_t);
cudaError_t __wrap_cudaMalloc(void** piece, std::size_t bytes) {
    return stand_in().here ? lrp::test::take("cudaMalloc", piece, bytes, true) : __real_cudaMalloc(piece, bytes);
}
cublasStatus_t __real_cublasLtCreate(cublasLtHandle_t*);
cublasStatus_t __wrap_cublasLtCreate(cublasLtHandle_t* handle) {
    if (!stand_in().here) return __real_cublasLtCreate(handle);
    const cublasStatus_t status = answer_blas("cublasLtCreate");
    if (status == CUBLAS_STATUS_SUCCESS) ++stand_in().handles;
    return status;
}
cublasStatus_t __real_cublasLtDestroy(cublasLtHandle_t);
cublasStatus_t __wrap_cublasLtDestroy(cublasLtHandle_t handle) {
    if (!stand_in().here) return __real_cublasLtDestroy(handle);
    --stand_in().handles;
    return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t __real_cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
                                                     cublasLtMatrixLayout_t, cublasLtMatmulPreference_t, int, cublasLtMatmulHeuristicResult_t*, int*);
cublasStatus_t __wrap_cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t handle, cublasLtMatmulDesc_t product, cublasLtMatrixLayout_t a, cublasLtMatrixLayout_t b,
                                                     cublasLtMatrixLayout_t c, cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t wanted, int most,
                                                     cublasLtMatmulHeuristicResult_t* results, int* found) {
    if (!stand_in().here) return __real_cublasLtMatmulAlgoGetHeuristic(handle, product, a, b, c, d, wanted, most, results, found);
    *found = stand_in().has_algorithms ? 1 : 0;
    return answer_blas("cublasLtMatmulAlgoGetHeuristic");
}

// From here on only the stand-in is ever asked: without a context of CUDA nothing gets so far.
cudaError_t __wrap_cudaSetDevice(int) { return answer("cudaSetDevice"); }
cudaError_t __wrap_cudaDeviceGetDefaultMemPool(cudaMemPool_t*, int) { return answer("cudaDeviceGetDefaultMemPool"); }
cudaError_t __wrap_cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return answer("cudaMemPoolSetAttribute"); }
cudaError_t __wrap_cudaMemPoolGetAttribute(cudaMemPool_t, cudaMemPoolAttr which, void* value) {
    *static_cast<std::uint64_t*>(value) = stand_in().taken() + (which == cudaMemPoolAttrReservedMemCurrent ? stand_in().pooled : 0);
    return answer("cudaMemPoolGetAttribute");
}
cudaError_t __wrap_cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
    const cudaError_t code = answer("cudaStreamCreateWithFlags");
    if (code != cudaSuccess) return code;
    *stream = reinterpret_cast<cudaStream_t>(&lrp::test::stream_made);
    if (flags != cudaStreamNonBlocking) ++stand_in().strays;
    ++stand_in().streams;
    return code;
}
cudaError_t __wrap_cudaStreamDestroy(cudaStream_t) {
    --stand_in().streams;
    return cudaSuccess;
}
cudaError_t __wrap_cudaStreamSynchronize(cudaStream_t stream) { return answer("cudaStreamSynchronize", stream); }
cudaError_t __wrap_cudaFree(void* piece) { return lrp::test::give(piece); }
cudaError_t __wrap_cudaMallocAsync(void** piece, std::size_t bytes, cudaStream_t stream) {
    if (static_cast<void*>(stream) != &lrp::test::stream_made) ++stand_in().strays;
    return lrp::test::take("cudaMallocAsync", piece, bytes, true);
}
cudaError_t __wrap_cudaFreeAsync(void* piece, cudaStream_t) { return lrp::test::give(piece); }
cudaError_t __wrap_cudaMemGetInfo(std::size_t* left, std::size_t* all) {
    *all = stand_in().total;
    *left = *all - std::min(*all, stand_in().taken());
    return answer("cudaMemGetInfo");
}
cudaError_t __wrap_cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
    const cudaError_t code = answer("cudaMemcpyAsync", stream);
    if (code == cudaSuccess) std::memcpy(to, from, bytes);
    return code;
}
cudaError_t __wrap_cudaMemcpy2DAsync(void* to, std::size_t to_pitch, const void* from, std::size_t from_pitch, std::size_t width, std::size_t height, cudaMemcpyKind,
                                     cudaStream_t stream) {
    const cudaError_t code = answer("cudaMemcpy2DAsync", stream);
    for (std::size_t row = 0; code == cudaSuccess && row < height; ++row)
        std::memcpy(static_cast<char*>(to) + row * to_pitch, static_cast<const char*>(from) + row * from_pitch, width);
    return code;
}
cudaError_t __wrap_cudaDeviceGetAttribute(int* value, cudaDeviceAttr, int) {
    *value = stand_in().shared_memory;
    return answer("cudaDeviceGetAttribute");
}
cudaError_t __wrap_cudaFuncSetAttribute(const void*, cudaFuncAttribute, int) { return answer("cudaFuncSetAttribute"); }

// How nvcc's code launches a kernel: by the function, or, since CUDA 12.8, by a handle that is asked for once. Errors are seen by cudaGetLastError.
cudaError_t __wrap_cudaLaunchKernel(const void*, dim3, dim3, void**, std::size_t, cudaStream_t stream) { return answer("launch", stream); }
cudaError_t __wrap___cudaLaunchKernel(cudaKernel_t, dim3, dim3, void**, std::size_t, cudaStream_t stream) { return answer("launch", stream); }
cudaError_t __wrap___cudaGetKernel(cudaKernel_t* kernel, const void*) {
    *kernel = nullptr;
    return cudaSuccess;
}

// cuBLASLt's descriptions need no card: its own, counted.
cublasStatus_t __real_cublasLtMatmulDescCreate(cublasLtMatmulDesc_t*, cublasComputeType_t, cudaDataType_t);
cublasStatus_t __wrap_cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* made, cublasComputeType_t compute, cudaDataType_t scale) {
    if (const cublasStatus_t status = answer_blas("cublasLtMatmulDescCreate"); status != CUBLAS_STATUS_SUCCESS) return status;
    ++stand_in().descriptions;
    return __real_cublasLtMatmulDescCreate(made, compute, scale);
}
cublasStatus_t __real_cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t);
cublasStatus_t __wrap_cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t made) {
    --stand_in().descriptions;
    return __real_cublasLtMatmulDescDestroy(made);
}
cublasStatus_t __real_cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t, cublasLtMatmulDescAttributes_t, const void*, std::size_t);
cublasStatus_t __wrap_cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t made, cublasLtMatmulDescAttributes_t which, const void* value, std::size_t bytes) {
    const cublasStatus_t status = answer_blas("cublasLtMatmulDescSetAttribute");
    return status == CUBLAS_STATUS_SUCCESS ? __real_cublasLtMatmulDescSetAttribute(made, which, value, bytes) : status;
}
cublasStatus_t __real_cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t*, cudaDataType, std::uint64_t, std::uint64_t, std::int64_t);
cublasStatus_t __wrap_cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* made, cudaDataType type, std::uint64_t rows, std::uint64_t cols, std::int64_t stride) {
    if (const cublasStatus_t status = answer_blas("cublasLtMatrixLayoutCreate"); status != CUBLAS_STATUS_SUCCESS) return status;
    ++stand_in().descriptions;
    return __real_cublasLtMatrixLayoutCreate(made, type, rows, cols, stride);
}
cublasStatus_t __real_cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t);
cublasStatus_t __wrap_cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t made) {
    --stand_in().descriptions;
    return __real_cublasLtMatrixLayoutDestroy(made);
}
cublasStatus_t __real_cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t, cublasLtMatrixLayoutAttribute_t, const void*, std::size_t);
cublasStatus_t __wrap_cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t made, cublasLtMatrixLayoutAttribute_t which, const void* value, std::size_t bytes) {
    const cublasStatus_t status = answer_blas("cublasLtMatrixLayoutSetAttribute");
    return status == CUBLAS_STATUS_SUCCESS ? __real_cublasLtMatrixLayoutSetAttribute(made, which, value, bytes) : status;
}
cublasStatus_t __real_cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t*);
cublasStatus_t __wrap_cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* made) {
    if (const cublasStatus_t status = answer_blas("cublasLtMatmulPreferenceCreate"); status != CUBLAS_STATUS_SUCCESS) return status;
    ++stand_in().descriptions;
    return __real_cublasLtMatmulPreferenceCreate(made);
}
cublasStatus_t __real_cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t);
cublasStatus_t __wrap_cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t made) {
    --stand_in().descriptions;
    return __real_cublasLtMatmulPreferenceDestroy(made);
}
cublasStatus_t __real_cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t, cublasLtMatmulPreferenceAttributes_t, const void*, std::size_t);
cublasStatus_t __wrap_cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t made, cublasLtMatmulPreferenceAttributes_t which, const void* value,
                                                           std::size_t bytes) {
    const cublasStatus_t status = answer_blas("cublasLtMatmulPreferenceSetAttribute");
    return status == CUBLAS_STATUS_SUCCESS ? __real_cublasLtMatmulPreferenceSetAttribute(made, which, value, bytes) : status;
}
cublasStatus_t __wrap_cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t, const void*, const void*, cublasLtMatrixLayout_t, const void*, cublasLtMatrixLayout_t,
                                     const void*, const void*, cublasLtMatrixLayout_t, void*, cublasLtMatrixLayout_t, const cublasLtMatmulAlgo_t*, void*, std::size_t,
                                     cudaStream_t stream) {
    if (static_cast<void*>(stream) != &lrp::test::stream_made) ++stand_in().strays;
    return answer_blas("cublasLtMatmul");
}
}
