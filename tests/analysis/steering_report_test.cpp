// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A steering report against each of its numbers worked out one by one.
#include <lrp/analysis/steering_report.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/decoder.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

using Ids = std::vector<std::int32_t>;

const std::vector<Ids> prompts{{1, 7, 9, 33, 2}, {4, 4, 8}, {3}, {40, 41, 42, 43}}, neutral{{5, 6, 7}, {9, 8}};
const std::vector<UnitRef> units{{Site::neuron, 1, 3}, {Site::neuron, 1, 4}, {Site::neuron, 2, 39}, {Site::neuron, 0, 0}, {Site::head, 1, 2}};

bool even_somewhere(std::span<const std::int32_t>, const Ids& new_ids) {
    return std::any_of(new_ids.begin(), new_ids.end(), [](std::int32_t id) { return id % 5 == 0; });
}

std::vector<double> softmax_row(const std::vector<double>& logits, std::size_t row) {
    std::vector<double> p(logits.begin() + static_cast<std::ptrdiff_t>(row * 50), logits.begin() + static_cast<std::ptrdiff_t>(row * 50 + 50));
    double total = 0;
    for (double& x : p) total += x = std::exp(x);
    for (double& x : p) x /= total;
    return p;
}

}  // namespace

TEST_CASE("a report's rates, perplexities and divergences are those of single generations and passes") {
    EigenBackend<double>::context ctx(1);
    const LlamaModel<EigenBackend<double>, AttnLRP> model(test::small_llama(), lrp::test::random_weights<EigenBackend<double>>(ctx, test::small_llama()));
    LlamaDecoder decoder(ctx, model, 16);
    SteeringReportOptions options;
    options.multipliers = {0, 1, 2};
    options.samples = 3;
    options.random_sets = 2;
    options.resamples = 200;
    options.generate.temperature = 1.5;
    options.generate.max_new_tokens = 4;
    options.generate.seed = 10;
    for (const SteeringMode mode : {SteeringMode::all_positions, SteeringMode::new_tokens}) {
        options.mode = mode;
        std::size_t calls = 0;
        const SteeringReport report = steering_report(decoder, prompts, units, even_somewhere, options, neutral,
                                                      [&](std::size_t done, std::size_t all) { CHECK((done == ++calls && all == 9)); });
        REQUIRE((calls == 9 && report.prompts == 4 && report.samples == 3 && report.random.size() == 2));
        for (const SteeringCurve& random : report.random) {
            REQUIRE(random.units.size() == units.size());
            std::set<std::tuple<Site, Index, Index>> seen;
            std::map<std::pair<Site, Index>, int> mine, right;
            for (const UnitRef& unit : units) {
                seen.insert({unit.site, unit.layer, unit.unit});
                ++right[{unit.site, unit.layer}];
            }
            for (const UnitRef& unit : random.units) {
                CHECK(seen.insert({unit.site, unit.layer, unit.unit}).second);  // none chosen, none twice
                ++mine[{unit.site, unit.layer}];
            }
            CHECK(mine == right);
        }
        std::vector<const SteeringCurve*> curves{&report.chosen, &report.random[0], &report.random[1]};
        std::vector<std::vector<double>> rates;
        for (const SteeringCurve* curve : curves) {
            rates.emplace_back();
            for (std::size_t m = 0; m < 3; ++m) {
                SteeringPlan plan;
                for (const UnitRef& unit : curve->units) plan.units.push_back({unit.site, unit.layer, unit.unit, UnitEdit::Kind::scale, options.multipliers[m]});
                const SteeringPoint& point = curve->points[m];
                double hits = 0, log_p = 0, tokens = 0, kl = 0;
                for (std::size_t p = 0; p < prompts.size(); ++p) {
                    double own = 0;
                    for (std::size_t s = 0; s < 3; ++s) {
                        GenerateOptions choice = options.generate;
                        choice.seed = 10 + p * 3 + s;
                        LlamaDecoder fresh(ctx, model, 16);
                        const Ids new_ids =
                            options.multipliers[m] == 1 ? generate(fresh, prompts[p], choice).new_ids : steer(fresh, prompts[p], plan, mode, choice).after.new_ids;
                        own += even_somewhere(prompts[p], new_ids) ? 1 : 0;
                        Ids text = prompts[p];
                        for (const std::int32_t id : new_ids) {
                            LlamaDecoder reader(ctx, model, 16);
                            log_p += std::log(softmax_row(reader.extend(text), 0)[static_cast<std::size_t>(id)]);
                            text.push_back(id);
                            tokens += 1;
                        }
                    }
                    CHECK(point.hits[p] == Approx(own / 3));
                    hits += own;
                }
                for (const Ids& text : neutral) {
                    for (std::size_t t = 0; t < text.size(); ++t) {
                        LlamaDecoder plain(ctx, model, 16), steered(ctx, model, 16);
                        Steering<EigenBackend<double>> steering(ctx, test::small_llama(), plan);
                        const auto before = softmax_row(plain.extend(std::span(text).first(t + 1)), 0),
                                   after = softmax_row(steered.extend(std::span(text).first(t + 1), steering), 0);
                        for (std::size_t i = 0; i < 50; ++i) kl += before[i] * std::log(before[i] / after[i]);
                    }
                }
                CHECK(point.rate == Approx(hits / 12));
                CHECK(point.perplexity == Approx(std::exp(-log_p / tokens)));
                CHECK(point.off_target.value() == Approx(kl / 5).margin(1e-10));
                CHECK(point.changed == (options.multipliers[m] == 1 ? 0u : 5u));
                CHECK((point.rate_interval.low <= point.rate && point.rate <= point.rate_interval.high && point.rate_interval.high - point.rate_interval.low > 0.2));
                rates.back().push_back(point.rate);
            }
            CHECK(curve->slope == Approx((rates.back()[2] - rates.back()[0]) / 2).margin(1e-12));
            double against = 0;
            for (std::size_t p = 0; p < 4; ++p) against += curve->points[2].hits[p] < curve->points[0].hits[p] ? 0.25 : 0;
            CHECK(curve->against == Approx(against));
        }
        CHECK(report.chosen.points[0].off_target.value() > 1e-3);
        for (std::size_t m = 0; m < 3; ++m) {
            CHECK(report.difference[m] == Approx(rates[0][m] - (rates[1][m] + rates[2][m]) / 2).margin(1e-12));
            CHECK((report.difference_interval[m].low <= report.difference[m] + 1e-12 && report.difference[m] <= report.difference_interval[m].high + 1e-12));
        }
        CHECK((report.difference_interval[1].low == 0 && report.difference_interval[1].high == 0));  // untouched, all three
        CHECK((report.slope_interval.low <= report.chosen.slope + 1e-12 && report.chosen.slope <= report.slope_interval.high + 1e-12));
        CHECK(report.random_slope == Approx((report.random[0].slope + report.random[1].slope) / 2).margin(1e-12));
        // Intervals once more: prompts drawn again and again.
        const auto rate = [&](const SteeringCurve& curve, const std::vector<double>& weights, std::size_t m) {
            double sum = 0;
            for (std::size_t p = 0; p < prompts.size(); ++p) sum += weights[p] * curve.points[m].hits[p];
            return sum;
        };
        const auto random_rate = [&](const std::vector<double>& weights, std::size_t m) { return (rate(report.random[0], weights, m) + rate(report.random[1], weights, m)) / 2; };
        const auto check = [&](const Interval& mine, const auto& statistic) {
            const Interval right = bootstrap_interval(prompts.size(), 200, 10, statistic);
            CHECK(mine.low == Approx(right.low).margin(1e-12));
            CHECK(mine.high == Approx(right.high).margin(1e-12));
        };
        check(report.slope_interval, [&](const auto& weights) { return (rate(report.chosen, weights, 2) - rate(report.chosen, weights, 0)) / 2; });
        check(report.random_slope_interval, [&](const auto& weights) { return (random_rate(weights, 2) - random_rate(weights, 0)) / 2; });
        for (std::size_t m = 0; m < 3; ++m) check(report.difference_interval[m], [&](const auto& weights) { return rate(report.chosen, weights, m) - random_rate(weights, m); });
        CHECK(report.slope_interval.low < report.slope_interval.high);
        CHECK(report.difference_interval[0].low < report.difference_interval[0].high);
        for (std::size_t m = 0; m < 3; ++m) {
            const Interval right = wilson_interval(12 * report.chosen.points[m].rate, 12);
            CHECK((report.chosen.points[m].rate_interval.low == Approx(right.low) && report.chosen.points[m].rate_interval.high == Approx(right.high)));
        }
        const auto names = [](const SteeringCurve& curve) {
            std::vector<std::array<Index, 2>> out;
            for (const UnitRef& unit : curve.units) out.push_back({unit.layer, unit.unit});
            return out;
        };
        CHECK(names(report.random[0]) != names(report.random[1]));
    }
}

