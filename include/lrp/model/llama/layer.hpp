// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// One LLaMA layer: x -> x + attention(norm(x)) -> + mlp(norm(.)), forward and relevance as each other's mirror.
#pragma once

#include <array>

#include <lrp/model/block/attention.hpp>
#include <lrp/model/block/gated_mlp.hpp>
#include <lrp/model/llama/weights.hpp>

namespace lrp {

/// What a layer's forward pass keeps. The layer's input and output live in the residual stream of the pass (LlamaPass::residual).
template <Backend B>
struct LlamaLayerSaved {
    ActivationTensor<B> attn_norm;               ///< [T, d]; kept behind the forward pass only where it is read (LlamaLayer::keeps), as mlp_norm
    Tensor<B> attn_inverse_rms;                  ///< [1, T]
    ActivationTensor<B> tail_input, tail_norm;   ///< [Q, d] rows of the layer's input and of attn_norm, only where not all rows have queries
    AttentionSaved<B> attention;
    ActivationTensor<B> resid_mid;               ///< [Q, d]
    ActivationTensor<B> mlp_norm;                ///< [Q, d]
    Tensor<B> mlp_inverse_rms;                   ///< [1, Q]
    GatedMlpSaved<B> mlp;

    void resize(typename B::context& ctx, const LlamaConfig& config, Index tokens, Index queries) {
        resid_mid.resize(ctx, queries, config.hidden_size);
        attn_inverse_rms.resize(ctx, 1, tokens);
        mlp_inverse_rms.resize(ctx, 1, queries);
        attention.resize(ctx, config.attention, tokens, queries);
        mlp.resize(ctx, queries, config.intermediate_size);
    }
    void resize(typename B::context& ctx, const LlamaConfig& config, Index tokens) { resize(ctx, config, tokens, tokens); }
    /// Scalars of a pass that nobody watches; `inputs`: whether the rules read the inputs of projections.
    static Index scalars(const LlamaConfig& config, Index tokens, bool probs, bool inputs) {
        return tokens * ((inputs ? 3 : 1) * config.hidden_size + 2) + AttentionSaved<B>::scalars(config.attention, tokens, probs) +
               GatedMlpSaved<B>::scalars(tokens, config.intermediate_size, inputs);
    }
};

/// Work space of a layer's backward pass, the same for every layer.
template <Backend B>
struct LlamaLayerCoefficients {
    CoefficientTensor<B> branch;     ///< [Q, d] at a block's output, where an observer may change it apart from the stream
    CoefficientTensor<B> mlp_input;  ///< [Q, d] at the MLP's input
    CoefficientTensor<B> input;      ///< [T, d] at the attention's input
    AttentionCoefficients<B> attention;
    GatedMlpCoefficients<B> mlp;

    void resize(typename B::context& ctx, const LlamaConfig& config, Index tokens, Index queries) {
        for (auto* t : {&branch, &mlp_input}) t->resize(ctx, queries, config.hidden_size);
        input.resize(ctx, tokens, config.hidden_size);
        attention.resize(ctx, config.attention, tokens, queries);
        mlp.resize(ctx, queries, config.intermediate_size);
    }
    void resize(typename B::context& ctx, const LlamaConfig& config, Index tokens) { resize(ctx, config, tokens, tokens); }
    static Index scalars(const LlamaConfig& config, Index tokens, bool probs) {
        return 3 * tokens * config.hidden_size + AttentionCoefficients<B>::scalars(config.attention, tokens, probs) +
               GatedMlpCoefficients<B>::scalars(tokens, config.intermediate_size);
    }
};

/// RoPE's tables, a row for each of some positions.
template <Backend B>
struct RopeTables {
    Tensor<B> cos, sin;  ///< [T, D/2]

