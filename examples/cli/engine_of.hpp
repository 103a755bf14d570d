// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The engine of one backend: turns names of rules into types.
#pragma once

#include <lrp/analysis/conservation.hpp>
#include <lrp/model/llama/decoder.hpp>
#include <lrp/pipeline/load_llama.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>
#include <lrp/rule/preset/gradient.hpp>

#include "engine.hpp"

namespace lrp::cli {

/// What an engine does whatever its rules: one instance a backend.
template <Backend B>
class GeneratingEngine : public Engine {
  public:
    GeneratingEngine(std::unique_ptr<typename B::context> ctx, const EngineRequest& request)
        : ctx_(std::move(ctx)), weights_(load_llama_weights<B>(*ctx_, request.config, *request.checkpoint)), plain_(request.config, weights_) {}

    Generated generate(std::span<const std::int32_t> ids, const GenerateOptions& options, const TokenCallback& on_token) override {
        LlamaDecoder decoder = decoder_for(ids, options);
        return lrp::generate(decoder, ids, options, NullObserver{}, on_token);
    }
    Steered steer(std::span<const std::int32_t> ids, const SteeringPlan& plan, SteeringMode mode, const GenerateOptions& options, const TokenCallback& before,
                  const TokenCallback& after) override {
        LlamaDecoder decoder = decoder_for(ids, options);
        return lrp::steer(decoder, ids, plan, mode, options, before, after);
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
