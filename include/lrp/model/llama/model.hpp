// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The whole model: embedding, layers, final norm and output matrix, forward and relevance.
#pragma once

#include <algorithm>
#include <limits>
#include <memory>

#include <lrp/model/llama/layer.hpp>
#include <lrp/model/rows.hpp>
#include <lrp/model/seed.hpp>
#include <lrp/op/embedding.hpp>

namespace lrp {

/// A forward pass and what it kept; the input of the backward pass. T tokens, P positions with logits.
template <Backend B>
struct LlamaPass {
    static constexpr std::size_t no_layer = std::numeric_limits<std::size_t>::max();

    std::vector<std::int32_t> ids;                ///< [T]
    std::vector<RowSpan> prompts;                 ///< whose rows are which
    std::vector<std::int32_t> positions;          ///< [P] ascending, among the T rows
    std::vector<RowSpan> tails;                   ///< the rows that the last layer's output holds, of each prompt; empty: all
    std::vector<std::int32_t> tail_ids;           ///< [Q] the same, row by row
    RopeTables<B> rope, rope_tails;
    std::vector<ActivationTensor<B>> residual;    ///< L + 1 of [T, d]: the embedding, then each layer's output; the last [Q, d] where tails are kept
    std::vector<LlamaLayerSaved<B>> layers;       ///< one that the recomputed layers share, if there are any, and one for each of the others
    std::size_t recomputed = 0;                   ///< so many layers, from the first on, are computed again in the backward pass
    std::size_t held = no_layer;                  ///< of these, the one whose values are there now
    ActivationTensor<B> final_input, final_norm;  ///< [P, d] the last stream's rows, and normalised
    Tensor<B> final_inverse_rms;                  ///< [1, P]
    ActivationTensor<B> logits;                   ///< [P, V]

    /// What is kept of a layer.
    [[nodiscard]] LlamaLayerSaved<B>& saved(std::size_t layer) { return layers[place(layer)]; }
    [[nodiscard]] const LlamaLayerSaved<B>& saved(std::size_t layer) const { return layers[place(layer)]; }
    [[nodiscard]] std::size_t place(std::size_t layer) const { return recomputed == 0 ? layer : layer < recomputed ? 0 : layer - recomputed + 1; }

    /// The rows of a layer: all, but in the last one where tails are kept.
    [[nodiscard]] LayerRows rows(std::size_t layer) const {
        if (layer + 2 != residual.size() || tails.empty()) return {prompts, {}, {}};
        return {prompts, tails, tail_ids};
    }
    /// Where the last layer's output holds the explained positions.
    [[nodiscard]] std::vector<std::int32_t> last_rows() const {
        if (tails.empty()) return positions;
        std::vector<std::int32_t> result;
        for (const std::int32_t position : positions)
            result.push_back(static_cast<std::int32_t>(std::lower_bound(tail_ids.begin(), tail_ids.end(), position) - tail_ids.begin()));
        return result;
    }
};

template <Backend B, Composite Rules>
class LlamaModel {
  public:
    using backend = B;
    using rules_type = Rules;
    using T = typename B::scalar;
    using C = typename B::context;
    using Weights = LlamaWeights<B>;

    /// Weights may be shared with models of other rules.
    LlamaModel(LlamaConfig config, std::shared_ptr<const Weights> weights) : config_(config), weights_(std::move(weights)) {
        config_.validate();
    }
    /// Other weights are refused with a sentence.
    template <class Other>
        requires(!std::convertible_to<std::shared_ptr<Other>, std::shared_ptr<const Weights>>)
    LlamaModel(const LlamaConfig&, std::shared_ptr<Other>) {
        static_assert(std::same_as<Other, const Weights>, "LlamaModel: the weights belong to another backend or are stored in another type than the model's");
    }

    /// Prompts of so many tokens or more are worked without T x T matrices, on backends that can (Native::tiles) and where nobody reads them.
    void set_tiled_from(Index tokens) { tiled_from_ = tokens; }

    [[nodiscard]] const LlamaConfig& config() const { return config_; }
    [[nodiscard]] const Weights& weights() const { return *weights_; }
    /// The rules' values (epsilon, gamma), to read or to set.
    [[nodiscard]] RuleSet<Rules>& rules() { return rules_; }
    [[nodiscard]] const RuleSet<Rules>& rules() const { return rules_; }

