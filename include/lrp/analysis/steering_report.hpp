// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What a set of units does to generation: the same prompts continued with the units multiplied by 0 to 2, beside as many random units.
#pragma once

#include <set>

#include <lrp/analysis/attribute.hpp>
#include <lrp/analysis/condition.hpp>
#include <lrp/analysis/statistics.hpp>
#include <lrp/analysis/steering.hpp>

namespace lrp {

struct SteeringReportOptions {
    std::vector<double> multipliers{0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2};
    std::size_t samples = 1;      ///< continuations of a prompt; more than one needs a temperature
    std::size_t random_sets = 5;  ///< controls: as many units of each site and layer, drawn from the others there
    std::size_t resamples = 1000; ///< of the bootstrap, which draws prompts
    SteeringMode mode = SteeringMode::all_positions;
    GenerateOptions generate{};   ///< sample s of prompt p draws with seed + p * samples + s, whatever the multiplier

    /// UsageError for numbers that make no report.
    void validate() const {
        generate.validate();
        if (multipliers.empty()) fail<UsageError>("report: expected at least one multiplier");
        for (const double m : multipliers)
            if (!std::isfinite(m)) fail<UsageError>("report: expected multipliers that are finite, found ", m);
        if (generate.max_new_tokens == 0) fail<UsageError>("report: expected at least one new token");
        if (samples == 0) fail<UsageError>("report: expected at least one sample of each prompt");
        if (samples > 1 && generate.temperature == 0) fail<UsageError>("report: ", samples, " samples of a prompt are all the same without a temperature");
    }
};

/// One set of units at one multiplier.
struct SteeringPoint {
    double multiplier = 0;
    std::vector<double> hits;             ///< of each prompt, the share of its continuations that hit the target
    double rate = 0;                      ///< share of all continuations
    Interval rate_interval;               ///< Wilson's, over continuations
    double perplexity = 0;                ///< of all continuations' tokens under the untouched model: exp(mean -ln p)
    std::optional<double> off_target;     ///< mean KL(untouched || steered) of next-token distributions over the neutral texts' positions, in nats
    std::size_t changed = 0;              ///< units that changed at least one value in some continuation
};

struct SteeringCurve {
    std::vector<UnitRef> units;
    std::vector<SteeringPoint> points;  ///< one per multiplier
    double slope = 0;                   ///< of the rate against the multiplier, least squares
    double against = 0;                 ///< share of prompts whose own slope is below 0
};

/// The chosen units and the controls. Differences are taken prompt by prompt, so what is resampled is prompts.
struct SteeringReport {
    std::size_t prompts = 0, samples = 1;
    SteeringCurve chosen;
    std::vector<SteeringCurve> random;
    std::vector<double> difference;            ///< at each multiplier: rate of the chosen less the mean rate of the controls
    std::vector<Interval> difference_interval; ///< percentile bootstrap over prompts
    Interval slope_interval;                   ///< of the chosen units' slope, likewise
    double random_slope = 0;                   ///< mean over the controls
    Interval random_slope_interval;
};

/// Whether a continuation (prompt, new tokens) is on target.
using TargetTest = std::function<bool(std::span<const std::int32_t>, const std::vector<std::int32_t>&)>;

namespace detail {

/// As many units of each site and layer as `units` has there, drawn from those that it does not name. Error where too few are left.
template <class Config>
[[nodiscard]] std::vector<UnitRef> random_units(const Config& config, const std::vector<UnitRef>& units, std::uint64_t seed) {
    std::map<std::pair<Site, Index>, std::set<Index>> named;
    for (const UnitRef& unit : units) named[{unit.site, unit.layer}].insert(unit.unit);
    std::mt19937_64 random(seed);
    std::vector<UnitRef> result;
    for (const auto& [key, taken] : named) {
        const Index all = key.first == Site::neuron ? config.intermediate_size : config.attention.heads;
        std::vector<Index> free;
        for (Index unit = 0; unit < all; ++unit)
            if (!taken.contains(unit)) free.push_back(unit);
        require(free.size() >= taken.size(), "report: ", taken.size(), " of ", all, " ", site_name(key.first), "s of layer ", key.second,
                " are chosen; there are not as many others for a control");
        for (std::size_t i = 0; i < taken.size(); ++i) {
            std::swap(free[i], free[i + random() % (free.size() - i)]);
            result.push_back({key.first, key.second, free[i]});
        }
    }
    return result;
}

/// Continues prompts with units multiplied, and measures what comes of it.
template <class Decoder>
class SteeringRun {
  public:
    using B = typename Decoder::backend;
    using C = typename B::context;
    using Ids = std::vector<std::int32_t>;

