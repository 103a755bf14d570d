// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/thrust/tbb.hpp>

#include "engine_of.hpp"

std::unique_ptr<lrp::cli::Engine> lrp::cli::make_thrust_tbb_engine(const EngineRequest& request) {
    using B = ThrustTbbBackend<float>;
    return engine_of<B>(std::make_unique<B::context>(B::context::Options{request.threads}), request);
}
