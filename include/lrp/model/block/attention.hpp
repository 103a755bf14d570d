// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Causal self-attention with grouped queries and rotary positions: the forward pass and, box by box in reverse, its relevance.
#pragma once

#include <cmath>

#include <lrp/model/observer.hpp>
#include <lrp/op/rope.hpp>
#include <lrp/op/tiled_attention.hpp>
#include <lrp/rule/composite.hpp>

namespace lrp {

/// Sizes of an attention block: H query heads that share K key/value heads, each of size D.
struct AttentionShape {
    Index heads = 0;
    Index kv_heads = 0;
    Index head_dim = 0;

    [[nodiscard]] Index queries() const { return heads * head_dim; }
    [[nodiscard]] Index keys() const { return kv_heads * head_dim; }
};

/// What an attention block is applied with.
template <Context C>
struct AttentionParams {
    using T = typename C::scalar;

    AttentionShape shape;
    params_t<Linear, C> q, k, v, o;  ///< [H*D, d], [K*D, d], [K*D, d], [d, H*D]
    Rope::Params<T> rope;          ///< [T, D/2] each
    Index tiled_from = 0;          ///< prompts of so many tokens or more are worked in tiles, without scores and probs, where that is possible

    /// S = Q K^T / sqrt(D), per head.
    [[nodiscard]] MatMul::Params<T> scores() const {
        return {.count = shape.heads, .group = shape.heads / shape.kv_heads, .transpose_b = true,
                .scale = 1 / std::sqrt(static_cast<double>(shape.head_dim)), .z_layout = HeadLayout::rows};
    }
    /// Z = A V, per head.
    [[nodiscard]] MatMul::Params<T> mix() const {
        return {.count = shape.heads, .group = shape.heads / shape.kv_heads, .a_layout = HeadLayout::rows};
    }
    [[nodiscard]] Softmax::Params<T> softmax(Index tokens) const { return {.queries = tokens}; }
    /// The three in one.
    [[nodiscard]] TiledAttention::Params<T> tiled() const { return {shape.heads, shape.kv_heads, shape.head_dim, scores().scale}; }
};

/// What the forward pass keeps for the backward pass; T tokens.
template <Backend B>
struct AttentionSaved {
    ActivationTensor<B> q_pre, k_pre;   ///< [T, H*D], [T, K*D] before RoPE
    ActivationTensor<B> q, k, v;        ///< [T, H*D], [T, K*D], [T, K*D]
    ActivationTensor<B> scores, probs;  ///< [H*T, T]; formed only where they are read
    Tensor<B> log_sum;                  ///< [H, T] in their place
    bool has_probs = false;
    ActivationTensor<B> head;           ///< [T, H*D] before o_proj
    ActivationTensor<B> out;            ///< [T, d]

    void resize(typename B::context& ctx, const AttentionShape& shape, Index tokens, Index hidden) {
        for (auto* t : {&q_pre, &q, &head}) t->resize(ctx, tokens, shape.queries());
        for (auto* t : {&k_pre, &k, &v}) t->resize(ctx, tokens, shape.keys());
        out.resize(ctx, tokens, hidden);
    }
    /// Scalars that a pass asks for, with scores and probs or without.
    static Index scalars(const AttentionShape& shape, Index tokens, Index hidden, bool probs) {
        return tokens * (3 * shape.queries() + 3 * shape.keys() + hidden) + shape.heads * tokens * (probs ? 2 * tokens : 1);
    }
};

/// Work space of the backward pass, one coefficient per activation; the same for every layer.
template <Backend B>
struct AttentionCoefficients {
    CoefficientTensor<B> q, k, v, head;
    CoefficientTensor<B> scores, probs;  ///< only where scores and probs are