    SteeringRun(Decoder& decoder, const std::vector<Ids>& prompts, const std::vector<Ids>& neutral, const TargetTest& test, const SteeringReportOptions& options)
        : decoder_(decoder), prompts_(prompts), neutral_(neutral), test_(test), options_(options) {
        for (const Ids& text : neutral_) untouched_.push_back(all_logits(text, NullObserver{}));
    }

    SteeringPoint point(const std::vector<UnitRef>& units, double multiplier) {
        SteeringPlan plan;
        for (const UnitRef& unit : units) plan.units.push_back({unit.site, unit.layer, unit.unit, UnitEdit::Kind::scale, multiplier});
        C& ctx = decoder_.context();
        Steering<B> steering(ctx, decoder_.model().config(), plan);
        SteeringPoint result;
        result.multiplier = multiplier;
        double log_likelihood = 0, tokens = 0, hits = 0;
        for (std::size_t p = 0; p < prompts_.size(); ++p) {
            double own = 0;
            for (std::size_t s = 0; s < options_.samples; ++s) {
                GenerateOptions generate_options = options_.generate;
                generate_options.seed += p * options_.samples + s;
                const std::span<const std::int32_t> prompt(prompts_[p]);
                decoder_.keep(0);
                if (options_.mode == SteeringMode::new_tokens && prompt.size() > 1) (void)decoder_.extend(prompt.first(prompt.size() - 1));
                const Generated generated = generate(decoder_, prompt.subspan(decoder_.ids().size()), generate_options, steering);
                own += test_(prompt, generated.new_ids) ? 1 : 0;
                const auto [sum, count] = likelihood(prompt, generated.new_ids);
                log_likelihood += sum;
                tokens += count;
            }
            hits += own;
            result.hits.push_back(own / static_cast<double>(options_.samples));
        }
        const double count = static_cast<double>(prompts_.size() * options_.samples);
        result.rate = hits / count;
        result.rate_interval = wilson_interval(hits, count);
        result.perplexity = std::exp(-log_likelihood / tokens);
        result.changed = steering.changed(ctx);
        if (!neutral_.empty()) {
            double sum = 0, positions = 0;
            for (std::size_t i = 0; i < neutral_.size(); ++i) {
                const auto steered = all_logits(neutral_[i], steering);
                const std::size_t width = steered.size() / neutral_[i].size();
                for (std::size_t t = 0; t < neutral_[i].size(); ++t)
                    sum += divergence(std::span(untouched_[i]).subspan(t * width, width), std::span(steered).subspan(t * width, width));
                positions += static_cast<double>(neutral_[i].size());
            }
            result.off_target = sum / positions;
        }
        return result;
    }

  private:
    using T = typename B::scalar;

    template <class O>
    std::vector<T> all_logits(const Ids& ids, O&& observer) {
        std::vector<std::int32_t> rows(ids.size());
        std::iota(rows.begin(), rows.end(), 0);
        auto pass = decoder_.model().forward(decoder_.context(), ids, rows, Recompute::layer(), observer);
        auto logits = pass.logits.download(decoder_.context());
        require_finite(logits, {Site::logits});
        return logits;
    }
    /// Sum of ln p of the new tokens under the untouched model, and their number.
    std::pair<double, double> likelihood(std::span<const std::int32_t> prompt, const Ids& new_ids) {
        Ids text(prompt.begin(), prompt.end());
        text.insert(text.end(), new_ids.begin(), new_ids.end() - 1);
        std::vector<std::int32_t> rows;
        for (std::size_t i = 0; i < new_ids.size(); ++i) rows.push_back(static_cast<std::int32_t>(prompt.size() - 1 + i));
        auto pass = decoder_.model().forward(decoder_.context(), text, rows, {Recompute::layer(), PassOptions::Rows::explained});
        const auto logits = pass.logits.download(decoder_.context());
        const std::size_t width = logits.size() / new_ids.size();
        double sum = 0;
        for (std::size_t i = 0; i < new_ids.size(); ++i) sum += log_probability(std::span(logits).subspan(i * width, width), new_ids[i]);
        return {sum, static_cast<double>(new_ids.size())};
    }

