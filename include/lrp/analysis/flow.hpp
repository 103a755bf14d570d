// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Token to token between two cuts of the residual stream: where the relevance of each position above comes from below.
#pragma once

#include <map>

#include <lrp/analysis/attribute.hpp>
#include <lrp/analysis/token_pairs.hpp>
#include <lrp/model/llama/model.hpp>

namespace lrp {

/// An explained logit and its flows.
struct FlowReport {
    Trace trace;
    std::vector<RelevanceFlow> flows;  ///< one for each pair of cuts that was asked for
};

namespace detail {

/// Keeps the coefficients at the cuts that flows begin at.
template <Backend B>
struct CutCoefficients {
    using C = typename B::context;
    using T = typename B::scalar;
    std::map<Index, CoefficientTensor<B>> at{};  ///< cut: [T, d]

    [[nodiscard]] bool reads(Site site) const { return site == Site::resid_post; }
    void relevance(C& ctx, SiteRef site, Activation<const T>, Coefficient<T> c) {
        if (site.site != Site::resid_post) return;
        const auto wanted = at.find(site.layer + 1);
        if (wanted == at.end()) return;
        wanted->second.resize(ctx, c.rows, c.cols);
        B::copy(ctx, View<const T>(c), wanted->second.view());
    }
};

/// Several positions above, each with the positions that it can see: prompts packed into one pass through the layers between the cuts. Of the topmost layer's
/// rows each needs its last alone.
template <class Model>
class FlowBatch {
  public:
    using B = typename Model::backend;
    using C = typename B::context;
    using T = typename B::scalar;

    FlowBatch(C& ctx, const Model& model, const LlamaPass<B>& pass, std::span<const Index> positions) : ctx_(ctx), model_(model), pass_(pass) {
        std::vector<RowSpan> from_zero, last;
        for (const Index j : positions) {
            const auto first = static_cast<Index>(rows_.size());
            prompts_.push_back({first, j + 1});
            tails_.push_back({first + j, 1});
            tail_ids_.push_back(static_cast<std::int32_t>(first + j));
            tops_.push_back(static_cast<std::int32_t>(j));
            from_zero.push_back({0, j + 1});
            last.push_back({j, 1});
            for (Index i = 0; i <= j; ++i) rows_.push_back(static_cast<std::int32_t>(i));
        }
        rope_ = RopeTables<B>(ctx, model.config(), from_zero);
        rope_tails_ = RopeTables<B>(ctx, model.config(), last);
    }

    /// Relevance at cut `from` of all rows, position above by position above. `c_to`: the coefficient at cut `to` [T, d].
    [[nodiscard]] std::vector<T> run(const FlowCuts& cuts, const CoefficientTensor<B>& c_to) {
        const auto& config = model_.config();
        const Index count = std::ssize(rows_), width = config.hidden_size;
        CoefficientTensor<B> top(ctx_, std::ssize(tops_), width), stream(ctx_, count, width);
        B::gather_rows(ctx_, View<const T>(c_to.view()), tops_, top.view());
        ActivationTensor<B> x(ctx_, count, width), y(ctx_, std::ssize(tops_), width);
        gather(cuts.to, tops_, y);
        LlamaLayerSaved<B> saved;
        LlamaLayerCoefficients<B> work;
        Station<C> at{ctx_};
        for (at.layer = cuts.to - 1; at.layer >= cuts.from; --at.layer) {
            const bool topmost = at.layer == cuts.to - 1;
            const LayerRows here = topmost ? LayerRows{prompts_, tails_, tail_ids_} : LayerRows{prompts_, {}, {}};
            const auto block = model_.layer(static_cast<std::size_t>(at.layer), rope_.params(), topmost ? rope_tails_.params() : Rope::Params<T>{});
            gather(at.layer, rows_, x);
            saved.resize(ctx_, config, count, here.queries(count));
            work.resize(ctx_, config, count, here.queries(count));
            at.recomputed = true;  // what the layer saves, and no output
            block.forward(at, here, x.view(), saved, y.view());
            at.recomputed = false;
            block.relevance(at, here, x.view(), saved, y.view(), work, topmost ? top.view() : stream.view(), stream.view());
            std::swap(x, y);
            x.resize(ctx_, count, width);
        }
        return relevance_sum(ctx_, y.view(), stream.view().as_const());
    }