    void resize(typename B::context& ctx, const AttentionShape& shape, Index tokens) {
        for (auto* t : {&q, &head}) t->resize(ctx, tokens, shape.queries());
        for (auto* t : {&k, &v}) t->resize(ctx, tokens, shape.keys());
    }
    static Index scalars(const AttentionShape& shape, Index tokens, bool probs) {
        return 2 * tokens * (shape.queries() + shape.keys()) + shape.heads * tokens * (probs ? 2 * tokens : 1);
    }
};

/// Attention over normalised rows h [T, d] -> s.out [T, d].
template <Backend B, Composite Rules>
struct AttentionBlock {
    using T = typename B::scalar;
    using C = typename B::context;

    template <class O>
    static void forward(const Station<C, O>& at, const AttentionParams<C>& p, Activation<const T> h, AttentionSaved<B>& s) {
        C& ctx = at.ctx;
        const auto project = [&](const params_t<Linear, C>& linear, Activation<const T> x, ActivationTensor<B>& z, Site site) {
            Linear::forward(ctx, linear, x, z.view());
            at.activation(site, z.view());
        };
        const auto rotate = [&](ActivationTensor<B>& x, ActivationTensor<B>& y, Site site) {
            Rope::forward(ctx, p.rope, x.view().as_const(), y.view());
            at.activation(site, y.view());
        };
        project(p.q, h, s.q_pre, Site::q_pre);
        project(p.k, h, s.k_pre, Site::k_pre);
        project(p.v, h, s.v, Site::v);
        rotate(s.q_pre, s.q, Site::q);
        rotate(s.k_pre, s.k, Site::k);
        s.has_probs = false;
        if (!mix_in_tiles(at, p, s)) {
            form_probs(ctx, p, s, [&](Site site, Activation<T> x) { at.activation(site, x); });
            MatMul::forward(ctx, p.mix(), s.probs.view(), s.v.view(), s.head.view());
        }
        at.activation(Site::head, s.head.view());
        project(p.o, s.head.view(), s.out, Site::attn_out);
    }

    /// c_out at the block's output -> c_h at its input.
    template <class O>
    static void relevance(const Station<C, O>& at, const AttentionParams<C>& p, const RuleSet<Rules>& rules, Activation<const T> h,
                          AttentionSaved<B>& s, AttentionCoefficients<B>& c, Coefficient<T> c_out, Coefficient<T> c_h) {
        C& ctx = at.ctx;
        const auto project = [&](const params_t<Linear, C>& linear, Activation<const T> x, Activation<const T> z, Coefficient<const T> c_z,
                                 Coefficient<T> c_x, Write write = {}) {
            rules.projection.propagate(ctx, linear, {x, z}, c_z, c_x, write);
        };
        const auto rotate_back = [&](const ActivationTensor<B>& pre, const ActivationTensor<B>& post, CoefficientTensor<B>& cx, Site before,
                                     Site after) {
            at.relevance(after, post.view(), cx.view());
            Rope::vjp(ctx, p.rope, {post.view()}, cx.view(), cx.view());
            at.relevance(before, pre.view(), cx.view());
        };
        at.relevance(Site::attn_out, s.out.view(), c_out);
        project(p.o, s.head.view(), s.out.view(), c_out, c.head.view());
        at.relevance(Site::head, s.head.view(), c.head.view());
        if (!unmix_in_tiles(at, p, rules, s, c)) {
            if (!s.has_probs) form_probs(ctx, p, s, [](Site, Activation<T>) {});
            for (auto* t : {&c.scores, &c.probs}) t->resize(ctx, s.probs.rows(), s.probs.cols());
            rules.mix.propagate(ctx, p.mix(), {s.probs.view(), s.v.view(), s.head.view()}, c.head.view(), c.probs.view(), c.v.view());
            at.relevance(Site::probs, s.probs.view(), c.probs.view());
            rules.softmax.propagate(ctx, p.softmax(h.rows), {s.scores.view(), s.probs.view()}, c.probs.view(), c.scores.view());
            at.relevance(Site::scores, s.scores.view(), c.scores.view());
            rules.scores.propagate(ctx, p.scores(), {s.q.view(), s.k.view(), s.scores.view()}, c.scores.view(), c.q.view(), c.k.view());
        }
        rotate_back(s.k_pre, s.k, c.k, Site::k_pre, Site::k);
        rotate_back(s.q_pre, s.q, c.q, Site::q_pre, Site::q);
        at.relevance(Site::v, s.v.view(), c.v.view());
        project(p.v, h, s.v.view(), c.v.view(), c_h);
        project(p.k, h, s.k_pre.view(), c.k.view(), c_h, {.accumulate = true});
        project(p.q, h, s.q_pre.view(), c.q.view(), c_h, {.accumulate = true});
    }

