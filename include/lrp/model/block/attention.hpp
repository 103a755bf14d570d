// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Causal self-attention with grouped queries and rotary positions: the forward pass and, box by box in reverse, its relevance.
#pragma once

#include <cmath>

#include <lrp/model/observer.hpp>
#include <lrp/model/rows.hpp>
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
    Rope::Params<T> rope;          ///< [T, D/2] each, for keys
    Rope::Params<T> rope_queries;  ///< [Q, D/2] each, for queries
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

/// One prompt's scores and their softmax.
template <Backend B>
struct AttentionMatrices {
    ActivationTensor<B> scores, probs;  ///< [H*Q, T] of the prompt
};

/// What the forward pass keeps for the backward pass; T tokens, of which Q have queries (all, but in a last layer that is asked for less).
template <Backend B>
struct AttentionSaved {
    ActivationTensor<B> q_pre, k_pre;             ///< [Q, H*D], [T, K*D] before RoPE; apart from q and k only where they are read
    ActivationTensor<B> q, k, v;                  ///< [Q, H*D], [T, K*D], [T, K*D]
    std::vector<AttentionMatrices<B>> matrices;   ///< one per prompt; formed only where they are read
    Tensor<B> softmax_rows;                       ///< [H * Q, 2] in their place, prompt after prompt
    bool has_probs = false;
    ActivationTensor<B> head;                     ///< [Q, H*D] before o_proj
    ActivationTensor<B> mixed;                    ///< [Q, H*D] the same as attention made it; only where an observer may have changed head since
    ActivationTensor<B> out;                      ///< [Q, d]; kept behind the layer's forward pass only where it is read (AttentionBlock::keeps)

    void resize(typename B::context& ctx, const AttentionShape& shape, Index tokens, Index queries) {
        for (auto* t : {&q, &head}) t->resize(ctx, queries, shape.queries());
        for (auto* t : {&k, &v}) t->resize(ctx, tokens, shape.keys());
    }
    /// Scalars of a pass that nobody watches, with scores and probs or without.
    static Index scalars(const AttentionShape& shape, Index tokens, bool probs) {
        return tokens * (2 * shape.queries() + 2 * shape.keys()) + shape.heads * tokens * (probs ? 2 * tokens : 2);
    }
};

/// Work space of the backward pass, one coefficient per activation; the same for every layer.
template <Backend B>
struct AttentionCoefficients {
    CoefficientTensor<B> q, k, v, head;
    CoefficientTensor<B> scores, probs;  ///< of one prompt, only where scores and probs are
    CoefficientTensor<B> query_input;    ///< [Q, d] only where not all rows have queries

    void resize(typename B::context& ctx, const AttentionShape& shape, Index tokens, Index queries) {
        for (auto* t : {&q, &head}) t->resize(ctx, queries, shape.queries());
        for (auto* t : {&k, &v}) t->resize(ctx, tokens, shape.keys());
    }
    static Index scalars(const AttentionShape& shape, Index tokens, bool probs) {
        return 2 * tokens * (shape.queries() + shape.keys()) + shape.heads * tokens * (probs ? 2 * tokens : 1);
    }
};

/// Room for the keys and values of one prompt's tokens, past and future, of one layer.
template <Scalar T>
struct KeyValueRows {
    Activation<T> k, v;  ///< [S, K*D] after RoPE; at least as many rows as the prompt has tokens
};

/// Attention over normalised rows h [T, d], and h_q [Q, d] for the rows with queries -> s.out [Q, d].
template <Backend B, Composite Rules>
struct AttentionBlock {
    using T = typename B::scalar;
    using C = typename B::context;

    /// Whether the backward pass reads a projection's output that no other step takes in: q_pre, k_pre or attn_out.
    static bool keeps(const Station<C>& at, const RuleSet<Rules>& rules, Site site) { return reads_output(rules.projection) || at.reads(site); }

