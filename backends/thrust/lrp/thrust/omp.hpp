// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Thrust on the host, threads by OpenMP. Compile with OpenMP on (-fopenmp).
#pragma once

#include <omp.h>

#include <thrust/system/omp/execution_policy.h>

#include <lrp/thrust/host.hpp>

namespace lrp {

struct ThrustOmp {
    static constexpr const char* name = "thrust-omp";
    /// The number of threads is OpenMP's own setting: it holds for the calling thread, not for one context.
    struct Threads {
        explicit Threads(unsigned count) {
            if (count > 0) omp_set_num_threads(static_cast<int>(count));
        }
        static auto policy() { return thrust::omp::par; }
    };
    using Device = HostDevice<Threads>;
};

template <Scalar T, Storage W = T>
using ThrustOmpBackend = ThrustBackend<ThrustOmp, T, W>;

static_assert(check_backend<ThrustOmpBackend<float>>() && check_backend<ThrustOmpBackend<double>>() && check_backend<ThrustOmpBackend<float, bf16>>());

}  // namespace lrp
