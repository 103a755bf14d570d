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
#include <lrp/model/recompute.hpp>
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
    std::optional<std::int32_t> target;    ///< token id; the most likely token if not given
    std::optional<std::int32_t> contrast;  ///< explain logit(target) - logit(contrast)
    std::optional<std::size_t> position;   ///< the position whose next token is explained; the last if not given
    bool seed_with_logit = false;          ///< seed the coefficient with the explained value instead of 1, as LXT's latent attribution page does
    std::size_t top = 5;                   ///< predictions listed
    TraceSites sites;
    Recompute recompute;
};

/// Seconds of wall-clock time.
struct PassTimes {
    double forward = 0;
    double relevance = 0;
};

/// Fills a Trace's arrays: an observer that keeps what it reads where the backend computes, layer by layer, until `finish` brings all of it to
/// the host at once. Positions after the explained one keep their zeros.
template <Backend B>
class TraceObserver {
  public:
    using C = typename B::context;
    using T = typename B::scalar;

    /// `rows`: the positions that the pass runs over.
    TraceObserver(C& ctx, Trace& trace, const TraceSites& sites, Index rows) : trace_(trace), rows_(rows) {
        const auto layers = static_cast<Index>(trace.layers);
        if (sites.embedding) embedding_.resize(ctx, 1, rows);
        if (sites.residual) residual_.resize(ctx, layers, rows);
        if (sites.head) head_.resize(ctx, layers, rows * static_cast<Index>(trace.heads));
        if (sites.neuron) neuron_.resize(ctx, layers * rows, static_cast<Index>(trace.neurons));
    }

    [[nodiscard]] bool reads(Site site) const {
        return (site == Site::embedding && !embedding_.empty()) || (site == Site::resid_post && !residual_.empty()) || (site == Site::head && !head_.empty()) ||
               (site == Site::neuron && !neuron_.empty());
    }
    void relevance(C& ctx, SiteRef site, Activation<const T> x, Coefficient<T> c) {
        if (site.site == Site::embedding) relevance_sum(ctx, x, c.as_const(), 1, embedding_.view().data);
        if (site.site == Site::resid_post) relevance_sum(ctx, x, c.as_const(), 1, residual_.view().row(site.layer));
        if (site.site == Site::head) relevance_sum(ctx, x, c.as_const(), static_cast<Index>(trace_.heads), head_.view().row(site.layer));
        if (site.site == Site::neuron) to_relevance(ctx, x, c.as_const(), Relevance<T>(neuron_.view().rows_from(site.layer * rows_, rows_)));
    }

    /// Error that names the first site, in the order of the backward pass, with a value that is not finite.
    void finish(C& ctx) {
        const auto residual = fetch(ctx, residual_), neuron = fetch(ctx, neuron_), head = fetch(ctx, head_), embedding = fetch(ctx, embedding_);
        for (std::size_t layer = trace_.layers; layer-- > 0;) {
            put(trace_.residual, residual, Site::resid_post, layer, trace_.layers, 1);
            put(trace_.neuron, neuron, Site::neuron, layer, trace_.layers, trace_.neurons);
            put(trace_.head, head, Site::head, layer, trace_.layers, trace_.heads);
        }
        put(trace_.embedding, embedding, Site::embedding, 0, 1, 1);
    }

  private:
    static std::vector<T> fetch(C& ctx, const Tensor<B>& values) { return values.empty() ? std::vector<T>() : values.download(ctx); }

    /// One layer's values [rows, width] to their place among all positions.
    void put(std::vector<float>& into, const std::vector<T>& values, Site site, std::size_t layer, std::size_t layers, std::size_t width) const {
        if (values.empty()) return;
        const std::size_t all = trace_.tokens_count * width, some = static_cast<std::size_t>(rows_) * width;
        into.resize(layers * all);
        for (std::size_t i = 0; i < some; ++i) {
            const T value = values[layer * some + i];
            require_finite(value, {site, static_cast<Index>(layer)});
            into[layer * all + i] = static_cast<float>(value);
        }
    }

    Trace& trace_;
    Index rows_;
    Tensor<B> embedding_;  // [1, T]
    Tensor<B> residual_;   // [L, T]
    Tensor<B> head_;       // [L, T * H]
    Tensor<B> neuron_;     // [L * T, F]
};

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

/// Runs `model` up to the explained position and resolves the target. Errors: no ids, ids out of range; UsageError: position, target
/// or contrast out of range; logits that are not finite.
template <class Model, class O = NullObserver>
[[nodiscard]] auto ask(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids, const AttributeOptions& options = {},
                       O&& observer = {}) {
    const auto& config = model.config();
    require(!ids.empty(), "attribute: the prompt has no token");
    const std::size_t position = options.position.value_or(ids.size() - 1);
    if (position >= ids.size()) fail<UsageError>("position: expected 0 to ", ids.size() - 1, ", found ", position);
    const auto check_token = [&](std::optional<std::int32_t> id, const char* what) {
        if (id && (*id < 0 || *id >= config.vocab_size)) fail<UsageError>(what, ": expected a token id below ", config.vocab_size, ", found ", *id);
    };
    check_token(options.target, "target");
    check_token(options.contrast, "contrast");

    const std::vector<std::int32_t> rows{static_cast<std::int32_t>(position)};
    auto pass = model.forward(ctx, ids.first(position + 1), rows, options.recompute, observer);
    const auto logits = pass.logits.download(ctx);
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
    const double seed = options.seed_with_logit ? trace.explained : 1.0;
    std::vector<Seed> seeds{{static_cast<Index>(position), trace.target, seed}};
    if (trace.contrast) seeds.push_back({static_cast<Index>(position), *trace.contrast, -seed});
    return Question<decltype(pass)>{std::move(trace), std::move(seeds), std::move(pass)};
}

/// Explains one logit of `model` for the prompt `ids`: asks, propagates relevance back, and reads the sites asked for. Errors: those of
/// `ask`, and values that are not finite. `more` is a further observer of both passes; `times`, if given, takes the seconds spent.
template <class Model, class O = NullObserver>
[[nodiscard]] Trace attribute(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids, const AttributeOptions& options = {},
                              O&& more = {}, PassTimes* times = nullptr) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    auto question = ask(ctx, model, ids, options, more);
    const auto middle = Clock::now();
    TraceObserver<typename Model::backend> reader(ctx, question.trace, options.sites, static_cast<Index>(question.trace.position) + 1);
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