    /// With `cache`, the keys and values of the rows before these (rows.past) are read from it, and those of these rows are written behind them in place
    /// of s.k and s.v; there is then no backward pass.
    static void forward(const Station<C>& at, const AttentionParams<C>& p, const LayerRows& rows, const RuleSet<Rules>& rules, Activation<const T> h,
                        Activation<const T> h_q, AttentionSaved<B>& s, const KeyValueRows<T>* cache = nullptr) {
        C& ctx = at.ctx;
        const auto project = [&](const params_t<Linear, C>& linear, Activation<const T> x, Activation<T> z, Site site) {
            Linear::forward(ctx, linear, x, z);
            at.activation(site, z);
        };
        const auto rotate = [&](const Rope::Params<T>& rope, Activation<const T> x, Activation<T> y, Site site) {
            Rope::forward(ctx, rope, x, y);
            at.activation(site, y);
        };
        const KeyValueRows<T> all = cache != nullptr ? rows_of(*cache, 0, rows.past + h.rows) : KeyValueRows<T>{s.k.view(), s.v.view()};
        const KeyValueRows<T> own = rows_of(all, rows.past, h.rows);
        const Activation<T> q_pre = place(at, rules, Site::q_pre, s.q_pre, s.q.view()), k_pre = place(at, rules, Site::k_pre, s.k_pre, own.k);
        project(p.q, h_q, q_pre, Site::q_pre);
        project(p.k, h, k_pre, Site::k_pre);
        project(p.v, h, own.v, Site::v);
        rotate(p.rope_queries, q_pre, s.q.view(), Site::q);
        rotate(p.rope, k_pre, own.k, Site::k);
        s.has_probs = false;
        if (!mix_in_tiles(at, p, rows, all, s)) {
            form_probs(ctx, p, rows, all, s, [&](Site site, Activation<T> x, Index prompt) { at.activation(site, x, prompt); });
            rows.each([&](const LayerRows::Prompt& prompt) {
                const Views<Activation<T>> of(s.q.view(), all.k, all.v, s.head.view(), prompt);
                MatMul::forward(ctx, p.mix(), matrices(s, prompt).probs.view(), of.v, of.head);
            });
        }
        keep_mixed(at, s, cache == nullptr);
        at.activation(Site::head, s.head.view());
        s.out.resize(ctx, s.head.rows(), p.o.weight.rows);
        project(p.o, s.head.view(), s.out.view(), Site::attn_out);
    }

    /// c_out [Q, d] at the block's output -> c_h [T, d] at its input.
    static void relevance(const Station<C>& at, const AttentionParams<C>& p, const LayerRows& rows, const RuleSet<Rules>& rules, Activation<const T> h,
                          Activation<const T> h_q, AttentionSaved<B>& s, AttentionCoefficients<B>& c, Coefficient<T> c_out, Coefficient<T> c_h) {
        C& ctx = at.ctx;
        const auto project = [&](const params_t<Linear, C>& linear, Activation<const T> x, Activation<const T> z, Coefficient<const T> c_z,
                                 Coefficient<T> c_x, Write write = {}) {
            rules.projection.propagate(ctx, linear, {x, z}, c_z, c_x, write);
        };
        const auto rotate_back = [&](const Rope::Params<T>& rope, const ActivationTensor<B>& pre, const ActivationTensor<B>& post, CoefficientTensor<B>& cx,
                                     Site before, Site after) {
            at.relevance(after, post.view(), cx.view());
            Rope::vjp(ctx, rope, {post.view()}, cx.view(), cx.view());
            at.relevance(before, pre.view(), cx.view());
        };
        complete(at, rules, Site::attn_out, p.o, s.head.view(), s.out);
        at.relevance(Site::attn_out, s.out.view(), c_out);
        project(p.o, s.head.view(), s.out.view(), c_out, c.head.view());
        at.relevance(Site::head, s.head.view(), c.head.view());
        if (!unmix_in_tiles(at, p, rows, rules, s, c)) {
            if (!s.has_probs) form_probs(ctx, p, rows, {s.k.view(), s.v.view()}, s, [](Site, Activation<T>, Index) {});
            rows.each([&](const LayerRows::Prompt& prompt) {
                const AttentionMatrices<B>& m = matrices(s, prompt);
                const Views<Activation<T>> of(s.q.view(), s.k.view(), s.v.view(), mixed(s), prompt);
                const Views<Coefficient<T>> c_of(c.q.view(), c.k.view(), c.v.view(), c.head.view(), prompt);
                for (auto* t : {&c.scores, &c.probs}) t->resize(ctx, m.probs.rows(), m.probs.cols());
                rules.mix.propagate(ctx, p.mix(), {m.probs.view(), of.v, of.head}, c_of.head, c.probs.view(), c_of.v);
                at.relevance(Site::probs, m.probs.view(), c.probs.view(), prompt.index);
                rules.softmax.propagate(ctx, p.softmax(prompt.queries.count), {m.scores.view(), m.probs.view()}, c.probs.view(), c.scores.view());
                at.relevance(Site::scores, m.scores.view(), c.scores.view(), prompt.index);
                rules.scores.propagate(ctx, p.scores(), {of.q, of.k, m.scores.view()}, c.scores.view(), c_of.q, c_of.k);
            });
        }
        complete(at, rules, Site::k_pre, p.k, h, s.k_pre);
        complete(at, rules, Site::q_pre, p.q, h_q, s.q_pre);
        rotate_back(p.rope, s.k_pre, s.k, c.k, Site::k_pre, Site::k);
        rotate_back(p.rope_queries, s.q_pre, s.q, c.q, Site::q_pre, Site::q);
        at.relevance(Site::v, s.v.view(), c.v.view());
        project(p.v, h, s.v.view(), c.v.view(), c_h);
        project(p.k, h, s.k_pre.view(), c.k.view(), c_h, {.accumulate = true});
        if (rows.some()) {
            c.query_input.resize(ctx, h_q.rows, h_q.cols);
            project(p.q, h_q, s.q_pre.view(), c.q.view(), c.query_input.view());
            B::scatter_add_rows(ctx, std::as_const(c.query_input).view(), rows.tail_ids, c_h);
        } else {
            project(p.q, h, s.q_pre.view(), c.q.view(), c_h, {.accumulate = true});
        }
    }

