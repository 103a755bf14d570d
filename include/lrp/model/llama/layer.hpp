// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// One LLaMA layer: x -> x + attention(norm(x)) -> + mlp(norm(.)), forward and relevance as each other's mirror.
#pragma once

#include <lrp/model/block/attention.hpp>
#include <lrp/model/block/gated_mlp.hpp>
#include <lrp/model/llama/weights.hpp>

namespace lrp {

/// What a layer's forward pass keeps. The layer's input and output live in the residual stream of the pass (LlamaPass::residual).
template <Backend B>
struct LlamaLayerSaved {
    ActivationTensor<B> attn_norm;  ///< [T, d]
    Tensor<B> attn_inverse_rms;     ///< [1, T]
    AttentionSaved<B> attention;
    ActivationTensor<B> resid_mid;  ///< [T, d]
    ActivationTensor<B> mlp_norm;   ///< [T, d]
    Tensor<B> mlp_inverse_rms;      ///< [1, T]
    GatedMlpSaved<B> mlp;

    void resize(typename B::context& ctx, const LlamaConfig& config, Index tokens) {
        for (auto* t : {&attn_norm, &resid_mid, &mlp_norm}) t->resize(ctx, tokens, config.hidden_size);
        for (auto* t : {&attn_inverse_rms, &mlp_inverse_rms}) t->resize(ctx, 1, tokens);
        attention.resize(ctx, config.attention, tokens, config.hidden_size);
        mlp.resize(ctx, tokens, config.intermediate_size, config.hidden_size);
    }
    static Index scalars(const LlamaConfig& config, Index tokens, bool probs) {
        return tokens * (3 * config.hidden_size + 2) + AttentionSaved<B>::scalars(config.attention, tokens, config.hidden_size, probs) +
               GatedMlpSaved<B>::scalars(tokens, config.intermediate_size, config.hidden_size);
    }
};

/// Work space of a layer's backward pass, the same for every layer.
template <Backend B>
struct LlamaLayerCoefficients {
    CoefficientTensor<B> branch;  ///< [T, d] at a block's output, where an observer may change it apart from the stream
    CoefficientTensor<B> input;   ///< [T, d] at a block's input
    AttentionCoefficients<B> attention;
    GatedMlpCoefficients<B> mlp;

    void resize(typename B::context& ctx, const LlamaConfig& config, Index tokens) {
        for (auto* t : {&branch, &input}) t->resize(ctx, tokens, config.hidden_size);
        attention.resize(ctx, config.attention, tokens);
        mlp.resize(ctx, tokens, config.intermediate_size);
    }
    static Index scalars(const LlamaConfig& config, Index tokens, bool probs) {
        return 2 * tokens * config.hidden_size + AttentionCoefficients<B>::scalars(config.attention, tokens, probs) +
               GatedMlpCoefficients<B>::scalars(tokens, config.intermediate_size);
    }
};

/// RoPE's tables for the positions 0 .. T-1.
template <Backend B>
struct RopeTables {
    Tensor<B> cos, sin;  ///< [T, D/2]

    RopeTables() = default;
    RopeTables(typename B::context& ctx, const LlamaConfig& config, Index tokens) {
        using T = typename B::scalar;
        const auto frequencies = config.rope.frequencies(config.attention.head_dim);
        std::vector<T> c, s;
        for (Index position = 0; position < tokens; ++position) {
            for (const double frequency : frequencies) {
                c.push_back(static_cast<T>(std::cos(static_cast<double>(position) * frequency)));
                s.push_back(static_cast<T>(std::sin(static_cast<double>(position) * frequency)));
            }
        }
        const auto half = static_cast<Index>(frequencies.size());
        cos.resize(ctx, tokens, half);
        sin.resize(ctx, tokens, half);
        cos.upload(ctx, c);
        sin.upload(ctx, s);
    }
    [[nodiscard]] Rope::Params<typename B::scalar> params() const { return {cos.view(), sin.view()}; }
};

/// Prompts from this length on are worked in tiles where the backend has them: below, the T x T matrices are small and products are faster.
inline constexpr Index default_tiled_from = 512;

/// One layer over weights that somebody else owns.
template <Backend B, Composite Rules>
class LlamaLayer {
  public:
    using T = typename B::scalar;
    using C = typename B::context;
    static_assert(std::same_as<typename Rules::norm::op, RMSNorm>, "LlamaLayer: the composite's norm must be a rule of RMSNorm");
    static_assert(std::same_as<typename Rules::activation::op, SiLU>, "LlamaLayer: the composite's activation must be a rule of SiLU");

