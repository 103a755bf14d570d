// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The front door: token ids in, the relevance trace of one logit out.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <numeric>

#include <lrp/analysis/relevance_sum.hpp>
#include <lrp/analysis/trace.hpp>
#include <lrp/model/observer.hpp>
#include <lrp/model/rows.hpp>
#include <lrp/model/seed.hpp>

namespace lrp {

/// Which arrays of a Trace are filled.
struct TraceSites {
    bool embedding = true;
    bool residual = true;
    bool head = false;
    bool neuron = false;
};

/// What is explained and how.
struct AttributeOptions {
    std::optional<std::int32_t> target{};    ///< token id; the most likely token if not given
    std::optional<std::int32_t> contrast{};  ///< explain logit(target) - logit(contrast)
    std::optional<std::size_t> position{};   ///< the position whose next token is explained; the last if not given
    bool seed_with_logit = false;          ///< seed the coefficient with the explained value instead of 1, as LXT's latent attribution page does
    std::size_t top = 5;                   ///< predictions listed
    TraceSites sites{};
    Recompute recompute{};
};

/// Seconds of wall-clock time.
struct PassTimes {
    double forward = 0;
    double relevance = 0;
};

/// Fills the arrays of the traces of a pass, one per prompt: an observer that keeps what it reads where the backend computes, layer by layer, until
/// `finish` brings all of it to the host at once. Positions after the explained one keep their zeros.
template <Backend B>
class TraceObserver {
  public:
    using C = typename B::context;
    using T = typename B::scalar;
    static constexpr bool takes_rows = true;

    /// `prompts`: the rows of the pass that belong to each trace.
    TraceObserver(C& ctx, std::span<Trace> traces, std::span<const RowSpan> prompts, const TraceSites& sites)
        : traces_(traces), prompts_(prompts), rows_(prompts.back().first + prompts.back().count), heads_(static_cast<Index>(traces.front().heads)) {
        const auto layers = static_cast<Index>(traces.front().layers);
        if (sites.embedding) embedding_.resize(ctx, 1, rows_);
        if (sites.residual) residual_.resize(ctx, layers, rows_);
        if (sites.head) head_.resize(ctx, layers, rows_ * heads_);
        if (sites.neuron) neuron_.resize(ctx, layers * rows_, static_cast<Index>(traces.front().neurons));
        // The last layer may hold some rows only: at the others nothing is explained.
        for (auto* t : {&residual_, &head_})
            if (!t->empty()) B::fill(ctx, t->view().rows_from(layers - 1, 1), T(0));
        if (sites.neuron) B::fill(ctx, neuron_.view().rows_from((layers - 1) * rows_, rows_), T(0));
    }

    [[nodiscard]] bool reads(Site site) const {
        return (site == Site::embedding && !embedding_.empty()) || (site == Site::resid_post && !residual_.empty()) || (site == Site::head && !head_.empty()) ||
               (site == Site::neuron && !neuron_.empty());
    }
    void relevance(C& ctx, SiteRef site, Activation<const T> x, Coefficient<T> c) {
        if (site.rows.empty()) return read(ctx, site, x, c, 0);
        Index at = 0;
        for (const RowSpan& run : site.rows) {
            read(ctx, site, Activation<const T>(x.rows_from(at, run.count)), Coefficient<T>(c.rows_from(at, run.count)), run.first);
            at += run.count;
        }
    }

    /// Error that names the first site, in the order of the backward pass, with a value that is not finite.
    void finish(C& ctx) {
        const auto residual = fetch(ctx, residual_), neuron = fetch(ctx, neuron_), head = fetch(ctx, head_), embedding = fetch(ctx, embedding_);
        for (std::size_t i = 0; i < traces_.size(); ++i) {
            Trace& trace = traces_[i];
            for (std::size_t layer = trace.layers; layer-- > 0;) {
                put(i, trace.residual, residual, Site::resid_post, layer, trace.layers, 1);
                put(i, trace.neuron, neuron, Site::neuron, layer, trace.layers, trace.neurons);
                put(i, trace.head, head, Site::head, layer, trace.layers, trace.heads);
            }
            put(i, trace.embedding, embedding, Site::embedding, 0, 1, 1);
        }
    }

  private:
    static std::vector<T> fetch(C& ctx, const Tensor<B>& values) { return values.empty() ? std::vector<T>() : values.download(ctx); }