    /// Whether attention over so many tokens is worked in tiles where nobody looks at scores and probs.
    static bool in_tiles(const AttentionShape& shape, Index tokens, Index tiled_from) {
        return TiledAttention::available<B>(shape.head_dim) && tokens >= tiled_from;
    }

  private:
    /// Where a projection is written that RoPE turns: apart if the backward pass reads it, else where it is turned.
    static Activation<T> place(const Station<C>& at, const RuleSet<Rules>& rules, Site site, ActivationTensor<B>& own, Activation<T> turned) {
        if (!keeps(at, rules, site)) return turned;
        own.resize(at.ctx, turned.rows, turned.cols);
        return own.view();
    }
    /// A projection's output that the forward pass did not keep, where it is read now.
    static void complete(const Station<C>& at, const RuleSet<Rules>& rules, Site site, const params_t<Linear, C>& linear, Activation<const T> x,
                         ActivationTensor<B>& z) {
        if (!z.empty() || !keeps(at, rules, site)) return;
        z.resize(at.ctx, x.rows, linear.weight.rows);
        Linear::forward(at.ctx, linear, x, z.view());
    }

    /// What attention's own backward pass needs of its output, whatever an observer makes of that for o_proj: changed activations do not change rules.
    static void keep_mixed(const Station<C>& at, AttentionSaved<B>& s, bool backward_pass) {
        const bool apart = backward_pass && at.reads_activation(Site::head);
        s.mixed.resize(at.ctx, apart ? s.head.rows() : 0, s.head.cols());
        if (apart) B::copy(at.ctx, std::as_const(s.head).view(), s.mixed.view());
    }
    static Activation<T> mixed(AttentionSaved<B>& s) { return s.mixed.empty() ? s.head.view() : s.mixed.view(); }

    /// One prompt's rows of q, k, v and head.
    template <class V>
    struct Views {
        V q, k, v, head;
        Views(const V& all_q, const V& all_k, const V& all_v, const V& all_head, const LayerRows::Prompt& prompt)
            : q(all_q.rows_from(prompt.queries.first, prompt.queries.count)), k(all_k.rows_from(prompt.keys.first, prompt.keys.count)),
              v(all_v.rows_from(prompt.keys.first, prompt.keys.count)), head(all_head.rows_from(prompt.queries.first, prompt.queries.count)) {}
    };
    static KeyValueRows<T> rows_of(const KeyValueRows<T>& all, Index first, Index count) {
        return {Activation<T>(all.k.rows_from(first, count)), Activation<T>(all.v.rows_from(first, count))};
    }
    static AttentionMatrices<B>& matrices(AttentionSaved<B>& s, const LayerRows::Prompt& prompt) { return s.matrices[static_cast<std::size_t>(prompt.index)]; }

