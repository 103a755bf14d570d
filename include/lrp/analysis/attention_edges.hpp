// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Token to token through attention: which key position each head's relevance at a query position came by.
#pragma once

#include <lrp/analysis/attribute.hpp>
#include <lrp/analysis/token_pairs.hpp>
#include <lrp/op/matmul.hpp>
#include <lrp/op/softmax.hpp>

namespace lrp {

/// Fills the edges of a backward pass over one prompt: an observer that forms A again from q and k, one layer and one group of heads at a time, so that the pass
/// may work attention in tiles. What another observer wrote into scores or probs in the forward pass is not seen. Needs (group) x T x T numbers with the backend.
template <Backend B>
class EdgeObserver {
  public:
    using C = typename B::context;
    using T = typename B::scalar;
    static constexpr bool takes_rows = true;

    template <class Config>
    EdgeObserver(const Config& config, AttentionEdges& edges, std::size_t tokens, bool per_head)
        : edges_(edges), heads_(config.attention.heads), group_(config.attention.heads / config.attention.kv_heads), width_(config.attention.head_dim) {
        edges_ = {static_cast<std::size_t>(config.layers), static_cast<std::size_t>(heads_), tokens, {}, {}};
        edges_.summed.resize(edges_.layers * tokens * tokens);
        if (per_head) edges_.head.resize(edges_.layers * edges_.heads * tokens * tokens);
    }

    [[nodiscard]] bool reads(Site site) const { return site == Site::head || site == Site::q || site == Site::k || site == Site::v; }
    /// In a layer's backward pass the head comes first, the value last.
    void relevance(C& ctx, SiteRef site, Activation<const T> x, Coefficient<T> c) {
        if (site.site == Site::head) {
            c_head_.resize(ctx, c.rows, c.cols);
            B::copy(ctx, View<const T>(c), c_head_.view());
        }
        if (site.site == Site::q) {
            q_ = x;
            queries_ = site.rows.empty() ? RowSpan{0, x.rows} : site.rows.front();
        }
        if (site.site == Site::k) k_ = x;
        if (site.site == Site::v) read_layer(ctx, static_cast<std::size_t>(site.layer), x);
    }

  private:
    void read_layer(C& ctx, std::size_t layer, Activation<const T> v) {
        const Index rows = group_ * queries_.count, keys = v.rows;
        const MatMul::Params<T> scores{.count = group_, .group = group_, .transpose_b = true, .scale = 1 / std::sqrt(static_cast<double>(width_)), .z_layout = HeadLayout::rows};
        const MatMul::Params<T> mix{.count = group_, .group = group_, .a_layout = HeadLayout::rows};
        scores_.resize(ctx, rows, keys);
        probs_.resize(ctx, rows, keys);
        c_probs_.resize(ctx, rows, keys);
        edge_.resize(ctx, rows, keys);
        for (Index g = 0; g < heads_ / group_; ++g) {
            const auto of_heads = [&](const auto& all) { return all.columns(g * group_ * width_, group_ * width_); };
            const auto of_keys = [&](const auto& all) { return all.columns(g * width_, width_); };
            const Activation<const T> values(of_keys(v));
            MatMul::forward(ctx, scores, Activation<const T>(of_heads(q_)), Activation<const T>(of_keys(k_)), scores_.view());
            Softmax::forward(ctx, {.queries = queries_.count}, scores_.view(), probs_.view());
            MatMul::vjp_first(ctx, mix, {probs_.view(), values, {}}, Coefficient<const T>(of_heads(std::as_const(c_head_).view())), c_probs_.view());
            to_relevance(ctx, probs_.view(), c_probs_.view().as_const(), Relevance<T>(edge_.view()));
            put(layer, static_cast<std::size_t>(g * group_), edge_.download(ctx), static_cast<std::size_t>(keys));
        }
    }
    /// One group's [group * Q, S] to its place; heads are added in their order, in double.
    void put(std::size_t layer, std::size_t first_head, const std::vector<T>& values, std::size_t keys) {
        const auto queries = static_cast<std::size_t>(queries_.count), first = static_cast<std::size_t>(queries_.first), tokens = edges_.tokens;
        if (first_head == 0) total_.assign(queries * keys, 0.0);
        for (std::size_t i = 0; i < values.size(); ++i) {
            require_finite(values[i], {Site::head, static_cast<Index>(layer)});
            total_[i % (queries * keys)] += static_cast<double>(values[i]);
            const std::size_t head = first_head + i / (queries * keys), query = first + i / keys % queries;
            if (!edges_.head.empty()) edges_.head[((layer * edges_.heads + head) * tokens + query) * tokens + i % keys] = static_cast<float>(values[i]);
        }
        if (first_head + static_cast<std::size_t>(group_) < edges_.heads) return;
        for (std::size_t i = 0; i < total_.size(); ++i) edges_.summed[(layer * tokens + first + i / keys) * tokens + i % keys] = static_cast<float>(total_[i]);
    }

    AttentionEdges& edges_;
    Index heads_, group_, width_;
    RowSpan queries_;  // the rows of q
    Activation<const T> q_, k_;
    CoefficientTensor<B> c_head_;           // [Q, H*D]
    ActivationTensor<B> scores_, probs_;    // [group * Q, S]
    CoefficientTensor<B> c_probs_;          // the same
    Tensor<B> edge_;                        // the same
    std::vector<double> total_;             // [Q, S] over the heads so far
};

/// An explained logit, edge by edge.
struct EdgeReport {
    Trace trace;  ///< with head [L, T, H], which the edges add up to
    AttentionEdges edges;
};

/// Explains one logit as `attribute` does, and reads the relevance of attention's edges; of each head too with `per_head`. Errors: those of `attribute`.
template <class Model>
[[nodiscard]] EdgeReport attention_edges(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids, AttributeOptions options = {}, bool per_head = true) {
    options.sites.head = true;
    EdgeReport report;
    EdgeObserver<typename Model::backend> reader(model.config(), report.edges, ids.size(), per_head);
    report.trace = attribute(ctx, model, ids, options, reader);
    return report;
}

}  // namespace lrp
