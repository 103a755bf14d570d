// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/thrust/cuda.hpp>

#include "engine_of.hpp"

std::string lrp::cli::cuda_obstacle() { return cuda_unavailable(); }

std::unique_ptr<lrp::cli::Engine> lrp::cli::make_cuda_engine(const EngineRequest& request) {
    using B = CudaBackend<float>;
    return engine_of<B>(std::make_unique<B::context>(), request);
}

std::unique_ptr<lrp::cli::Engine> lrp::cli::make_cuda_bf16_engine(const EngineRequest& request) {
    using B = CudaBackend<float, bf16>;
    return engine_of<B>(std::make_unique<B::context>(), request);
}