  private:
    void gather(Index cut, std::span<const std::int32_t> rows, ActivationTensor<B>& into) {
        B::gather_rows(ctx_, View<const T>(pass_.residual[static_cast<std::size_t>(cut)].view()), rows, into.view());
    }

    C& ctx_;
    const Model& model_;
    const LlamaPass<B>& pass_;
    std::vector<RowSpan> prompts_, tails_;
    std::vector<std::int32_t> rows_, tail_ids_, tops_;  // positions of all rows; the last row of each; its position
    RopeTables<B> rope_, rope_tails_;
};

}  // namespace detail

/// Explains one logit as `attribute` does and follows its relevance between pairs of cuts, token by token. All positions above are worked in passes of up to
/// `tokens` rows together, each of which goes through the layers between the cuts alone: T (T + 1) / 2 rows forward and backward for T tokens. Errors: those of
/// `attribute`; UsageError for cuts that are none.
template <class Model>
[[nodiscard]] FlowReport relevance_flow(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids, std::span<const FlowCuts> pairs,
                                        AttributeOptions options = {}, std::size_t tokens = 1024) {
    using B = typename Model::backend;
    using T = typename B::scalar;
    const Index layers = model.config().layers;
    detail::CutCoefficients<B> coefficients;
    for (const FlowCuts& cuts : pairs) {
        if (cuts.from < 0 || cuts.to > layers || cuts.from >= cuts.to)
            fail<UsageError>("flow: expected two cuts from 0 (the embedding) to ", layers, " (the last layer's output), the lower one first, found ", cuts.from, " and ", cuts.to);
        coefficients.at[cuts.to];
    }
    options.sites.embedding = options.sites.residual = true;
    auto question = ask(ctx, model, ids, options, NullObserver{}, PassOptions::Rows::all);
    FlowReport report{std::move(question.trace), {}};
    Trace& trace = report.trace;
    {
        TraceObserver<B> reader(ctx, {&trace, 1}, question.pass.prompts, options.sites);
        ObserverChain observers(reader, coefficients);
        model.relevance(ctx, question.pass, question.seeds, observers);
        reader.finish(ctx);
    }
    const std::size_t count = trace.tokens_count;
    const auto of_cut = [&](Index cut) {
        const std::vector<float>& all = cut == 0 ? trace.embedding : trace.residual;
        const auto first = all.begin() + static_cast<std::ptrdiff_t>(cut == 0 ? 0 : static_cast<std::size_t>(cut - 1) * count);
        return std::vector<float>(first, first + static_cast<std::ptrdiff_t>(count));
    };
    for (const FlowCuts& cuts : pairs) {
        RelevanceFlow result{cuts, count, std::vector<float>(count * count), of_cut(cuts.to), of_cut(cuts.from)};
        // Behind the last layer nothing but the explained position carries relevance.
        const Index end = static_cast<Index>(trace.position) + 1;
        for (Index next = cuts.to == layers ? end - 1 : 0; next < end;) {
            std::vector<Index> batch;
            for (std::size_t rows = 0; next < end && (batch.empty() || rows + static_cast<std::size_t>(next) + 1 <= tokens); ++next) {
                batch.push_back(next);
                rows += static_cast<std::size_t>(next) + 1;
            }
            const std::vector<T> values = detail::FlowBatch<Model>(ctx, model, question.pass, batch).run(cuts, coefficients.at.at(cuts.to));
            auto value = values.begin();
            for (const Index j : batch)
                for (Index i = 0; i <= j; ++i, ++value) {
                    require_finite(*value, cuts.from == 0 ? SiteRef{Site::embedding} : SiteRef{Site::resid_post, cuts.from - 1});
                    result.flow[static_cast<std::size_t>(i) * count + static_cast<std::size_t>(j)] = static_cast<float>(*value);
                }
        }
        report.flows.push_back(std::move(result));
    }
    return report;
}

}  // namespace lrp
