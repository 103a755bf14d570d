// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The engine of one backend: turns names of rules into types.
#pragma once

#include <lrp/analysis/conservation.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/pipeline/load_llama.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>
#include <lrp/rule/preset/gradient.hpp>

#include "engine.hpp"

namespace lrp::cli {

template <Backend B, Composite Rules>
class EngineOf : public Engine {
  public:
    EngineOf(std::unique_ptr<typename B::context> ctx, const EngineRequest& request)
        : pool_(request.threads), ctx_(std::move(ctx)), model_(request.config, load_llama_weights<B>(*ctx_, request.config, *request.checkpoint)) {}

    Trace trace(std::span<const std::int32_t> ids, const AttributeOptions& options, PassTimes* times) override {
        Trace result = attribute(*ctx_, model_, ids, options, NullObserver{}, times);
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
    void collect(std::span<const CollectDocument> documents, const CollectOptions& options, CollectedUnits& units, bool blind) override {
        Collector<B> collector(units, pool_, blind);
        collect_batch(*ctx_, model_, documents, options, collector);
        if (!blind) units.end_batch();
    }
    [[nodiscard]] const char* compute_type() const override { return scalar_name<typename B::scalar>; }

  private:
    ThreadPool pool_;  // of the collector; never at work at the same time as the context's
    std::unique_ptr<typename B::context> ctx_;
    LlamaModel<B, Rules> model_;
};

template <class Base, class SoftmaxRule>
struct WithSoftmax : Base {
    using softmax = SoftmaxRule;
};

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
