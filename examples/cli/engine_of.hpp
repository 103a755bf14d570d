// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The engine of one backend: turns names of rules into types.
#pragma once

#include <iostream>
#include <string_view>

#include <lrp/analysis/conservation.hpp>
#include <lrp/model/llama/decoder.hpp>
#include <lrp/pipeline/load_llama.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>
#include <lrp/rule/preset/gradient.hpp>

#include "engine.hpp"
#include "memory_plan.hpp"

namespace lrp::cli {

/// Whether a backend computes in the host's memory.
template <Backend B>
inline constexpr bool in_host_memory = !std::string_view(B::name).starts_with("cuda");

/// Loads the weights, if what must be converted fits into memory. Says where fast products were asked for and there are none.
template <Backend B>
std::shared_ptr<const LlamaWeights<B>> load_weights(typename B::context& ctx, const EngineRequest& request) {
    if constexpr (in_host_memory<B>) require_memory(weights_to_convert<B>(request.config, *request.checkpoint), "the weights, which must be converted,");
    if constexpr (requires { B::has_fast(ctx); }) {
        if (request.products == Products::fast && !B::has_fast(ctx))
            std::cerr << "lrp: warning: --products fast: for these weights this processor has nothing faster than exact products (" << B::product_code(ctx, 512)
                      << "), so these are used\n";
    }
    return load_llama_weights<B>(ctx, request.config, *request.checkpoint);
}

/// What an engine does whatever its rules: one instance a backend.
template <Backend B>
class GeneratingEngine : public Engine {
  public:
    GeneratingEngine(std::unique_ptr<typename B::context> ctx, const EngineRequest& request)
        : ctx_(std::move(ctx)), weights_(load_weights<B>(*ctx_, request)), plain_(request.config, weights_) {}

    Generated generate(std::span<const std::int32_t> ids, const GenerateOptions& options, const TokenCallback& on_token) override {
        LlamaDecoder decoder = decoder_for(ids, options);
        return lrp::generate(decoder, ids, options, NullObserver{}, on_token);
    }
    Steered steer(std::span<const std::int32_t> ids, const SteeringPlan& plan, SteeringMode mode, const GenerateOptions& options, const TokenCallback& before,
                  const TokenCallback& after) override {
        LlamaDecoder decoder = decoder_for(ids, options);
        return lrp::steer(decoder, ids, plan, mode, options, before, after);
    }
    Faithfulness faithfulness(const UnitReport& report, const FaithfulnessOptions& options) override { return lrp::faithfulness(*ctx_, plain_, report, options); }
    SteeringReport steering_report(const std::vector<std::vector<std::int32_t>>& prompts, const std::vector<UnitRef>& units, const TargetTest& test,
                                   const SteeringReportOptions& options, const std::vector<std::vector<std::int32_t>>& neutral, const ReportProgress& progress) override {
        std::span<const std::int32_t> longest;
        for (const auto& prompt : prompts)
            if (prompt.size() > longest.size()) longest = prompt;
        LlamaDecoder decoder = decoder_for(longest, options.generate);
        return lrp::steering_report(decoder, prompts, units, test, options, neutral, progress);
    }

  protected:
    [[nodiscard]] const std::shared_ptr<const LlamaWeights<B>>& weights() const { return weights_; }

    std::unique_ptr<typename B::context> ctx_;

  private:
    [[nodiscard]] LlamaDecoder<B, AttnLRP> decoder_for(std::span<const std::int32_t> ids, const GenerateOptions& options) {
        return {*ctx_, plain_, std::max<Index>(std::ssize(ids) + static_cast<Index>(options.max_new_tokens), 1)};
    }

    std::shared_ptr<const LlamaWeights<B>> weights_;
    LlamaModel<B, AttnLRP> plain_;  // rules play no part in a forward pass
};

template <Backend B, Composite Rules>
class EngineOf : public GeneratingEngine<B> {
  public:
    EngineOf(std::unique_ptr<typename B::context> ctx, const EngineRequest& request)
        : GeneratingEngine<B>(std::move(ctx), request), pool_(request.threads), model_(request.config, this->weights()) {}