    RopeTables() = default;
    /// For the positions 0 .. tokens - 1.
    RopeTables(typename B::context& ctx, const LlamaConfig& config, Index tokens) : RopeTables(ctx, config, std::vector<RowSpan>{{0, tokens}}) {}
    /// For runs of positions, one after another.
    RopeTables(typename B::context& ctx, const LlamaConfig& config, const std::vector<RowSpan>& runs) {
        using T = typename B::scalar;
        const auto frequencies = config.rope.frequencies(config.attention.head_dim);
        std::vector<T> c, s;
        Index tokens = 0;
        for (const RowSpan& run : runs) tokens += run.count;
        for (const RowSpan& run : runs)
            for (Index position = run.first; position < run.first + run.count; ++position)
                for (const double frequency : frequencies) {
                    c.push_back(static_cast<T>(std::cos(static_cast<double>(position) * frequency)));
                    s.push_back(static_cast<T>(std::sin(static_cast<double>(position) * frequency)));
                }
        const auto half = static_cast<Index>(frequencies.size());
        cos.resize(ctx, tokens, half);
        sin.resize(ctx, tokens, half);
        cos.upload(ctx, c);
        sin.upload(ctx, s);
    }
    [[nodiscard]] Rope::Params<typename B::scalar> params() const { return {cos.view(), sin.view()}; }
};

/// Prompts from this length on are worked without T x T matrices where the backend can: always by an attention of its own; in tiles only where the
/// matrices are large, as products are faster below.
template <Backend B>
inline constexpr Index default_tiled_from = is_native<B>(Native::attention) ? 0 : 512;

/// One layer over weights that somebody else owns.
template <Backend B, Composite Rules>
class LlamaLayer {
  public:
    using T = typename B::scalar;
    using C = typename B::context;
    static_assert(std::same_as<typename Rules::norm::op, RMSNorm>, "LlamaLayer: the composite's norm must be a rule of RMSNorm");
    static_assert(std::same_as<typename Rules::activation::op, SiLU>, "LlamaLayer: the composite's activation must be a rule of SiLU");

    /// `rope_queries`: the tables for the rows with queries, where these are not all.
    LlamaLayer(const LlamaConfig& config, const LlamaLayerWeights<B>& weights, const Rope::Params<T>& rope, RuleSet<Rules> rules = {},
               Index tiled_from = default_tiled_from<B>, const Rope::Params<T>& rope_queries = {})
        : attn_norm_{weights.attn_norm.view().data, config.rms_norm_eps},
          attention_{config.attention, weights.q.params(), weights.k.params(), weights.v.params(), weights.o.params(), rope,
                     rope_queries.cos.empty() ? rope : rope_queries, tiled_from},
          mlp_norm_{weights.mlp_norm.view().data, config.rms_norm_eps},
          mlp_{weights.gate.params(), weights.up.params(), weights.down.params()},
          rules_(rules) {}
    /// Other weights are refused with a sentence.
    template <Backend Other, class... Rest>
        requires(!std::same_as<Other, B>)
    LlamaLayer(const LlamaConfig&, const LlamaLayerWeights<Other>&, const Rest&...) {
        static_assert(std::same_as<Other, B>, "LlamaLayer: the weights belong to another backend or are stored in another type than the layer's");
    }

    /// Whether the backward pass reads a norm's output (Site::attn_norm or Site::mlp_norm).
    static bool keeps(const Station<C>& at, const RuleSet<Rules>& rules, Site site) {
        return reads_input(rules.projection) || reads_output(rules.norm) || at.reads(site);
    }

    /// x [T, d] -> y [Q, d]. With at.recomputed, only what `s` keeps is computed again, and y is not touched. `cache`: see AttentionBlock.
    void forward(const Station<C>& at, const LayerRows& rows, Activation<T> x, LlamaLayerSaved<B>& s, Activation<T> y,
                 const KeyValueRows<T>* cache = nullptr) const {
        C& ctx = at.ctx;
        if (!at.recomputed) at.activation(Site::resid_pre, x);
        normalize(ctx, attn_norm_, x, s.attn_norm, s.attn_inverse_rms);
        at.activation(Site::attn_norm, s.attn_norm.view());
        const Activation<const T> x_q = tail(ctx, rows, x, s.tail_input), h_q = tail(ctx, rows, s.attn_norm.view(), s.tail_norm);
        AttentionBlock<B, Rules>::forward(at, attention_, rows, rules_, s.attn_norm.view(), h_q, s.attention, cache);
        if (!keeps(at, rules_, Site::attn_norm)) s.attn_norm = {};
        Add::forward(ctx, {}, x_q, s.attention.out.view(), s.resid_mid.view());
        if (!AttentionBlock<B, Rules>::keeps(at, rules_, Site::attn_out)) s.attention.out = {};
        at.activation(Site::resid_mid, s.resid_mid.view());

        normalize(ctx, mlp_norm_, s.resid_mid.view(), s.mlp_norm, s.mlp_inverse_rms);
        at.activation(Site::mlp_norm, s.mlp_norm.view());
        GatedMlpBlock<B, Rules>::forward(at, mlp_, rules_, s.mlp_norm.view(), s.mlp);
        if (!keeps(at, rules_, Site::mlp_norm)) s.mlp_norm = {};
        if (at.recomputed) return;
        Add::forward(ctx, {}, s.resid_mid.view(), s.mlp.out.view(), y);
        if (!GatedMlpBlock<B, Rules>::keeps_out(at, rules_)) s.mlp.out = {};
        at.activation(Site::resid_post, y);
    }

