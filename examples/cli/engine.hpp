// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The program's view of a model: backend and rules chosen at run time, behind one interface. Each backend is one source file.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <lrp/analysis/attribute.hpp>
#include <lrp/analysis/ledger.hpp>
#include <lrp/io/checkpoint.hpp>
#include <lrp/model/llama/config.hpp>

namespace lrp::cli {

/// Which rules explain: a preset, and if not empty another rule for the softmax.
struct RuleChoice {
    std::string preset = "attnlrp";  ///< attnlrp, cp-lrp or gradient
    std::string softmax;             ///< taylor, uniform, stop, or empty: the preset's own

    [[nodiscard]] std::string label() const { return softmax.empty() ? preset : preset + " with softmax " + softmax; }
};

class Engine {
  public:
    virtual ~Engine() = default;
    virtual Trace trace(std::span<const std::int32_t> ids, const AttributeOptions& options, PassTimes* times) = 0;
    virtual Ledger ledger(std::span<const std::int32_t> ids, const AttributeOptions& options) = 0;
};

struct EngineRequest {
    LlamaConfig config;
    const Checkpoint* checkpoint = nullptr;
    RuleChoice rules;
    unsigned threads = 0;
};

using EngineMaker = std::unique_ptr<Engine> (*)(const EngineRequest&);

[[nodiscard]] std::unique_ptr<Engine> make_reference_engine(const EngineRequest& request);
[[nodiscard]] std::unique_ptr<Engine> make_eigen_engine(const EngineRequest& request);
[[nodiscard]] std::unique_ptr<Engine> make_xtensor_engine(const EngineRequest& request);

struct BackendEntry {
    const char* name;
    EngineMaker make;  ///< null: this program was built without it
};
/// Every backend the project knows, the default first.
[[nodiscard]] const std::vector<BackendEntry>& backends();

/// The engine for a backend's name. UsageError for an unknown name or one that was not built, with the list of those that can be used.
[[nodiscard]] std::unique_ptr<Engine> make_engine(const std::string& backend, const EngineRequest& request);

}  // namespace lrp::cli