    /// Bytes that a pass over T tokens keeps and works in, weights apart, where so many layers are recomputed; with T x T matrices and inputs of projections, or
    /// without.
    [[nodiscard]] static std::uint64_t pass_bytes(const LlamaConfig& config, Index tokens, Index recomputed, bool probs = true, bool inputs = true) {
        const Index slots = recomputed == 0 ? config.layers : config.layers - recomputed + 1;
        const Index kept = (slots - 1) * LlamaLayerSaved<B>::scalars(config, tokens, probs, inputs) + LlamaLayerSaved<B>::scalars(config, tokens, probs, true);
        const Index stream = (config.layers + 3) * tokens * config.hidden_size;
        const Index rows = config.vocab_size + 4 * config.hidden_size + tokens * config.attention.head_dim;
        return static_cast<std::uint64_t>(kept + stream + rows + LlamaLayerCoefficients<B>::scalars(config, tokens, probs)) * sizeof(T);
    }
    /// The same of this model, in a pass that nobody watches.
    [[nodiscard]] std::uint64_t bytes_of_pass(Index tokens, Index recomputed) const {
        const bool inputs = reads_input(rules_.projection) || reads_output(rules_.gating) || reads_output(rules_.norm);
        return pass_bytes(config_, tokens, recomputed, !AttentionBlock<B, Rules>::in_tiles(config_.attention, tokens, tiled_from_), inputs);
    }

    /// Runs the model over `ids` and forms logits at `positions` (ascending, each below ids.size()).
    [[nodiscard]] LlamaPass<B> forward(C& ctx, std::span<const std::int32_t> ids, std::span<const std::int32_t> positions,
                                       const PassOptions& options, Watch<C> observer = {}) const {
        require(!ids.empty(), "forward: no token was given");
        return forward(ctx, PackedPrompts(ids), positions, options, observer);
    }

    /// The same over several prompts at once; `positions` count through the rows of all of them. Each prompt's results are those of a pass of its
    /// own, up to rounding; on the reference and the Eigen backend to the last bit, but for prompts so short that another kernel would have formed their products.
    [[nodiscard]] LlamaPass<B> forward(C& ctx, const PackedPrompts& packed, std::span<const std::int32_t> positions, const PassOptions& options,
                                       Watch<C> observer = {}) const {
        check_input(packed.ids, positions);
        weights_->embedding.require_context(ctx);
        const auto tokens = static_cast<Index>(packed.ids.size());
        const auto rows = static_cast<Index>(positions.size());
        LlamaPass<B> pass;
        pass.ids = packed.ids;
        pass.prompts = packed.prompts;
        pass.positions.assign(positions.begin(), positions.end());
        if (options.rows == PassOptions::Rows::explained) keep_tails(pass);
        pass.recomputed = static_cast<std::size_t>(options.recompute.decide(
            config_.layers, [&](Index count) { return bytes_of_pass(tokens, count); }, [&] { return pass_room(ctx); }));
        pass.rope = rope_tables(ctx, pass, pass.prompts);
        if (!pass.tails.empty()) pass.rope_tails = rope_tables(ctx, pass, pass.tails);
        const Index queries = pass.tails.empty() ? tokens : static_cast<Index>(pass.tail_ids.size());
        for (Index i = 0; i <= config_.layers; ++i) pass.residual.emplace_back(ctx, i == config_.layers ? queries : tokens, config_.hidden_size);
        pass.layers.resize(pass.place(static_cast<std::size_t>(config_.layers) - 1) + 1);

        Station<C> at{ctx, observer};
        if (!pass.tails.empty()) require_all_rows_unread(at);
        Embedding::forward(ctx, {weights_->embedding.view(), pass.ids}, pass.residual[0].view());
        at.activation(Site::embedding, pass.residual[0].view());
        for (at.layer = 0; at.layer < config_.layers; ++at.layer) {
            const auto index = static_cast<std::size_t>(at.layer);
            const LayerRows here = pass.rows(index);
            at.tails = here.tails;
            pass.saved(index).resize(ctx, config_, tokens, here.queries(tokens));
            layer(pass, index).forward(at, here, pass.residual[index].view(), pass.saved(index), pass.residual[index + 1].view());
            if (index < pass.recomputed) pass.held = index;
        }
        at.layer = 0;
        at.tails = {};
        pass.final_input.resize(ctx, rows, config_.hidden_size);
        B::gather_rows(ctx, last(pass), pass.last_rows(), pass.final_input.view());
        form_logits(at, pass.final_input.view(), pass.final_norm, pass.final_inverse_rms, pass.logits);
        return pass;
    }