    LlamaLayer(const LlamaConfig& config, const LlamaLayerWeights<B>& weights, const Rope::Params<T>& rope, RuleSet<Rules> rules = {},
               Index tiled_from = default_tiled_from)
        : attn_norm_{weights.attn_norm.view().data, config.rms_norm_eps},
          attention_{config.attention, weights.q.params(), weights.k.params(), weights.v.params(), weights.o.params(), rope, tiled_from},
          mlp_norm_{weights.mlp_norm.view().data, config.rms_norm_eps},
          mlp_{weights.gate.params(), weights.up.params(), weights.down.params()},
          rules_(rules) {}
    /// Other weights are refused with a sentence.
    template <Backend Other, class... Rest>
        requires(!std::same_as<Other, B>)
    LlamaLayer(const LlamaConfig&, const LlamaLayerWeights<Other>&, const Rest&...) {
        static_assert(std::same_as<Other, B>, "LlamaLayer: the weights belong to another backend or are stored in another type than the layer's");
    }

    /// x [T, d] -> y [T, d]. With at.recomputed, only what `s` keeps is computed again, and y is not touched.
    template <class O>
    void forward(const Station<C, O>& at, Activation<T> x, LlamaLayerSaved<B>& s, Activation<T> y) const {
        C& ctx = at.ctx;
        if (!at.recomputed) at.activation(Site::resid_pre, x);
        RMSNorm::forward(ctx, attn_norm_, x, s.attn_norm.view(), s.attn_inverse_rms.view().data);
        at.activation(Site::attn_norm, s.attn_norm.view());
        AttentionBlock<B, Rules>::forward(at, attention_, s.attn_norm.view(), s.attention);
        Add::forward(ctx, {}, x, s.attention.out.view(), s.resid_mid.view());
        at.activation(Site::resid_mid, s.resid_mid.view());

        RMSNorm::forward(ctx, mlp_norm_, s.resid_mid.view(), s.mlp_norm.view(), s.mlp_inverse_rms.view().data);
        at.activation(Site::mlp_norm, s.mlp_norm.view());
        GatedMlpBlock<B, Rules>::forward(at, mlp_, s.mlp_norm.view(), s.mlp);
        if (at.recomputed) return;
        Add::forward(ctx, {}, s.resid_mid.view(), s.mlp.out.view(), y);
        at.activation(Site::resid_post, y);
    }

    /// c [T, d] at y -> c at x, in place. What the forward pass left out of `s` because nobody read it is completed where it is read now.
    template <class O>
    void relevance(const Station<C, O>& at, Activation<const T> x, LlamaLayerSaved<B>& s, Activation<const T> y,
                   LlamaLayerCoefficients<B>& work, Coefficient<T> c) const {
        C& ctx = at.ctx;
        const Coefficient<T> c_h = work.input.view();

        at.relevance(Site::resid_post, y, c);
        rules_.residual.propagate(ctx, {}, {y}, c, c);
        GatedMlpBlock<B, Rules>::relevance(at, mlp_, rules_, s.mlp_norm.view(), s.mlp, work.mlp, branch(at, Site::mlp_out, work, c), c_h);
        at.relevance(Site::mlp_norm, s.mlp_norm.view(), c_h);
        rules_.norm.propagate(ctx, mlp_norm_, {s.resid_mid.view(), s.mlp_inverse_rms.view().data, s.mlp_norm.view()}, c_h, c,
                              {.accumulate = true});

        at.relevance(Site::resid_mid, s.resid_mid.view(), c);
        rules_.residual.propagate(ctx, {}, {s.resid_mid.view()}, c, c);
        AttentionBlock<B, Rules>::relevance(at, attention_, rules_, s.attn_norm.view(), s.attention, work.attention, branch(at, Site::attn_out, work, c),
                                            c_h);
        at.relevance(Site::attn_norm, s.attn_norm.view(), c_h);
        rules_.norm.propagate(ctx, attn_norm_, {x, s.attn_inverse_rms.view().data, s.attn_norm.view()}, c_h, c, {.accumulate = true});
        at.relevance(Site::resid_pre, x, c);
    }

  private:
    /// The coefficient at a block's output equals the stream's. Only an observer that may write to one of the two needs a copy.
    template <class O>
    static Coefficient<T> branch(const Station<C, O>& at, Site site, LlamaLayerCoefficients<B>& work, Coefficient<T> c) {
        if (at.reads_relevance(site)) {
            B::copy(at.ctx, View<const T>(c), work.branch.view());
            return work.branch.view();
        } else {
            return c;
        }
    }

    RMSNorm::Params<T> attn_norm_;
    AttentionParams<C> attention_;
    RMSNorm::Params<T> mlp_norm_;
    GatedMlpParams<C> mlp_;
    RuleSet<Rules> rules_;
};

}  // namespace lrp
