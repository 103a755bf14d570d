// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "engine.hpp"

#include <iostream>

namespace lrp::cli {

namespace {

#if defined(LRP_CLI_WITH_XTENSOR)
constexpr BackendEntry xtensor{"xtensor", make_xtensor_engine};
#else
constexpr BackendEntry xtensor{"xtensor", nullptr};
#endif
#if defined(LRP_CLI_WITH_THRUST_CPP)
constexpr BackendEntry thrust_cpp{"thrust-cpp", make_thrust_cpp_engine};
#else
constexpr BackendEntry thrust_cpp{"thrust-cpp", nullptr};
#endif
#if defined(LRP_CLI_WITH_THRUST_OMP)
constexpr BackendEntry thrust_omp{"thrust-omp", make_thrust_omp_engine};
#else
constexpr BackendEntry thrust_omp{"thrust-omp", nullptr};
#endif
#if defined(LRP_CLI_WITH_THRUST_TBB)
constexpr BackendEntry thrust_tbb{"thrust-tbb", make_thrust_tbb_engine};
#else
constexpr BackendEntry thrust_tbb{"thrust-tbb", nullptr};
#endif
#if defined(LRP_CLI_WITH_CUDA)
constexpr BackendEntry cuda{"cuda", make_cuda_engine, cuda_obstacle}, cuda_bf16{"cuda-bf16", make_cuda_bf16_engine, cuda_obstacle, ProductKinds::fast};
#else
constexpr BackendEntry cuda{"cuda", nullptr}, cuda_bf16{"cuda-bf16", nullptr};
#endif

}  // namespace

const std::vector<BackendEntry>& backends() {
    static const std::vector<BackendEntry> list{{"eigen", make_eigen_engine, nullptr, ProductKinds::both},
                                                {"reference", make_reference_engine},
                                                {"reference64", make_reference64_engine},
                                                xtensor,
                                                thrust_cpp,
                                                thrust_omp,
                                                thrust_tbb,
                                                cuda,
                                                cuda_bf16};
    return list;
}

std::unique_ptr<Engine> make_engine(const std::string& backend, const EngineRequest& request) {
    const BackendEntry& entry = choose_backend(backends(), backend);
    if (request.products == Products::fast && entry.products == ProductKinds::exact)
        std::cerr << "lrp: warning: --products fast: backend '" << backend << "' has exact products only, so these are used\n";
    return entry.make(request);
}

std::string products_formed(const std::string& backend, Products asked) {
    const ProductKinds kinds = choose_backend(backends(), backend).products;
    return std::string(products_name(kinds == ProductKinds::both ? asked : kinds == ProductKinds::fast ? Products::fast : Products::exact));
}

}  // namespace lrp::cli
