// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The front door: token ids in, the relevance trace of one logit out.
#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
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

/// Fills a Trace's arrays as relevance passes by. An observer; positions after the explained one keep their zeros.
template <Backend B>
class TraceObserver {
  public:
    TraceObserver(Trace& trace, const TraceSites& sites) : trace_(trace), sites_(sites) {
        const std::size_t rows = trace.layers * trace.tokens_count;
        if (sites.embedding) trace.embedding.assign(trace.tokens_count, 0.0f);
        if (sites.residual) trace.residual.assign(rows, 0.0f);
        if (sites.head) trace.head.assign(rows * trace.heads, 0.0f);
        if (sites.neuron) trace.neuron.assign(rows * trace.neurons, 0.0f);
    }

    template <Context C>
    void relevance(C& ctx, SiteRef site, Activation<const typename C::scalar> x, Coefficient<typename C::scalar> c) {
        const auto layer = static_cast<std::size_t>(site.layer);
        const auto put = [&](std::vector<float>& into, std::size_t width, const auto& values) {
            require_finite(values, site);
            std::transform(values.begin(), values.end(), into.begin() + static_cast<std::ptrdiff_t>(layer * trace_.tokens_count * width),
                           [](auto value) { return static_cast<float>(value); });
        };
        if (site.site == Site::embedding && sites_.embedding) put(trace_.embedding, 1, relevance_sum(ctx, x, c.as_const()));
        if (site.site == Site::resid_post && sites_.residual) put(trace_.residual, 1, relevance_sum(ctx, x, c.as_const()));
        if (site.site == Site::head && sites_.head)
            put(trace_.head, trace_.heads, relevance_sum(ctx, x, c.as_const(), static_cast<Index>(trace_.heads)));
        if (site.site == Site::neuron && sites_.neuron) put(trace_.neuron, trace_.neurons, relevance_values(ctx, x, c.as_const()));
    }

  private:
    Trace& trace_;
    TraceSites sites_;
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
    TraceObserver<typename Model::backend> reader(question.trace, options.sites);
    ObserverChain observers(reader, more);
    model.relevance(ctx, question.pass, question.seeds, observers);
    if (times != nullptr) {
        times->forward = std::chrono::duration<double>(middle - start).count();
        times->relevance = std::chrono::duration<double>(Clock::now() - middle).count();
    }
    return std::move(question.trace);
}

/// Another context than the model's is refused with a sentence.
template <Context Other, class Model, class... Rest>
    requires(!std::same_as<Other, typename Model::C>)
void attribute(Other&, const Model&, Rest&&...) {
    static_assert(std::same_as<Other, typename Model::C>, "attribute: the context belongs to another backend than the model");
}

}  // namespace lrp