    /// The end of a forward pass: the stream's rows [P, d], normalised, and their logits [P, V].
    void form_logits(const Station<C>& at, Activation<const T> input, ActivationTensor<B>& norm, Tensor<B>& inverse_rms, ActivationTensor<B>& logits) const {
        norm.resize(at.ctx, input.rows, config_.hidden_size);
        inverse_rms.resize(at.ctx, 1, input.rows);
        logits.resize(at.ctx, input.rows, config_.vocab_size);
        RMSNorm::forward(at.ctx, final_norm(), input, norm.view(), inverse_rms.view().data);
        at.activation(Site::final_norm, norm.view());
        Linear::forward(at.ctx, {weights_->output()}, norm.view(), logits.view());
        at.activation(Site::logits, logits.view());
    }

    /// One layer, with RoPE's tables for the rows that it is to work on and, if these are not all, for those with queries.
    [[nodiscard]] LlamaLayer<B, Rules> layer(std::size_t index, const Rope::Params<T>& rope, const Rope::Params<T>& rope_queries = {}) const {
        return {config_, weights_->layers[index], rope, rules_, tiled_from_, rope_queries};
    }

    /// Another context is refused with a sentence.
    template <Context Other, class... Rest>
        requires(!std::same_as<Other, C>)
    void forward(Other&, Rest&&...) const {
        static_assert(std::same_as<Other, C>, "LlamaModel: the context belongs to another backend than the model");
    }

    /// Propagates the seeds back to the embedding; results are read by the observer. Returns the coefficient [T, d] at the embedding.
    /// Where layers are recomputed, an observer that changed activations in the forward pass must watch here too.
    /// At Site::logits the observer sees the seeded tokens only, as [P, tokens].
    CoefficientTensor<B> relevance(C& ctx, LlamaPass<B>& pass, std::span<const Seed> seeds, Watch<C> observer = {}) const {
        const auto tokens = static_cast<Index>(pass.ids.size());
        weights_->embedding.require_context(ctx);
        pass.residual[0].require_context(ctx);
        CoefficientTensor<B> stream(ctx, tokens, config_.hidden_size), tail;
        LlamaLayerCoefficients<B> work;
        work.resize(ctx, config_, tokens);

        Station<C> at{ctx, observer};
        if (!pass.tails.empty()) {
            require_all_rows_unread(at);
            tail.resize(ctx, static_cast<Index>(pass.tail_ids.size()), config_.hidden_size);
        }
        relevance_of_output(at, pass, seeds, pass.tails.empty() ? stream.view() : tail.view());
        for (at.layer = config_.layers - 1; at.layer >= 0; --at.layer) {
            const auto index = static_cast<std::size_t>(at.layer);
            const auto block = layer(pass, index);
            const LayerRows here = pass.rows(index);
            at.tails = here.tails;
            work.resize(ctx, config_, tokens, here.queries(tokens));
            if (index < pass.recomputed && pass.held != index) {
                at.recomputed = true;
                pass.held = LlamaPass<B>::no_layer;  // should the forward pass not come to its end
                pass.saved(index).resize(ctx, config_, tokens, here.queries(tokens));
                block.forward(at, here, pass.residual[index].view(), pass.saved(index), pass.residual[index + 1].view());
                at.recomputed = false;
                pass.held = index;
            }
            block.relevance(at, here, pass.residual[index].view(), pass.saved(index), pass.residual[index + 1].view(), work,
                            here.some() ? tail.view() : stream.view(), stream.view());
        }
        at.layer = 0;
        at.relevance(Site::embedding, pass.residual[0].view(), stream.view());
        return stream;
    }

  private:
    [[nodiscard]] RMSNorm::Params<T> final_norm() const { return {weights_->final_norm.view().data, config_.rms_norm_eps}; }
    static View<const T> last(const LlamaPass<B>& pass) { return pass.residual.back().view(); }
    [[nodiscard]] LlamaLayer<B, Rules> layer(const LlamaPass<B>& pass, std::size_t index) const {
        return layer(index, pass.rope.params(), pass.rows(index).some() ? pass.rope_tails.params() : Rope::Params<T>{});
    }