    Decoder& decoder_;
    const std::vector<Ids>& prompts_;
    const std::vector<Ids>& neutral_;
    const TargetTest& test_;
    const SteeringReportOptions& options_;
    std::vector<std::vector<T>> untouched_;
};

}  // namespace detail

/// Called after each point with how many of all are done.
using ReportProgress = std::function<void(std::size_t done, std::size_t all)>;

/// Multiplies `units` (each named once) by every multiplier in turn while `decoder` continues the prompts; then the same with random units.
/// `neutral` texts measure what changes elsewhere; there may be none. Error: no prompts, no units, none of which is changed at any multiplier, no room
/// in the decoder; UsageError: those of the options.
template <class Decoder>
[[nodiscard]] SteeringReport steering_report(Decoder& decoder, const std::vector<std::vector<std::int32_t>>& prompts, const std::vector<UnitRef>& units, const TargetTest& test,
                                             const SteeringReportOptions& options, const std::vector<std::vector<std::int32_t>>& neutral = {}, const ReportProgress& progress = {}) {
    options.validate();
    require(!prompts.empty(), "report: there is no prompt");
    require(!units.empty(), "report: there is no unit to be multiplied");
    SteeringReport report;
    report.prompts = prompts.size();
    report.samples = options.samples;
    report.chosen.units = units;
    for (std::size_t i = 0; i < options.random_sets; ++i)
        report.random.push_back({detail::random_units(decoder.model().config(), units, options.generate.seed + i), {}, 0, 0});
    detail::SteeringRun<Decoder> run(decoder, prompts, neutral, test, options);
    const std::size_t all = (1 + options.random_sets) * options.multipliers.size();
    std::size_t done = 0;
    const auto fill = [&](SteeringCurve& curve) {
        for (const double multiplier : options.multipliers) {
            curve.points.push_back(run.point(curve.units, multiplier));
            if (progress) progress(++done, all);
        }
    };
    fill(report.chosen);
    const auto changes = [](const SteeringPoint& point) { return point.changed > 0; };
    require(std::any_of(report.chosen.points.begin(), report.chosen.points.end(), changes), "report: nothing was changed by any multiplier of ", counted(units.size(), "unit"),
            ": all is 0 wherever it acts, or no multiplier is other than 1");
    for (SteeringCurve& curve : report.random) fill(curve);

    const auto& x = options.multipliers;
    const std::size_t count = prompts.size();
    // Rates of a curve with prompts weighted.
    const auto rates = [&](const SteeringCurve& curve, const std::vector<double>& weights) {
        std::vector<double> result;
        for (const SteeringPoint& point : curve.points) result.push_back(std::inner_product(weights.begin(), weights.end(), point.hits.begin(), 0.0));
        return result;
    };
    const auto random_rates = [&](const std::vector<double>& weights) {
        std::vector<double> result(x.size(), 0);
        for (const SteeringCurve& curve : report.random) {
            const auto own = rates(curve, weights);
            for (std::size_t m = 0; m < x.size(); ++m) result[m] += own[m] / static_cast<double>(report.random.size());
        }
        return result;
    };
    const std::vector<double> even(count, 1 / static_cast<double>(count));
    const auto finish = [&](SteeringCurve& curve) {
        curve.slope = least_squares_slope(x, rates(curve, even));
        for (std::size_t p = 0; p < count; ++p) {
            std::vector<double> own;
            for (const SteeringPoint& point : curve.points) own.push_back(point.hits[p]);
            curve.against += least_squares_slope(x, own) < 0 ? 1 / static_cast<double>(count) : 0;
        }
    };
    finish(report.chosen);
    for (SteeringCurve& curve : report.random) finish(curve);
    const std::uint64_t seed = options.generate.seed;
    report.slope_interval = bootstrap_interval(count, options.resamples, seed, [&](const auto& weights) { return least_squares_slope(x, rates(report.chosen, weights)); });
    if (report.random.empty()) return report;
    report.random_slope = least_squares_slope(x, random_rates(even));
    report.random_slope_interval = bootstrap_interval(count, options.resamples, seed, [&](const auto& weights) { return least_squares_slope(x, random_rates(weights)); });
    for (std::size_t m = 0; m < x.size(); ++m) {
        const auto difference = [&](const std::vector<double>& weights) { return rates(report.chosen, weights)[m] - random_rates(weights)[m]; };
        report.difference.push_back(difference(even));
        report.difference_interval.push_back(bootstrap_interval(count, options.resamples, seed, difference));
    }
    return report;
}

}  // namespace lrp
