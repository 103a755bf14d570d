// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Thrust on the host, one thread.
#pragma once

#include <thrust/system/cpp/execution_policy.h>

#include <lrp/thrust/host.hpp>

namespace lrp {

struct ThrustCpp {
    static constexpr const char* name = "thrust-cpp";
    struct Threads {
        explicit Threads(unsigned) {}
        static auto policy() { return thrust::cpp::par; }
    };
    using Device = HostDevice<Threads>;
};

template <Scalar T, Storage W = T>
using ThrustCppBackend = ThrustBackend<ThrustCpp, T, W>;

static_assert(check_backend<ThrustCppBackend<float>>() && check_backend<ThrustCppBackend<double>>() && check_backend<ThrustCppBackend<float, bf16>>());

}  // namespace lrp