    /// Rows that stand at `first` in the pass.
    void read(C& ctx, const SiteRef& site, Activation<const T> x, Coefficient<T> c, Index first) {
        if (site.site == Site::embedding) relevance_sum(ctx, x, c.as_const(), 1, embedding_.view().data + first);
        if (site.site == Site::resid_post) relevance_sum(ctx, x, c.as_const(), 1, residual_.view().row(site.layer) + first);
        if (site.site == Site::head) relevance_sum(ctx, x, c.as_const(), heads_, head_.view().row(site.layer) + first * heads_);
        if (site.site == Site::neuron) to_relevance(ctx, x, c.as_const(), Relevance<T>(neuron_.view().rows_from(site.layer * rows_ + first, x.rows)));
    }

    /// One layer's values [rows, width] of one prompt to their place among all of its positions.
    void put(std::size_t prompt, std::vector<float>& into, const std::vector<T>& values, Site site, std::size_t layer, std::size_t layers, std::size_t width) const {
        if (values.empty()) return;
        const auto first = static_cast<std::size_t>(prompts_[prompt].first) * width, some = static_cast<std::size_t>(prompts_[prompt].count) * width;
        const std::size_t all = traces_[prompt].tokens_count * width, pass = static_cast<std::size_t>(rows_) * width;
        into.resize(layers * all);
        for (std::size_t i = 0; i < some; ++i) {
            const T value = values[layer * pass + first + i];
            require_finite(value, {site, static_cast<Index>(layer)});
            into[layer * all + i] = static_cast<float>(value);
        }
    }

    std::span<Trace> traces_;
    std::span<const RowSpan> prompts_;
    Index rows_, heads_;
    Tensor<B> embedding_;  // [1, T]
    Tensor<B> residual_;   // [L, T]
    Tensor<B> head_;       // [L, T * H]
    Tensor<B> neuron_;     // [L * T, F]
};

/// ln softmax(logits) at a token.
template <class Logits>
[[nodiscard]] double log_probability(const Logits& logits, std::int32_t id) {
    const double peak = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    double total = 0;
    for (const auto logit : logits) total += std::exp(static_cast<double>(logit) - peak);
    return static_cast<double>(logits[static_cast<std::size_t>(id)]) - peak - std::log(total);
}

/// The `count` largest logits, best first, with their softmax probabilities. Token texts are left to the caller.
template <class T>
[[nodiscard]] std::vector<Prediction> top_predictions(const std::vector<T>& logits, std::size_t count) {
    const double peak = *std::max_element(logits.begin(), logits.end());
    double total = 0;
    for (const T logit : logits) total += std::exp(static_cast<double>(logit) - peak);
    std::vector<std::int32_t> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto better = [&](std::int32_t a, std::int32_t b) {
        const T x = logits[static_cast<std::size_t>(a)], y = logits[static_cast<std::size_t>(b)];
        return x != y ? x > y : a < b;
    };
    count = std::min(count, logits.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), better);
    std::vector<Prediction> result;
    for (std::size_t i = 0; i < count; ++i) {
        const double logit = logits[static_cast<std::size_t>(order[i])];
        result.push_back({order[i], std::to_string(order[i]), logit, std::exp(logit - peak) / total});
    }
    return result;
}

/// A forward pass whose question is settled: what is explained, its seeds, and a trace that holds all but relevance.
template <class Pass>
struct Question {
    Trace trace;
    std::vector<Seed> seeds;
    Pass pass;
};

