// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/reference/backend.hpp>

#include "engine_of.hpp"

std::unique_ptr<lrp::cli::Engine> lrp::cli::make_reference64_engine(const EngineRequest& request) {
    using B = ReferenceBackend<double>;
    return engine_of<B>(std::make_unique<B::context>(), request);
}
