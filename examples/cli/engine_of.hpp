// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The engine of one backend.
#pragma once

#include <iostream>
#include <optional>
#include <string_view>

#include <lrp/model/llama/decoder.hpp>
#include <lrp/pipeline/load_llama.hpp>

#include "engine.hpp"
#include "memory_plan.hpp"
#include "ruled_model.hpp"

namespace lrp::cli {

/// Whether a backend computes in the host's memory.
template <Backend B>
inline constexpr bool in_host_memory = !std::string_view(B::name).starts_with("cuda");

/// Loads the weights, if what must be converted fits into memory. Says where fast products were asked for and this processor has none.
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

template <Backend B>
class EngineOf : public Engine {
  public:
    EngineOf(std::unique_ptr<typename B::context> ctx, const EngineRequest& request)
        : ctx_(std::move(ctx)), threads_(request.threads), weights_(load_weights<B>(*ctx_, request)), ruled_(ruled_model<B>(request.rules, request.config, weights_)),
          plain_(request.config, weights_) {}

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

    Trace trace(std::span<const std::int32_t> ids, const AttributeOptions& options, PassTimes* times, const RelevanceCondition& condition) override {
        Trace result = condition.empty() ? attribute(*ctx_, *ruled_, ids, options, NullObserver{}, times) : attribute_through(*ctx_, *ruled_, ids, condition, options, times);
        result.provenance["compute_type"] = scalar_name<typename B::scalar>;
        return result;
    }
    std::vector<Trace> trace_some(std::span<const PromptOfMany> prompts, const AttributeOptions& options, std::size_t tokens, PassTimes& times) override {
        auto traces = attribute_together(*ctx_, *ruled_, prompts.first(prompts_in_pass(*ctx_, *ruled_, prompts, options, tokens)), options, &times);
        for (Trace& trace : traces) trace.provenance["compute_type"] = scalar_name<typename B::scalar>;
        return traces;
    }
    [[nodiscard]] std::uint64_t pass_bytes(const PassShape& shape, const TraceSites& sites, Index recomputed) const override {
        return in_host_memory<B> ? attribute_bytes(*ctx_, *ruled_, shape, sites, std::min(recomputed, ruled_->config().layers)) : 0;
    }
    [[nodiscard]] std::string product_code(std::size_t tokens) const override {
        if constexpr (requires { B::product_code(*ctx_, Index{}); }) return B::product_code(*ctx_, static_cast<Index>(tokens));
        return {};
    }
    Ledger ledger(std::span<const std::int32_t> ids, const AttributeOptions& options) override {
        return ruled_->ledger(*ctx_, ids, options);
    }
    SiteRecording record(std::span<const std::int32_t> ids, const AttributeOptions& options) override {
        SiteRecording recording = record_sites(*ctx_, *ruled_, ids, options);
        if constexpr (!std::same_as<typename B::weight, typename B::scalar>) recording.scalar += std::string(", weights ") + scalar_name<typename B::weight>;
        return recording;
    }
    UnitReport units(std::span<const std::int32_t> ids, const AttributeOptions& options, std::size_t top, UnitScope scope) override {
        return relevant_units(*ctx_, *ruled_, ids, options, top, scope);
    }
    FlowReport flow(std::span<const std::int32_t> ids, std::span<const FlowCuts> pairs, const AttributeOptions& options) override {
        FlowReport report = ruled_->flow(*ctx_, ids, pairs, options);
        report.trace.provenance["compute_type"] = scalar_name<typename B::scalar>;
        return report;
    }
    EdgeReport edges(std::span<const std::int32_t> ids, const AttributeOptions& options) override { return attention_edges(*ctx_, *ruled_, ids, options); }
    void neuron_tokens(std::size_t layer, NeuronSide side, std::size_t count, const NeuronTokensCallback& visit) override {
        lrp::neuron_tokens<B>(*ctx_, ruled_->config(), *weights_, layer, side, count, visit);
    }
    void unit_activations(std::span<const std::int32_t> ids, const UnitActivationsCallback& visit) override { lrp::unit_activations(*ctx_, plain_, ids, visit); }
    Explained generate_explained(std::span<const std::int32_t> ids, const ExplainedOptions& options, const ExplainedCallback& on_token) override {
        return lrp::generate_explained(*ctx_, *ruled_, ids, options, on_token);
    }
    void collect(std::span<const CollectDocument> documents, const CollectOptions& options, CollectedUnits& units, bool blind) override {
        Collector<B> collector(units, pool(), blind);
        collect_batch(*ctx_, *ruled_, documents, options, collector);
        if (!blind) units.end_batch();
    }
    [[nodiscard]] const char* compute_type() const override { return scalar_name<typename B::scalar>; }
    [[nodiscard]] Index layers() const override { return ruled_->config().layers; }
    [[nodiscard]] double weight_bytes() const override { return sizeof(typename B::weight); }
    [[nodiscard]] bool on_host() const override { return in_host_memory<B>; }

  private:
    [[nodiscard]] LlamaDecoder<B, AttnLRP> decoder_for(std::span<const std::int32_t> ids, const GenerateOptions& options) {
        return {*ctx_, plain_, std::max<Index>(std::ssize(ids) + static_cast<Index>(options.max_new_tokens), 1)};
    }

    /// The context's threads where it has such a pool: two would keep the processors from each other.
    [[nodiscard]] ThreadPool& pool() {
        if constexpr (requires { *ctx_->pool; }) {
            return *ctx_->pool;
        } else {
            if (!own_pool_) own_pool_.emplace(threads_);
            return *own_pool_;
        }
    }

    std::unique_ptr<typename B::context> ctx_;
    unsigned threads_;
    std::optional<ThreadPool> own_pool_;
    std::shared_ptr<const LlamaWeights<B>> weights_;
    std::unique_ptr<const RuledModel<B>> ruled_;
    LlamaModel<B, AttnLRP> plain_;  // for what is all forward: rules play no part in it
};

template <Backend B>
std::unique_ptr<Engine> engine_of(std::unique_ptr<typename B::context> ctx, const EngineRequest& request) {
    return std::make_unique<EngineOf<B>>(std::move(ctx), request);
}

}  // namespace lrp::cli
