// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Thrust on the host, threads by oneTBB.
#pragma once

#include <memory>

#include <tbb/global_control.h>

#include <thrust/system/tbb/execution_policy.h>

#include <lrp/thrust/host.hpp>

namespace lrp {

struct ThrustTbb {
    static constexpr const char* name = "thrust-tbb";
    /// A limit on TBB's threads for as long as the context lives; TBB takes the lowest of all limits in the process.
    struct Threads {
        explicit Threads(unsigned count) {
            if (count > 0) limit = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, count);
        }
        static auto policy() { return thrust::tbb::par; }
        std::unique_ptr<tbb::global_control> limit;
    };
    using Device = HostDevice<Threads>;
};

template <Scalar T, Storage W = T>
using ThrustTbbBackend = ThrustBackend<ThrustTbb, T, W>;

static_assert(check_backend<ThrustTbbBackend<float>>() && check_backend<ThrustTbbBackend<double>>() && check_backend<ThrustTbbBackend<float, bf16>>());

}  // namespace lrp