    /// c_y [Q, d] at y -> c_x [T, d] at x; both are the same memory where all rows have queries, and c_y is used up otherwise. What the forward
    /// pass left out of `s` because nobody read it is completed where it is read now.
    void relevance(const Station<C>& at, const LayerRows& rows, Activation<const T> x, LlamaLayerSaved<B>& s, Activation<const T> y,
                   LlamaLayerCoefficients<B>& work, Coefficient<T> c_y, Coefficient<T> c_x) const {
        C& ctx = at.ctx;
        const Coefficient<T> c_mlp = work.mlp_input.view(), c_h = work.input.view();

        at.relevance(Site::resid_post, y, c_y);
        rules_.residual.propagate(ctx, {}, {y}, c_y, c_y);
        if (s.mlp_norm.empty() && keeps(at, rules_, Site::mlp_norm)) normalize(ctx, mlp_norm_, s.resid_mid.view(), s.mlp_norm, s.mlp_inverse_rms);
        GatedMlpBlock<B, Rules>::relevance(at, mlp_, rules_, s.mlp_norm.view(), s.mlp, work.mlp, branch(at, Site::mlp_out, work, c_y), c_mlp);
        at.relevance(Site::mlp_norm, s.mlp_norm.view(), c_mlp);
        rules_.norm.propagate(ctx, mlp_norm_, {s.resid_mid.view(), s.mlp_inverse_rms.view().data, s.mlp_norm.view()}, c_mlp, c_y,
                              {.accumulate = true});

        at.relevance(Site::resid_mid, s.resid_mid.view(), c_y);
        rules_.residual.propagate(ctx, {}, {s.resid_mid.view()}, c_y, c_y);
        const auto read_behind = [&](Site site) { return AttentionBlock<B, Rules>::keeps(at, rules_, site); };
        if (s.attn_norm.empty() && (keeps(at, rules_, Site::attn_norm) || read_behind(Site::q_pre) || read_behind(Site::k_pre)))
            normalize(ctx, attn_norm_, x, s.attn_norm, s.attn_inverse_rms);
        AttentionBlock<B, Rules>::relevance(at, attention_, rows, rules_, s.attn_norm.view(), rows.some() ? s.tail_norm.view() : s.attn_norm.view(), s.attention,
                                            work.attention, branch(at, Site::attn_out, work, c_y), c_h);
        at.relevance(Site::attn_norm, s.attn_norm.view(), c_h);
        if (rows.some()) {
            B::fill(ctx, c_x, T(0));
            B::scatter_add_rows(ctx, c_y, rows.tail_ids, c_x);
        }
        rules_.norm.propagate(ctx, attn_norm_, {x, s.attn_inverse_rms.view().data, s.attn_norm.view()}, c_h, c_x, {.accumulate = true});
        at.relevance(Site::resid_pre, x, c_x);
    }

    /// A layer of one prompt, all of whose rows have queries.
    void forward(const Station<C>& at, Activation<T> x, LlamaLayerSaved<B>& s, Activation<T> y) const {
        const std::array one{RowSpan{0, x.rows}};
        forward(at, LayerRows{one, {}, {}}, x, s, y);
    }
    void relevance(const Station<C>& at, Activation<const T> x, LlamaLayerSaved<B>& s, Activation<const T> y, LlamaLayerCoefficients<B>& work,
                   Coefficient<T> c) const {
        const std::array one{RowSpan{0, x.rows}};
        relevance(at, LayerRows{one, {}, {}}, x, s, y, work, c, c);
    }

  private:
    static void normalize(C& ctx, const RMSNorm::Params<T>& norm, Activation<const T> x, ActivationTensor<B>& y, Tensor<B>& inverse_rms) {
        y.resize(ctx, x.rows, x.cols);
        RMSNorm::forward(ctx, norm, x, y.view(), inverse_rms.view().data);
    }

    /// The coefficient at a block's output equals the stream's. Only an observer that may write to one of the two needs a copy.
    static Coefficient<T> branch(const Station<C>& at, Site site, LlamaLayerCoefficients<B>& work, Coefficient<T> c) {
        if (!at.reads_relevance(site)) return c;
        B::copy(at.ctx, View<const T>(c), work.branch.view());
        return work.branch.view();
    }

    /// The rows with queries: x itself where these are all, a copy otherwise.
    static Activation<const T> tail(C& ctx, const LayerRows& rows, Activation<const T> x, ActivationTensor<B>& copy) {
        if (!rows.some()) return x;
        copy.resize(ctx, rows.queries(x.rows), x.cols);
        B::gather_rows(ctx, View<const T>(x), rows.tail_ids, copy.view());
        return copy.view();
    }

    RMSNorm::Params<T> attn_norm_;
    AttentionParams<C> attention_;
    RMSNorm::Params<T> mlp_norm_;
    GatedMlpParams<C> mlp_;
    RuleSet<Rules> rules_;
};

}  // namespace lrp
