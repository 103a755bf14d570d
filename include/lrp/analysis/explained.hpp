// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The loop: generate a token, attribute it, adjust what is steered, continue.
#pragma once

#include <deque>

#include <lrp/analysis/neurons.hpp>
#include <lrp/analysis/steering.hpp>

namespace lrp {

/// How the loop generates, what it explains, and what it steers at first.
struct ExplainedOptions {
    GenerateOptions generate{};
    AttributeOptions attribute{};  ///< target: explained at every token in place of the one chosen; no position
    SteeringPlan plan{};           ///< may be empty
    SteeringMode mode = SteeringMode::all_positions;
    std::size_t units = 0;       ///< how many neurons and heads of the token are ranked, as relevant_units does (summed); 0: none
};

/// A new token, and the relevance of all tokens before it.
struct ExplainedToken {
    std::int32_t id = 0;
    double logit = 0, probability = 0;           ///< of the token, when it was chosen
    Trace trace;                                 ///< over the text before it; target: the token, or options.attribute.target
    std::vector<UnitRelevance> neurons, heads;   ///< the most relevant ones, if asked for
};

/// What came of it.
struct Explained {
    std::vector<ExplainedToken> tokens;
    GenerateEnd end = GenerateEnd::length;
    std::size_t asked = 0, changed = 0;  ///< units and directions named by any plan (one that two plans name counts twice), and those really changed

    [[nodiscard]] std::vector<std::int32_t> new_ids() const {
        std::vector<std::int32_t> ids;
        for (const ExplainedToken& token : tokens) ids.push_back(token.id);
        return ids;
    }
};

/// Called with each new token; may change the plan, which holds from the next token on. False ends generation behind the token.
using ExplainedCallback = std::function<bool(const ExplainedToken&, SteeringPlan&)>;

namespace detail {

/// Plans as they were in force: in mode `new_tokens` each acts at the positions that were read while it held, as behind a cache; in `all_positions`
/// only the newest acts, everywhere.
template <Backend B>
class PlanHistory {
  public:
    using C = typename B::context;
    using T = typename B::scalar;
    static constexpr bool takes_rows = true;

    template <class Config>
    PlanHistory(C& ctx, const Config& config, SteeringMode mode) : ctx_(&ctx), mode_(mode), make_([&ctx, &config](const SteeringPlan& plan) { return Steering<B>(ctx, config, plan); }) {}

    /// From row `first` of the text on this plan holds, if it is not empty.
    void change(const SteeringPlan& plan, Index first) {
        if (!entries_.empty()) entries_.back().rows.count = first - entries_.back().rows.first;
        if (mode_ == SteeringMode::all_positions) settle();
        if (plan.empty()) return entries_.push_back({{first, 0}, plan.positions, std::nullopt});
        SteeringPlan everywhere = plan;
        everywhere.positions.clear();
        entries_.push_back({{first, 0}, plan.positions, make_(everywhere)});
    }
    /// The next pass has so many rows.
    void extend(Index rows) { rows_ = rows; }

    [[nodiscard]] bool reads(Site site) const {
        return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& entry) { return entry.steering && entry.steering->reads(site); });
    }
    void activation(C& ctx, SiteRef site, Activation<T> x) {
        for (Entry& entry : entries_) {
            if (!entry.steering || !entry.steering->reads(site.site)) continue;
            const bool last = &entry == &entries_.back();
            const RowSpan all{0, rows_}, own{entry.rows.first, (last ? rows_ : entry.rows.first + entry.rows.count) - entry.rows.first};
            const RowSpan acts = mode_ == SteeringMode::all_positions ? all : own;
            for (const RowSpan& wanted : entry.positions.empty() ? std::span<const RowSpan>(&acts, 1) : std::span<const RowSpan>(entry.positions)) part(ctx, site, x, entry, acts, wanted);
        }
    }

    [[nodiscard]] std::size_t asked() const {
        std::size_t result = asked_;
        for (const Entry& entry : entries_) result += entry.steering ? entry.steering->asked() : 0;
        return result;
    }
    [[nodiscard]] std::size_t changed() const {
        std::size_t result = changed_;
        for (const Entry& entry : entries_) result += entry.steering ? entry.steering->changed(*ctx_) : 0;
        return result;
    }

  private:
    struct Entry {
        RowSpan rows;                    // at which it was in force; the last one's count is open
        std::vector<RowSpan> positions;  // of the plan
        std::optional<Steering<B>> steering;
    };

    /// Keeps the counts of plans that are over.
    void settle() {
        asked_ = asked();
        changed_ = changed();
        entries_.clear();
    }
    /// Edits the rows that are held, in force and wanted.
    static void part(C& ctx, SiteRef site, Activation<T> x, Entry& entry, const RowSpan& acts, const RowSpan& wanted) {
        const std::array all{RowSpan{0, x.rows}};
        Index at = 0;
        for (const RowSpan& held : site.rows.empty() ? std::span<const RowSpan>(all) : site.rows) {
            const Index first = std::max({held.first, acts.first, wanted.first});
            const Index end = std::min({held.first + held.count, acts.first + acts.count, wanted.first + wanted.count});
            if (first < end) entry.steering->activation(ctx, {site.site, site.layer}, Activation<T>(x.rows_from(at + first - held.first, end - first)));
            at += held.count;
        }
    }