    Trace trace(std::span<const std::int32_t> ids, const AttributeOptions& options, PassTimes* times, const RelevanceCondition& condition) override {
        Trace result = condition.empty() ? attribute(*ctx_, model_, ids, options, NullObserver{}, times) : attribute_through(*ctx_, model_, ids, condition, options, times);
        result.provenance["compute_type"] = scalar_name<typename B::scalar>;
        return result;
    }
    std::vector<Trace> trace_some(std::span<const PromptOfMany> prompts, const AttributeOptions& options, std::size_t tokens, PassTimes& times) override {
        auto traces = attribute_together(*ctx_, model_, prompts.first(prompts_in_pass(*ctx_, model_, prompts, options, tokens)), options, &times);
        for (Trace& trace : traces) trace.provenance["compute_type"] = scalar_name<typename B::scalar>;
        return traces;
    }
    [[nodiscard]] std::uint64_t pass_bytes(const PassShape& shape, const TraceSites& sites, bool recompute) const override {
        return in_host_memory<B> ? attribute_bytes(*ctx_, model_, shape, sites, recompute) : 0;
    }
    [[nodiscard]] std::string product_code(std::size_t tokens) const override {
        if constexpr (requires { B::product_code(*ctx_, Index{}); }) return B::product_code(*ctx_, static_cast<Index>(tokens));
        return {};
    }
    Ledger ledger(std::span<const std::int32_t> ids, const AttributeOptions& options) override {
        return conservation(*ctx_, model_, ids, options);
    }
    SiteRecording record(std::span<const std::int32_t> ids, const AttributeOptions& options) override {
        SiteRecording recording = record_sites(*ctx_, model_, ids, options);
        if constexpr (!std::same_as<typename B::weight, typename B::scalar>) recording.scalar += std::string(", weights ") + scalar_name<typename B::weight>;
        return recording;
    }
    UnitReport units(std::span<const std::int32_t> ids, const AttributeOptions& options, std::size_t top, UnitScope scope) override {
        return relevant_units(*ctx_, model_, ids, options, top, scope);
    }
    FlowReport flow(std::span<const std::int32_t> ids, std::span<const FlowCuts> pairs, const AttributeOptions& options) override {
        FlowReport report = relevance_flow(*ctx_, model_, ids, pairs, options);
        report.trace.provenance["compute_type"] = scalar_name<typename B::scalar>;
        return report;
    }
    EdgeReport edges(std::span<const std::int32_t> ids, const AttributeOptions& options) override { return attention_edges(*ctx_, model_, ids, options); }
    Explained generate_explained(std::span<const std::int32_t> ids, const ExplainedOptions& options, const ExplainedCallback& on_token) override {
        return lrp::generate_explained(*ctx_, model_, ids, options, on_token);
    }
    void collect(std::span<const CollectDocument> documents, const CollectOptions& options, CollectedUnits& units, bool blind) override {
        Collector<B> collector(units, pool_, blind);
        collect_batch(*ctx_, model_, documents, options, collector);
        if (!blind) units.end_batch();
    }
    [[nodiscard]] const char* compute_type() const override { return scalar_name<typename B::scalar>; }

  private:
    using GeneratingEngine<B>::ctx_;
    ThreadPool pool_;  // of the collector; never at work at the same time as the context's
    LlamaModel<B, Rules> model_;
};

template <class Base, class SoftmaxRule>
struct OtherSoftmax : Base {
    using softmax = SoftmaxRule;
};
/// A set that has the rule already stays itself, and is not compiled twice.
template <class Base, class SoftmaxRule>
using WithSoftmax = std::conditional_t<std::same_as<typename Base::softmax, SoftmaxRule>, Base, OtherSoftmax<Base, SoftmaxRule>>;

template <Backend B, class Base>
std::unique_ptr<Engine> engine_with_softmax(std::unique_ptr<typename B::context> ctx, const EngineRequest& request) {
    const std::string& name = request.rules.softmax;
    if (name.empty()) return std::make_unique<EngineOf<B, Base>>(std::move(ctx), request);
    if (name == "taylor") return std::make_unique<EngineOf<B, WithSoftmax<Base, TaylorRule<Softmax>>>>(std::move(ctx), request);
    if (name == "uniform") return std::make_unique<EngineOf<B, WithSoftmax<Base, UniformRule<Softmax>>>>(std::move(ctx), request);
    if (name == "stop") return std::make_unique<EngineOf<B, WithSoftmax<Base, StopRule<Softmax>>>>(std::move(ctx), request);
    fail<UsageError>("softmax rule: expected taylor, uniform or stop, found '", name, "'");
}

template <Backend B>
std::unique_ptr<Engine> engine_of(std::unique_ptr<typename B::context> ctx, const EngineRequest& request) {
    const std::string& name = request.rules.preset;
    if (name == "attnlrp") return engine_with_softmax<B, AttnLRP>(std::move(ctx), request);
    if (name == "cp-lrp") return engine_with_softmax<B, CpLRP>(std::move(ctx), request);
    if (name == "gradient") return engine_with_softmax<B, Gradient>(std::move(ctx), request);
    fail<UsageError>("rules: expected attnlrp, cp-lrp or gradient, found '", name, "'");
}

}  // namespace lrp::cli
