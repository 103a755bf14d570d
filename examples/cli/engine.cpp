// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "engine.hpp"

#include <lrp/core/error.hpp>

namespace lrp::cli {

const std::vector<BackendEntry>& backends() {
    static const std::vector<BackendEntry> list{
        {"eigen", make_eigen_engine},
        {"reference", make_reference_engine},
#if defined(LRP_CLI_WITH_XTENSOR)
        {"xtensor", make_xtensor_engine},
#endif
    };
    return list;
}

std::unique_ptr<Engine> make_engine(const std::string& backend, const EngineRequest& request) {
    std::string usable;
    for (const auto& entry : backends()) {
        if (entry.make != nullptr) {
            if (backend == entry.name) return entry.make(request);
            usable += (usable.empty() ? "" : ", ") + std::string(entry.name);
        }
    }
    fail<UsageError>("backend: '", backend, "' is not in this program; there is: ", usable);
}

}  // namespace lrp::cli
