// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A card that is not there: CUDA's calls answered by host code, which keeps the books and computes nothing. Memory is the host's and copies are made, so
// that uploads come back; kernels and products only are counted. What the backend asks of CUDA can so be tested on any machine: in which order, on which
// stream, and what it says when a call fails. The linker puts these answers in place (--wrap, CMakeLists.txt).
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include <cublasLt.h>
#include <cuda_runtime_api.h>

namespace lrp::test {

class StandIn {
  public:
    bool here = true;                  ///< false: calls go to CUDA itself
    int devices = 1;
    std::size_t total = 256u << 20;    ///< bytes of device memory
    std::size_t pooled = 0;            ///< bytes more that the pool holds and nobody has
    int shared_memory = 100 << 10;     ///< bytes a block may ask for
    bool has_algorithms = true;        ///< whether cuBLASLt finds a way to compute a product

    std::string fail_name;             ///< fail every call of this name
    std::size_t fail_at = 0;           ///< fail this one of the calls that can fail, counted from 1; 0: none
    cudaError_t code = cudaErrorIllegalAddress;
    cublasStatus_t status = CUBLAS_STATUS_EXECUTION_FAILED;

    std::vector<std::string> calls;    ///< the names of calls that can fail, as they came
    std::map<const void*, std::size_t> pieces;  ///< memory that was given out, with its bytes on the card
    std::size_t strays = 0;            ///< calls on another stream than the one that was made
    long streams = 0, handles = 0, descriptions = 0;  ///< how many live

    [[nodiscard]] std::size_t count(const std::string& name, std::size_t from = 0) const {
        return static_cast<std::size_t>(std::count(calls.begin() + static_cast<std::ptrdiff_t>(from), calls.end(), name));
    }
    [[nodiscard]] std::size_t taken() const {
        std::size_t sum = 0;
        for (const auto& piece : pieces) sum += piece.second;
        return sum;
    }
    [[nodiscard]] bool empty() const { return pieces.empty() && streams == 0 && handles == 0 && descriptions == 0; }

    cudaError_t last = cudaSuccess;    ///< what cudaGetLastError answers next
};

/// The one there is. A test begins with `stand_in() = {}`.
StandIn& stand_in();

}  // namespace lrp::test