    C* ctx_;
    SteeringMode mode_;
    std::function<Steering<B>(const SteeringPlan&)> make_;
    std::deque<Entry> entries_;
    Index rows_ = 0;
    std::size_t asked_ = 0, changed_ = 0;
};

inline bool same_plan(const SteeringPlan& a, const SteeringPlan& b) {
    const auto unit = [](const UnitEdit& x, const UnitEdit& y) {
        return x.site == y.site && x.layer == y.layer && x.unit == y.unit && x.kind == y.kind && x.value == y.value;
    };
    const auto direction = [](const DirectionEdit& x, const DirectionEdit& y) { return x.layer == y.layer && x.values == y.values && x.scale == y.scale; };
    return std::equal(a.units.begin(), a.units.end(), b.units.begin(), b.units.end(), unit) &&
           std::equal(a.directions.begin(), a.directions.end(), b.directions.begin(), b.directions.end(), direction) && a.positions == b.positions;
}

}  // namespace detail

/// Lets `model` continue `ids` token by token; each is explained as `attribute` explains it over the whole text before it (steered as that text was),
/// and `on_token` may change the plan before the next. A forward and a backward pass over the whole text per token: the activations that
/// relevance needs are not in a cache of keys and values. With mode `new_tokens` the tokens are those that a cache would give. `more` is a further observer.
/// Error: no ids, logits that are not finite; UsageError: those of the options and of plans, a position that is set.
template <class Model, class O = NullObserver>
[[nodiscard]] Explained generate_explained(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids, const ExplainedOptions& options,
                                           const ExplainedCallback& on_token = {}, O&& more = {}) {
    using B = typename Model::backend;
    constexpr auto kept = takes_rows<std::remove_cvref_t<O>> ? PassOptions::Rows::explained : PassOptions::Rows::all;
    if (options.attribute.position) fail<UsageError>("generation: each new token is explained where it is chosen; expected no position, found ", *options.attribute.position);
    TokenSampler sample(options.generate);
    std::vector<std::int32_t> text(ids.begin(), ids.end());
    require(!text.empty(), "generation: the prompt has no token");
    SteeringPlan plan = options.plan, in_force;
    detail::PlanHistory<B> steering(ctx, model.config(), options.mode);
    Explained result;
    while (result.tokens.size() < options.generate.max_new_tokens) {
        if (!detail::same_plan(plan, in_force)) {
            steering.change(plan, std::ssize(text) - 1);
            in_force = plan;
        }
        steering.extend(std::ssize(text));
        AttributeOptions own = options.attribute;
        if (options.units > 0) own.sites.head = own.sites.neuron = true;
        ObserverChain forward(steering, more);
        auto question = ask(ctx, model, text, own, forward, kept);
        ExplainedToken token;
        token.id = sample(question.trace.logits);
        token.logit = static_cast<double>(question.trace.logits[static_cast<std::size_t>(token.id)]);
        token.probability = std::exp(log_probability(question.trace.logits, token.id));
        if (!own.target && question.trace.target != token.id) {
            own.target = token.id;
            question.trace = detail::open_trace(model.config(), text, question.trace.position, question.pass.logits.download(ctx), own);
            question.seeds.clear();
            detail::add_seeds(question.seeds, question.trace, static_cast<Index>(question.trace.position), own);
        }
        TraceObserver<B> reader(ctx, {&question.trace, 1}, question.pass.prompts, own.sites);
        UnitActivations<B> units(model.config(), options.units > 0 ? text.size() : 0);
        ObserverChain plain(steering, reader, more);
        ObserverChain ranked(steering, units, reader, more);
        if (options.units > 0) {
            model.relevance(ctx, question.pass, question.seeds, ranked);
        } else {
            model.relevance(ctx, question.pass, question.seeds, plain);
        }
        reader.finish(ctx);
        token.trace = std::move(question.trace);
        if (options.units > 0) {
            const Trace& trace = token.trace;
            token.neurons = detail::rank_units(trace, Site::neuron, trace.neuron, units.neuron, trace.neurons, options.units, UnitScope::summed);
            token.heads = detail::rank_units(trace, Site::head, trace.head, units.head, trace.heads, options.units, UnitScope::summed);
        }
        result.tokens.push_back(std::move(token));
        const ExplainedToken& newest = result.tokens.back();
        text.push_back(newest.id);
        if (on_token && !on_token(newest, plan)) {
            result.end = GenerateEnd::callback;
            break;
        }
        if (std::find(options.generate.stop_ids.begin(), options.generate.stop_ids.end(), newest.id) != options.generate.stop_ids.end()) {
            result.end = GenerateEnd::stop_id;
            break;
        }
    }
    result.asked = steering.asked();
    result.changed = steering.changed();
    return result;
}

}  // namespace lrp