namespace detail {

/// Where a prompt is explained. UsageError where options and prompt do not fit.
template <class Config>
std::size_t explained_position(const Config& config, std::span<const std::int32_t> ids, const AttributeOptions& options) {
    require(!ids.empty(), "attribute: the prompt has no token");
    const std::size_t position = options.position.value_or(ids.size() - 1);
    if (position >= ids.size()) fail<UsageError>("position: expected 0 to ", ids.size() - 1, ", found ", position);
    const auto check_token = [&](std::optional<std::int32_t> id, const char* what) {
        if (id && (*id < 0 || *id >= config.vocab_size)) fail<UsageError>(what, ": expected a token id below ", config.vocab_size, ", found ", *id);
    };
    check_token(options.target, "target");
    check_token(options.contrast, "contrast");
    return position;
}

/// All of a trace but relevance, from the logits at its explained position.
template <class Config, class T>
Trace open_trace(const Config& config, std::span<const std::int32_t> ids, std::size_t position, const std::vector<T>& logits, const AttributeOptions& options) {
    require_finite(logits, {Site::logits});
    Trace trace;
    trace.tokens_count = ids.size();
    trace.layers = static_cast<std::size_t>(config.layers);
    trace.heads = static_cast<std::size_t>(config.attention.heads);
    trace.neurons = static_cast<std::size_t>(config.intermediate_size);
    trace.ids.assign(ids.begin(), ids.end());
    for (const std::int32_t id : ids) trace.tokens.push_back(std::to_string(id));
    trace.offsets.assign(ids.size(), {0, 0});
    trace.position = position;
    trace.logits.assign(logits.begin(), logits.end());
    trace.predictions = top_predictions(logits, std::max<std::size_t>(options.top, 1));
    trace.target = options.target.value_or(trace.predictions.front().id);
    trace.target_token = std::to_string(trace.target);
    trace.contrast = options.contrast;
    trace.explained = static_cast<double>(logits[static_cast<std::size_t>(trace.target)]);
    if (trace.contrast) {
        trace.contrast_token = std::to_string(*trace.contrast);
        trace.explained -= static_cast<double>(logits[static_cast<std::size_t>(*trace.contrast)]);
    }
    return trace;
}

/// What a trace explains as seeds at a row of the pass.
inline void add_seeds(std::vector<Seed>& seeds, const Trace& trace, Index row, const AttributeOptions& options) {
    const double seed = options.seed_with_logit ? trace.explained : 1.0;
    seeds.push_back({row, trace.target, seed});
    if (trace.contrast) seeds.push_back({row, *trace.contrast, -seed});
}

}  // namespace detail

/// Runs `model` up to the explained position and resolves the target. Errors: no ids, ids out of range; UsageError: position, target
/// or contrast out of range; logits that are not finite. `kept`: whether the last layer holds all rows, for observers that want them.
template <class Model, class O = NullObserver>
[[nodiscard]] auto ask(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids, const AttributeOptions& options = {},
                       O&& observer = {}, PassOptions::Rows kept = PassOptions::Rows::all) {
    const std::size_t position = detail::explained_position(model.config(), ids, options);
    const std::vector<std::int32_t> rows{static_cast<std::int32_t>(position)};
    auto pass = model.forward(ctx, ids.first(position + 1), rows, {options.recompute, kept}, observer);
    Trace trace = detail::open_trace(model.config(), ids, position, pass.logits.download(ctx), options);
    std::vector<Seed> seeds;
    detail::add_seeds(seeds, trace, static_cast<Index>(position), options);
    return Question<decltype(pass)>{std::move(trace), std::move(seeds), std::move(pass)};
}

/// Explains one logit of `model` for the prompt `ids`: asks, propagates relevance back, and reads the sites asked for. A prompt longer than the model was made
/// for is not refused. Errors: those of `ask`, and values that are not finite. `more` is a further observer of both passes; `times`, if given, takes the seconds spent.
template <class Model, class O = NullObserver>
[[nodiscard]] Trace attribute(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids, const AttributeOptions& options = {},
                              O&& more = {}, PassTimes* times = nullptr) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    constexpr auto kept = takes_rows<std::remove_cvref_t<O>> ? PassOptions::Rows::explained : PassOptions::Rows::all;
    auto question = ask(ctx, model, ids, options, more, kept);
    const auto middle = Clock::now();
    TraceObserver<typename Model::backend> reader(ctx, {&question.trace, 1}, question.pass.prompts, options.sites);
    ObserverChain observers(reader, more);
    model.relevance(ctx, question.pass, question.seeds, observers);
    reader.finish(ctx);
    if (times != nullptr) {
        times->forward = std::chrono::duration<double>(middle - start).count();
        times->relevance = std::chrono::duration<double>(Clock::now() - middle).count();
    }
    return std::move(question.trace);
}

/// Another context than the model's is refused with a sentence.
template <Context Other, class Model, class... Rest>
    requires(!std::same_as<Other, typename Model::C>)
Trace attribute(Other&, const Model&, Rest&&...) {
    static_assert(std::same_as<Other, typename Model::C>, "attribute: the context belongs to another backend than the model");
    std::abort();
}

}  // namespace lrp