    /// scores and probs; `show(site, x, prompt)` is called for each as it is formed.
    template <class Show>
    static void form_probs(C& ctx, const AttentionParams<C>& p, const LayerRows& rows, const KeyValueRows<T>& all, AttentionSaved<B>& s, const Show& show) {
        s.matrices.resize(static_cast<std::size_t>(rows.count()));
        rows.each([&](const LayerRows::Prompt& prompt) {
            AttentionMatrices<B>& m = matrices(s, prompt);
            const Views<Activation<T>> of(s.q.view(), all.k, all.v, s.head.view(), prompt);
            for (auto* t : {&m.scores, &m.probs}) t->resize(ctx, p.shape.heads * prompt.queries.count, prompt.keys.count);
            MatMul::forward(ctx, p.scores(), of.q, of.k, m.scores.view());
            show(Site::scores, m.scores.view(), prompt.index);
            Softmax::forward(ctx, p.softmax(prompt.queries.count), m.scores.view(), m.probs.view());
            show(Site::probs, m.probs.view(), prompt.index);
        });
        s.has_probs = true;
    }

    /// From q, k and v to head at once.
    static bool mix_in_tiles(const Station<C>& at, const AttentionParams<C>& p, const LayerRows& rows, const KeyValueRows<T>& all, AttentionSaved<B>& s) {
        if constexpr (is_native<B>(Native::tiles) || is_native<B>(Native::attention)) {
            if (!in_tiles(p.shape, all.k.rows, p.tiled_from) || at.reads_activation(Site::scores) || at.reads_activation(Site::probs)) return false;
            s.softmax_rows.resize(at.ctx, p.shape.heads * s.q.rows(), 2);
            rows.each([&](const LayerRows::Prompt& prompt) {
                const Views<Activation<T>> of(s.q.view(), all.k, all.v, s.head.view(), prompt);
                TiledAttention::forward(at.ctx, p.tiled(), of.q, of.k, of.v, of.head, softmax_rows(p, s, prompt));
            });
            return true;
        }
        return false;
    }

    /// From head to q, k and v at once, where forward did the same, nobody looks in between and the three rules are of the form that allows it.
    static bool unmix_in_tiles(const Station<C>& at, const AttentionParams<C>& p, const LayerRows& rows, const RuleSet<Rules>& rules, AttentionSaved<B>& s,
                               AttentionCoefficients<B>& c) {
        if constexpr ((is_native<B>(Native::tiles) || is_native<B>(Native::attention)) && SharingRule<typename Rules::mix> && SharingRule<typename Rules::scores>) {
            if (s.has_probs || at.reads_relevance(Site::scores) || at.reads_relevance(Site::probs)) return false;
            const std::optional<Shares> mix = rules.mix.shares(), scores = rules.scores.shares();
            if (!mix || !scores) return false;
            // Where nothing reaches q and k, it does not matter what the softmax would have done.
            const bool values_only = mix->first == 0 || (scores->first == 0 && scores->second == 0);
            if (!values_only && !PlainRule<typename Rules::softmax>) return false;
            const TiledAttention::Factors factors =
                values_only ? TiledAttention::Factors{0, 0, mix->second}
                            : TiledAttention::Factors{mix->first * scores->first, mix->first * scores->second, mix->second};
            rows.each([&](const LayerRows::Prompt& prompt) {
                const Views<Activation<T>> of(s.q.view(), s.k.view(), s.v.view(), mixed(s), prompt);
                const Views<Coefficient<T>> c_of(c.q.view(), c.k.view(), c.v.view(), c.head.view(), prompt);
                TiledAttention::vjp(at.ctx, p.tiled(), {of.q, of.k, of.v, of.head, softmax_rows(p, s, prompt)}, factors, c_of.head.as_const(), c_of.q, c_of.k, c_of.v);
            });
            return true;
        }
        return false;
    }
    static T* softmax_rows(const AttentionParams<C>& p, AttentionSaved<B>& s, const LayerRows::Prompt& prompt) {
        return s.softmax_rows.view().row(p.shape.heads * prompt.queries.first);
    }
};

}  // namespace lrp
