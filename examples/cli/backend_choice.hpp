// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Backends by name: which there are, which this program was built with, and which can run on this machine.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <lrp/core/error.hpp>

namespace lrp::cli {

class Engine;
struct EngineRequest;

using EngineMaker = std::unique_ptr<Engine> (*)(const EngineRequest&);

/// What kinds of products (core/products.hpp) a backend has.
enum class ProductKinds { both, exact, fast };

/// One backend the project knows.
struct BackendEntry {
    const char* name;
    EngineMaker make;                        ///< null: this program was built without it
    std::string (*unavailable)() = nullptr;  ///< empty text, or why it cannot run on this machine; null: it always can
    ProductKinds products = ProductKinds::exact;

    [[nodiscard]] bool built() const { return make != nullptr; }
    [[nodiscard]] std::string obstacle() const { return unavailable != nullptr ? unavailable() : std::string(); }
};

/// The names of the entries for which `wanted` holds, with `separator` between them.
template <class Wanted>
[[nodiscard]] std::string backend_names(const std::vector<BackendEntry>& entries, const char* separator, const Wanted& wanted) {
    std::string names;
    for (const auto& entry : entries)
        if (wanted(entry)) names += (names.empty() ? "" : separator) + std::string(entry.name);
    return names;
}

/// The entry of a name. UsageError for an unknown name or one that was not built, Error for one that cannot run on this machine; each
/// lists those that can be used.
[[nodiscard]] inline const BackendEntry& choose_backend(const std::vector<BackendEntry>& entries, std::string_view name) {
    const auto usable = [&] { return backend_names(entries, ", ", [](const BackendEntry& entry) { return entry.built() && entry.obstacle().empty(); }); };
    for (const auto& entry : entries) {
        if (name != entry.name) continue;
        if (!entry.built()) fail<UsageError>("backend: '", name, "' is not in this program (built without it); there is: ", usable());
        const std::string obstacle = entry.obstacle();
        if (!obstacle.empty()) fail("backend: '", name, "' cannot run here (", obstacle, "); there is: ", usable());
        return entry;
    }
    fail<UsageError>("backend: '", name, "' is not known; there is: ", usable());
}

}  // namespace lrp::cli
