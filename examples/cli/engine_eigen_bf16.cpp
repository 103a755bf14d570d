// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/eigen/backend.hpp>

#include "engine_of.hpp"

std::unique_ptr<lrp::cli::Engine> lrp::cli::make_eigen_bf16_engine(const EngineRequest& request) {
    using B = EigenBackend<float, bf16>;
    auto ctx = std::make_unique<B::context>(request.threads);
    ctx->products.products = request.products;
    return engine_of<B>(std::move(ctx), request);
}