    /// Of each prompt, the rows from its first explained position on; of one without such a position, its last row.
    static void keep_tails(LlamaPass<B>& pass) {
        auto position = pass.positions.begin();
        for (const RowSpan& prompt : pass.prompts) {
            const Index end = prompt.first + prompt.count;
            const Index first = position != pass.positions.end() && *position < end ? *position : end - 1;
            while (position != pass.positions.end() && *position < end) ++position;
            pass.tails.push_back({first, end - first});
            for (Index row = first; row < end; ++row) pass.tail_ids.push_back(static_cast<std::int32_t>(row));
        }
        if (pass.tail_ids.size() == pass.ids.size()) {
            pass.tails.clear();
            pass.tail_ids.clear();
        }
    }
    /// Tables for runs of rows, each of which lies in one prompt.
    [[nodiscard]] RopeTables<B> rope_tables(C& ctx, const LlamaPass<B>& pass, const std::vector<RowSpan>& runs) const {
        std::vector<RowSpan> positions;
        for (std::size_t i = 0; i < runs.size(); ++i) positions.push_back({runs[i].first - pass.prompts[i].first, runs[i].count});
        return RopeTables<B>(ctx, config_, positions);
    }
    /// Error if an observer looks where a pass keeps some rows only, and does not say that these are enough.
    static void require_all_rows_unread(const Station<C>& at) {
        if (at.observer.takes_rows()) return;
        for (const SiteName& entry : site_names)
            require(!on_query_side(entry.site) || !at.reads(entry.site), "pass: an observer looks at ", entry.name,
                    " and wants all rows, but the pass keeps the explained rows of the last layer only (PassOptions::Rows)");
    }

    /// Seeds -> coefficient [T, d] at the last layer's output. Rules of Linear treat every output by itself, so only the rows of the
    /// output matrix that belong to seeded tokens take part: a gather, never a product with the vocabulary.
    void relevance_of_output(const Station<C>& at, const LlamaPass<B>& pass, std::span<const Seed> seeds, Coefficient<T> c) const {
        C& ctx = at.ctx;
        require(!seeds.empty(), "relevance: no seed was given");
        std::vector<std::int32_t> tokens;
        for (const Seed& seed : seeds) {
            require(seed.token >= 0 && seed.token < config_.vocab_size, "relevance: target token ", seed.token,
                    " is outside the vocabulary of ", config_.vocab_size);
            if (std::find(tokens.begin(), tokens.end(), seed.token) == tokens.end()) tokens.push_back(seed.token);
        }
        const auto rows = static_cast<Index>(pass.positions.size());
        const auto width = static_cast<Index>(tokens.size());
        std::vector<T> host(static_cast<std::size_t>(rows * width));
        for (const Seed& seed : seeds) {
            const auto at_row = std::find_if(pass.positions.begin(), pass.positions.end(), [&](std::int32_t position) { return position == seed.position; });
            require(at_row != pass.positions.end(), "relevance: the pass has no logits at position ", seed.position);
            const auto column = std::find(tokens.begin(), tokens.end(), seed.token) - tokens.begin();
            host[static_cast<std::size_t>((at_row - pass.positions.begin()) * width + column)] += static_cast<T>(seed.weight);
        }
        WeightTensor<B> head(ctx, width, config_.hidden_size);
        B::gather_rows(ctx, weights_->output(), tokens, head.view());
        ActivationTensor<B> logits(ctx, rows, width);
        const params_t<Linear, C> linear{std::as_const(head).view()};
        Linear::forward(ctx, linear, pass.final_norm.view(), logits.view());
        CoefficientTensor<B> c_logits(ctx, rows, width), c_norm(ctx, rows, config_.hidden_size), c_input(ctx, rows, config_.hidden_size);
        c_logits.upload(ctx, host);
        at.relevance(Site::logits, std::as_const(logits).view(), c_logits.view());
        rules_.projection.propagate(ctx, linear, {pass.final_norm.view(), logits.view()}, c_logits.view(), c_norm.view());
        at.relevance(Site::final_norm, pass.final_norm.view(), c_norm.view());
        rules_.norm.propagate(ctx, final_norm(), {pass.final_input.view(), pass.final_inverse_rms.view().data, pass.final_norm.view()},
                              c_norm.view(), c_input.view());
        B::fill(ctx, c, T(0));
        B::scatter_add_rows(ctx, std::as_const(c_input).view(), pass.last_rows(), c);
    }

    void check_input(std::span<const std::int32_t> ids, std::span<const std::int32_t> positions) const {
        require(!ids.empty(), "forward: no token was given");
        for (std::size_t i = 0; i < ids.size(); ++i)
            require(ids[i] >= 0 && ids[i] < config_.vocab_size, "forward: token id ", ids[i], " at position ", i, " is outside the vocabulary of ",
                    config_.vocab_size);
        require(!positions.empty(), "forward: no position was given");
        for (std::size_t i = 0; i < positions.size(); ++i) {
            require(positions[i] >= 0 && positions[i] < static_cast<std::int32_t>(ids.size()), "forward: position ", positions[i],
                    " is outside the ", ids.size(), " tokens");
            require(i == 0 || positions[i - 1] < positions[i], "forward: positions must ascend");
        }
    }

    LlamaConfig config_;
    std::shared_ptr<const Weights> weights_;
    RuleSet<Rules> rules_{};
    Index tiled_from_ = default_tiled_from<B>;
};

}  // namespace lrp
