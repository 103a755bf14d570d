// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The program's view of a model: backend and rules chosen at run time, behind one interface. Each backend is one source file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <lrp/analysis/attention_edges.hpp>
#include <lrp/analysis/attribute.hpp>
#include <lrp/analysis/attribute_many.hpp>
#include <lrp/analysis/attribute_memory.hpp>
#include <lrp/analysis/collect.hpp>
#include <lrp/analysis/compare.hpp>
#include <lrp/analysis/condition.hpp>
#include <lrp/analysis/explained.hpp>
#include <lrp/analysis/faithfulness.hpp>
#include <lrp/analysis/flow.hpp>
#include <lrp/analysis/ledger.hpp>
#include <lrp/analysis/neuron_tokens.hpp>
#include <lrp/analysis/neurons.hpp>
#include <lrp/analysis/steering.hpp>
#include <lrp/analysis/steering_report.hpp>
#include <lrp/analysis/unit_activations.hpp>
#include <lrp/core/products.hpp>
#include <lrp/io/checkpoint.hpp>
#include <lrp/model/llama/config.hpp>

#include "backend_choice.hpp"

namespace lrp::cli {

/// Which rules explain: a preset, and if not empty another rule for the softmax.
struct RuleChoice {
    std::string preset = "attnlrp";  ///< attnlrp, cp-lrp or gradient
    std::string softmax;             ///< taylor, uniform, stop, or empty: the preset's own

    [[nodiscard]] std::string label() const { return softmax.empty() ? preset : preset + " with softmax " + softmax; }
};

/// Takes the best tokens of one pole of a neuron.
using NeuronTokensCallback = std::function<void(Index neuron, std::size_t pole, const std::vector<ScoredToken>& list)>;

/// Passes of one model on one backend under one set of rules.
class Engine {
  public:
    virtual ~Engine() = default;
    /// Fills the provenance with what the engine alone knows: compute_type. The condition may be empty.
    virtual Trace trace(std::span<const std::int32_t> ids, const AttributeOptions& options, PassTimes* times, const RelevanceCondition& condition = {}) = 0;
    /// Of the first prompts, as many as a pass of up to `tokens` tokens takes (prompts_in_pass); seconds are added to `times`.
    virtual std::vector<Trace> trace_some(std::span<const PromptOfMany> prompts, const AttributeOptions& options, std::size_t tokens, PassTimes& times) = 0;
    /// Bytes of the host's memory that a pass takes at most, weights apart (attribute_bytes); 0 where another memory is used.
    [[nodiscard]] virtual std::uint64_t pass_bytes(const PassShape& shape, const TraceSites& sites, Index recomputed) const = 0;
    /// What forms products with weights for prompts of so many tokens; empty where the backend does not say.
    [[nodiscard]] virtual std::string product_code(std::size_t tokens) const = 0;
    virtual Ledger ledger(std::span<const std::int32_t> ids, const AttributeOptions& options) = 0;
    virtual SiteRecording record(std::span<const std::int32_t> ids, const AttributeOptions& options) = 0;
    /// Takes one batch of documents into `units`, and ends the batch; `blind` runs the passes and takes nothing.
    virtual void collect(std::span<const CollectDocument> documents, const CollectOptions& options, CollectedUnits& units, bool blind) = 0;
    [[nodiscard]] virtual const char* compute_type() const = 0;
    [[nodiscard]] virtual Index layers() const = 0;
    /// Bytes of an element of a weight matrix where products read it.
    [[nodiscard]] virtual double weight_bytes() const = 0;
    /// Whether the processor computes, in its own memory.
    [[nodiscard]] virtual bool on_host() const = 0;
    virtual FlowReport flow(std::span<const std::int32_t> ids, std::span<const FlowCuts> pairs, const AttributeOptions& options) = 0;
    virtual EdgeReport edges(std::span<const std::int32_t> ids, const AttributeOptions& options) = 0;
    virtual UnitReport units(std::span<const std::int32_t> ids, const AttributeOptions& options, std::size_t top, UnitScope scope) = 0;
    virtual void neuron_tokens(std::size_t layer, NeuronSide side, std::size_t count, const NeuronTokensCallback& visit) = 0;
    virtual void unit_activations(std::span<const std::int32_t> ids, const UnitActivationsCallback& visit) = 0;
    virtual Generated generate(std::span<const std::int32_t> ids, const GenerateOptions& options, const TokenCallback& on_token) = 0;
    virtual Steered steer(std::span<const std::int32_t> ids, const SteeringPlan& plan, SteeringMode mode, const GenerateOptions& options, const TokenCallback& before,
                          const TokenCallback& after) = 0;
    virtual Explained generate_explained(std::span<const std::int32_t> ids, const ExplainedOptions& options, const ExplainedCallback& on_token) = 0;
    virtual Faithfulness faithfulness(const UnitReport& report, const FaithfulnessOptions& options) = 0;
    virtual SteeringReport steering_report(const std::vector<std::vector<std::int32_t>>& prompts, const std::vector<UnitRef>& units, const TargetTest& test,
                                           const SteeringReportOptions& options, const std::vector<std::vector<std::int32_t>>& neutral, const ReportProgress& progress) = 0;
};

struct EngineRequest {
    LlamaConfig config;
    const Checkpoint* checkpoint = nullptr;
    RuleChoice rules;
    unsigned threads = 0;
    Products products = Products::exact;
    int device = 0;  ///< which card, counted round those that there are
};

// A maker per backend, each in a source file of its own that belongs to the program only where its definition is set.
[[nodiscard]] std::unique_ptr<Engine> make_eigen_engine(const EngineRequest& request);
[[nodiscard]] std::unique_ptr<Engine> make_eigen_bf16_engine(const EngineRequest& request);
[[nodiscard]] std::unique_ptr<Engine> make_reference_engine(const EngineRequest& request);
[[nodiscard]] std::unique_ptr<Engine> make_reference64_engine(const EngineRequest& request);
// Defined where the program is built with them (examples/CMakeLists.txt).
[[nodiscard]] std::unique_ptr<Engine> make_xtensor_engine(const EngineRequest& request);
[[nodiscard]] std::unique_ptr<Engine> make_thrust_cpp_engine(const EngineRequest& request);
[[nodiscard]] std::unique_ptr<Engine> make_thrust_omp_engine(const EngineRequest& request);
[[nodiscard]] std::unique_ptr<Engine> make_thrust_tbb_engine(const EngineRequest& request);
[[nodiscard]] std::unique_ptr<Engine> make_cuda_engine(const EngineRequest& request);
[[nodiscard]] std::unique_ptr<Engine> make_cuda_bf16_engine(const EngineRequest& request);
/// Empty where a CUDA device can be used; otherwise "no CUDA device: " and CUDA's own words.
[[nodiscard]] std::string cuda_obstacle();

/// Every backend the project knows, the default first.
[[nodiscard]] const std::vector<BackendEntry>& backends();

/// "exact" or "fast": the products that a backend forms where these are asked for; some have one kind only. Errors: those of choose_backend.
[[nodiscard]] std::string products_formed(const std::string& backend, Products asked);

/// The engine for a backend's name. Says where fast products were asked for and it has none. Errors: those of choose_backend.
[[nodiscard]] std::unique_ptr<Engine> make_engine(const std::string& backend, const EngineRequest& request);

}  // namespace lrp::cli
