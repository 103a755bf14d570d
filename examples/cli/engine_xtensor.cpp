// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/xtensor/backend.hpp>

#include "engine_of.hpp"

std::unique_ptr<lrp::cli::Engine> lrp::cli::make_xtensor_engine(const EngineRequest& request) {
    using B = XtensorBackend<float>;
    return engine_of<B>(std::make_unique<B::context>(), request);
}