    /// Whether attention over so many tokens is worked in tiles where nobody looks at scores and probs.
    static bool in_tiles(Index tokens, Index tiled_from) { return is_native<B>(Native::tiles) && tokens >= tiled_from; }

  private:
    /// scores and probs; `show(site, x)` is called for each as it is formed.
    template <class Show>
    static void form_probs(C& ctx, const AttentionParams<C>& p, AttentionSaved<B>& s, const Show& show) {
        const Index tokens = s.q.rows();
        for (auto* t : {&s.scores, &s.probs}) t->resize(ctx, p.shape.heads * tokens, tokens);
        MatMul::forward(ctx, p.scores(), s.q.view(), s.k.view(), s.scores.view());
        show(Site::scores, s.scores.view());
        Softmax::forward(ctx, p.softmax(tokens), s.scores.view(), s.probs.view());
        show(Site::probs, s.probs.view());
        s.has_probs = true;
    }

    /// From q, k and v to head at once.
    template <class O>
    static bool mix_in_tiles(const Station<C, O>& at, const AttentionParams<C>& p, AttentionSaved<B>& s) {
        if constexpr (is_native<B>(Native::tiles)) {
            if (!in_tiles(s.q.rows(), p.tiled_from) || at.reads_activation(Site::scores) || at.reads_activation(Site::probs)) return false;
            s.log_sum.resize(at.ctx, p.shape.heads, s.q.rows());
            TiledAttention::forward(at.ctx, p.tiled(), s.q.view(), s.k.view(), s.v.view(), s.head.view(), s.log_sum.view().data);
            return true;
        }
        return false;
    }

    /// From head to q, k and v at once, where forward did the same, nobody looks in between and the three rules are of the form that allows it.
    template <class O>
    static bool unmix_in_tiles(const Station<C, O>& at, const AttentionParams<C>& p, const RuleSet<Rules>& rules, const AttentionSaved<B>& s,
                               AttentionCoefficients<B>& c) {
        if constexpr (is_native<B>(Native::tiles) && SharingRule<typename Rules::mix> && SharingRule<typename Rules::scores>) {
            if (s.has_probs || at.reads_relevance(Site::scores) || at.reads_relevance(Site::probs)) return false;
            const std::optional<Shares> mix = rules.mix.shares(), scores = rules.scores.shares();
            if (!mix || !scores) return false;
            // Where nothing reaches q and k, it does not matter what the softmax would have done.
            const bool values_only = mix->first == 0 || (scores->first == 0 && scores->second == 0);
            if (!values_only && !PlainRule<typename Rules::softmax>) return false;
            const TiledAttention::Factors factors =
                values_only ? TiledAttention::Factors{0, 0, mix->second}
                            : TiledAttention::Factors{mix->first * scores->first, mix->first * scores->second, mix->second};
            TiledAttention::vjp(at.ctx, p.tiled(), {s.q.view(), s.k.view(), s.v.view(), s.head.view(), s.log_sum.view().data}, factors, c.head.view().as_const(),
                                c.q.view(), c.k.view(), c.v.view());
            return true;
        }
        return false;
    }
};

}  // namespace lrp