TEST_CASE("a report that cannot be is refused") {
    EigenBackend<double>::context ctx(1);
    const LlamaModel<EigenBackend<double>, AttnLRP> model(test::small_llama(), lrp::test::random_weights<EigenBackend<double>>(ctx, test::small_llama()));
    LlamaDecoder decoder(ctx, model, 16);
    SteeringReportOptions options;
    options.generate.max_new_tokens = 2;
    options.multipliers = {1};
    const auto run = [&](const std::vector<Ids>& texts, const std::vector<UnitRef>& which) {
        return steering_report(decoder, texts, which, even_somewhere, options);
    };
    CHECK_THROWS_WITH(run(prompts, units), Contains("nothing was changed by any multiplier of 5 units"));
    CHECK_THROWS_WITH(run({}, units), Contains("there is no prompt"));
    CHECK_THROWS_WITH(run(prompts, {}), Contains("there is no unit"));
    CHECK_THROWS_WITH(run(prompts, {{Site::head, 1, 0}, {Site::head, 1, 1}, {Site::head, 1, 2}}), Contains("3 of 4 heads of layer 1 are chosen"));
    const auto tokens = std::exchange(options.generate.max_new_tokens, 0);
    CHECK_THROWS_WITH(run(prompts, units), Contains("at least one new token"));
    options.generate.max_new_tokens = tokens;
    options.samples = 2;
    CHECK_THROWS_WITH(run(prompts, units), Contains("all the same without a temperature"));
    options.samples = 0;
    CHECK_THROWS_WITH(run(prompts, units), Contains("at least one sample"));
    options.samples = 1;
    options.multipliers.clear();
    CHECK_THROWS_WITH(run(prompts, units), Contains("at least one multiplier"));
    options.multipliers = {0};
    options.random_sets = 0;
    const SteeringReport alone = run(prompts, units);
    CHECK((alone.random.empty() && alone.difference.empty() && !alone.chosen.points[0].off_target));
}

TEST_CASE("what a report is where nothing is said") {
    const SteeringReportOptions options;
    CHECK(options.multipliers == std::vector<double>{0, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2});
    CHECK((options.samples == 1 && options.random_sets == 5 && options.resamples == 1000 && options.mode == SteeringMode::all_positions));
}
