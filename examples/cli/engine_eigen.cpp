// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/eigen/backend.hpp>

#include "engine_of.hpp"

std::unique_ptr<lrp::cli::Engine> lrp::cli::make_eigen_engine(const EngineRequest& request) {
    if (request.checkpoint->all_matrices(Dtype::bf16)) return make_eigen_bf16_engine(request);  // its weights are used where they lie
    using B = EigenBackend<float>;
    auto ctx = std::make_unique<B::context>(request.threads);
    ctx->products.products = request.products;
    return engine_of<B>(std::move(ctx), request);
}
