// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A model whose rules are chosen at run time. Analyses take it as they take a LlamaModel, so that each is compiled once a backend and not once a set
// of rules.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include <lrp/analysis/conservation.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>
#include <lrp/rule/preset/gradient.hpp>

#include "engine.hpp"

namespace lrp::cli {

/// What analyses ask of a model; and the two that go into it themselves: the ledger, which reads the rules, and the flow, which walks through single layers.
template <Backend B>
class RuledModel {
  public:
    using backend = B;
    using T = typename B::scalar;
    using C = typename B::context;

    virtual ~RuledModel() = default;
    [[nodiscard]] virtual const LlamaConfig& config() const = 0;
    [[nodiscard]] virtual std::uint64_t bytes_of_pass(Index tokens, Index recomputed) const = 0;
    [[nodiscard]] virtual LlamaPass<B> forward(C& ctx, std::span<const std::int32_t> ids, std::span<const std::int32_t> positions, const PassOptions& options,
                                               Watch<C> observer = {}) const = 0;
    [[nodiscard]] virtual LlamaPass<B> forward(C& ctx, const PackedPrompts& packed, std::span<const std::int32_t> positions, const PassOptions& options,
                                               Watch<C> observer = {}) const = 0;
    virtual CoefficientTensor<B> relevance(C& ctx, LlamaPass<B>& pass, std::span<const Seed> seeds, Watch<C> observer = {}) const = 0;
    [[nodiscard]] virtual Ledger ledger(C& ctx, std::span<const std::int32_t> ids, const AttributeOptions& options) const = 0;
    [[nodiscard]] virtual FlowReport flow(C& ctx, std::span<const std::int32_t> ids, std::span<const FlowCuts> pairs, const AttributeOptions& options) const = 0;
};

template <Backend B, Composite Rules>
class RuledModelOf : public RuledModel<B> {
  public:
    using typename RuledModel<B>::C;

    RuledModelOf(const LlamaConfig& config, std::shared_ptr<const LlamaWeights<B>> weights) : model_(config, std::move(weights)) {}

    [[nodiscard]] const LlamaConfig& config() const override { return model_.config(); }
    [[nodiscard]] std::uint64_t bytes_of_pass(Index tokens, Index recomputed) const override { return model_.bytes_of_pass(tokens, recomputed); }
    [[nodiscard]] LlamaPass<B> forward(C& ctx, std::span<const std::int32_t> ids, std::span<const std::int32_t> positions, const PassOptions& options,
                                       Watch<C> observer) const override {
        return model_.forward(ctx, ids, positions, options, observer);
    }
    [[nodiscard]] LlamaPass<B> forward(C& ctx, const PackedPrompts& packed, std::span<const std::int32_t> positions, const PassOptions& options,
                                       Watch<C> observer) const override {
        return model_.forward(ctx, packed, positions, options, observer);
    }
    CoefficientTensor<B> relevance(C& ctx, LlamaPass<B>& pass, std::span<const Seed> seeds, Watch<C> observer) const override {
        return model_.relevance(ctx, pass, seeds, observer);
    }
    [[nodiscard]] Ledger ledger(C& ctx, std::span<const std::int32_t> ids, const AttributeOptions& options) const override {
        return conservation(ctx, model_, ids, options);
    }
    [[nodiscard]] FlowReport flow(C& ctx, std::span<const std::int32_t> ids, std::span<const FlowCuts> pairs, const AttributeOptions& options) const override {
        return relevance_flow(ctx, model_, ids, pairs, options);
    }

  private:
    LlamaModel<B, Rules> model_;
};

template <class Base, class SoftmaxRule>
struct OtherSoftmax : Base {
    using softmax = SoftmaxRule;
};
/// A set that has the rule already stays itself, and is not compiled twice.
template <class Base, class SoftmaxRule>
using WithSoftmax = std::conditional_t<std::same_as<typename Base::softmax, SoftmaxRule>, Base, OtherSoftmax<Base, SoftmaxRule>>;

/// The model under the rules that a choice names. UsageError for a name that there is not.
template <Backend B>
std::unique_ptr<RuledModel<B>> ruled_model(const RuleChoice& rules, const LlamaConfig& config, const std::shared_ptr<const LlamaWeights<B>>& weights) {
    const auto with_softmax = [&]<class Base>(std::type_identity<Base>) -> std::unique_ptr<RuledModel<B>> {
        if (rules.softmax.empty()) return std::make_unique<RuledModelOf<B, Base>>(config, weights);
        if (rules.softmax == "taylor") return std::make_unique<RuledModelOf<B, WithSoftmax<Base, TaylorRule<Softmax>>>>(config, weights);
        if (rules.softmax == "uniform") return std::make_unique<RuledModelOf<B, WithSoftmax<Base, UniformRule<Softmax>>>>(config, weights);
        if (rules.softmax == "stop") return std::make_unique<RuledModelOf<B, WithSoftmax<Base, StopRule<Softmax>>>>(config, weights);
        fail<UsageError>("softmax rule: expected taylor, uniform or stop, found '", rules.softmax, "'");
    };
    if (rules.preset == "attnlrp") return with_softmax(std::type_identity<AttnLRP>{});
    if (rules.preset == "cp-lrp") return with_softmax(std::type_identity<CpLRP>{});
    if (rules.preset == "gradient") return with_softmax(std::type_identity<Gradient>{});
    fail<UsageError>("rules: expected attnlrp, cp-lrp or gradient, found '", rules.preset, "'");
}

}  // namespace lrp::cli
