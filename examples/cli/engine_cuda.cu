// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/thrust/cuda.hpp>

#include "engine_of.hpp"

std::string lrp::cli::cuda_obstacle() { return cuda_unavailable(); }

namespace {

template <class B>
std::unique_ptr<lrp::cli::Engine> engine_on_card(const lrp::cli::EngineRequest& request) {
    typename B::context::Options options;
    options.device = request.device % std::max(1, lrp::cuda_devices());
    return lrp::cli::engine_of<B>(std::make_unique<typename B::context>(options), request);
}

}  // namespace

std::unique_ptr<lrp::cli::Engine> lrp::cli::make_cuda_engine(const EngineRequest& request) { return engine_on_card<CudaBackend<float>>(request); }
std::unique_ptr<lrp::cli::Engine> lrp::cli::make_cuda_bf16_engine(const EngineRequest& request) { return engine_on_card<CudaBackend<float, bf16>>(request); }
