// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Errors of the CUDA libraries: every return code is checked, and an error says what was done, on which shape, and what CUDA calls it.
#pragma once

#include <string>
#include <string_view>

#include <cublasLt.h>
#include <cuda_runtime_api.h>

#include <lrp/core/error.hpp>

namespace lrp {

/// A call of CUDA or cuBLASLt failed.
struct DeviceError : Error {
    using Error::Error;
};

/// There is no card to run on: none in the machine, no driver, or none with that number.
struct NoDevice : DeviceError {
    using DeviceError::DeviceError;
};

namespace detail {

/// The code in CUDA's own words: "out of memory (cudaErrorMemoryAllocation)".
[[nodiscard]] inline std::string cuda_words(cudaError_t code) { return concat(cudaGetErrorString(code), " (", cudaGetErrorName(code), ")"); }

/// Throws unless the code is success; the parts, one after the other, say what was done and on which shape.
template <class... Parts>
void cuda_check(cudaError_t code, const Parts&... what) {
    if (code == cudaSuccess) return;
    cudaGetLastError();  // the runtime keeps it otherwise, and the next launch would be blamed for it
    fail<DeviceError>("cuda: ", what..., ": ", cuda_words(code));
}
template <class... Parts>
void cublas_check(cublasStatus_t code, const Parts&... what) {
    if (code != CUBLAS_STATUS_SUCCESS) fail<DeviceError>("cuda: ", what..., ": ", cublasLtGetStatusString(code), " (", cublasLtGetStatusName(code), ")");
}

template <class F>
[[nodiscard]] constexpr std::string_view find_functor_name() {
    std::string_view name = __PRETTY_FUNCTION__;
    const auto begin = name.find("F = ");
    if (begin == std::string_view::npos) return name;
    name.remove_prefix(begin + 4);
    const auto end = name.find_first_of(";]");
    return name.substr(0, end);
}
/// The name of a functor's type, for messages; found when compiling, as every launch passes it.
template <class F>
inline constexpr std::string_view functor_name = find_functor_name<F>();

}  // namespace detail

/// How many cards there are; 0 where CUDA cannot say.
[[nodiscard]] inline int cuda_devices() {
    int count = 0;
    if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
    cudaGetLastError();  // the runtime keeps it otherwise
    return 0;
}

/// Why no card can be used here, in CUDA's own words; empty if card number `device` can be.
[[nodiscard]] inline std::string cuda_unavailable(int device = 0) {
    int count = 0;
    const cudaError_t code = cudaGetDeviceCount(&count);
    if (code != cudaSuccess) {
        cudaGetLastError();  // the runtime keeps it otherwise
        return "no CUDA device: " + detail::cuda_words(code);
    }
    if (device >= count) return detail::concat("no CUDA device ", device, ": the machine has ", count);
    return {};
}

}  // namespace lrp
