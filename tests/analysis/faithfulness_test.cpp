// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Unit flipping against one pass after another with weights set to zero.
#include <lrp/analysis/faithfulness.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

/// A model whose unit [layer, unit] is gone for every one in `off`: its columns of down_proj, or of o_proj, are zero.
template <Backend B>
LlamaModel<B, AttnLRP> without(typename B::context& ctx, Site site, const std::vector<std::size_t>& off) {
    std::mt19937 random(1);
    std::normal_distribution<double> draw(0, 0.3);
    const std::size_t units = site == Site::neuron ? 40 : 4, width = site == Site::neuron ? 1 : 8;
    return {test::small_llama(),
            std::make_shared<const LlamaWeights<B>>(make_llama_weights<B>(ctx, test::small_llama(), [&](const std::string& name, Index, Index cols, auto host) {
                for (auto& value : host) value = static_cast<typename B::scalar>(draw(random) + (name.ends_with("norm.weight") ? 1 : 0));
                if (!name.ends_with(site == Site::neuron ? "down_proj.weight" : "o_proj.weight")) return;
                const auto layer = static_cast<std::size_t>(name[13] - '0');  // model.layers.L
                for (std::size_t i = 0; i < host.size(); ++i)
                    for (const std::size_t unit : off)
                        if (unit / units == layer && i % static_cast<std::size_t>(cols) / width == unit % units) host[i] = 0;
            }))};
}

struct Value {
    double logit, probability;
};
template <Backend B>
Value naive(typename B::context& ctx, Site site, const std::vector<std::size_t>& off, std::size_t target) {
    const std::vector<std::int32_t> last{static_cast<std::int32_t>(test::small_prompt.size()) - 1};
    const auto logits = without<B>(ctx, site, off).forward(ctx, test::small_prompt, last, Recompute::keep()).logits.download(ctx);
    double total = 0;
    for (const auto logit : logits) total += std::exp(static_cast<double>(logit));
    return {static_cast<double>(logits[target]), std::exp(static_cast<double>(logits[target])) / total};
}

}  // namespace

TEMPLATE_TEST_CASE("flipping units equals models without them, at every count, and the numbers needed are the first", "", ReferenceBackend<double>,
                   EigenBackend<double>) {
    using B = TestType;
    typename B::context ctx;
    const auto model = without<B>(ctx, Site::neuron, {});
    const UnitReport report = relevant_units(ctx, model, test::small_prompt);
    const auto target = static_cast<std::size_t>(report.trace.target);
    for (const Site site : {Site::neuron, Site::head}) {
        FaithfulnessOptions options;
        options.site = site;
        options.random_orders = 2;
        options.seed = 5;
        options.tokens = 40;  // five copies a pass
        const Faithfulness result = faithfulness(ctx, model, report, options);
        const std::size_t units = site == Site::neuron ? 120 : 12, width = units / 3;
        REQUIRE((result.units == units && result.curves.size() == 5 && result.target == report.trace.target));
        const Value whole = naive<B>(ctx, site, {}, target);
        CHECK(result.logit == Approx(whole.logit).epsilon(1e-6));  // a trace holds float32
        CHECK(result.probability == Approx(whole.probability).epsilon(1e-5));
        CHECK(result.curves[4].seed == 6);
        for (const FlipCurve& curve : result.curves) {
            // The order, once more, from the arrays.
            std::vector<std::pair<double, std::size_t>> ranked;
            const auto& relevance = site == Site::neuron ? report.trace.neuron : report.trace.head;
            const auto& activation = site == Site::neuron ? report.neuron_activation : report.head_activation;
            for (std::size_t l = 0; l < 3; ++l)
                for (std::size_t u = 0; u < width; ++u) {
                    double r = 0, a = 0;
                    for (std::size_t t = 0; t < test::small_prompt.size(); ++t) {
                        r += static_cast<double>(relevance[(l * test::small_prompt.size() + t) * width + u]);
                        a += std::abs(static_cast<double>(activation[(l * test::small_prompt.size() + t) * width + u]));
                    }
                    ranked.emplace_back(curve.order == FlipOrder::most_active ? -a : curve.order == FlipOrder::most_relevant ? -r : r, l * width + u);
                }
            std::sort(ranked.begin(), ranked.end());
            std::vector<std::size_t> order;
            for (const auto& [score, unit] : ranked) order.push_back(unit);
            if (curve.order == FlipOrder::random) {
                order = flip_order(report, site, FlipOrder::random, curve.seed);
                auto sorted = order;
                std::sort(sorted.begin(), sorted.end());
                for (std::size_t i = 0; i < units; ++i) CHECK(sorted[i] == i);
            }
            std::map<std::size_t, Value> values;
            const auto at = [&](std::size_t count) {
                if (!values.contains(count)) values[count] = naive<B>(ctx, site, {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count)}, target);
                return values[count];
            };
            REQUIRE((curve.counts.front() == 0 && curve.counts.back() == units && curve.needed.size() == 4));
            for (std::size_t i = 0; i < curve.counts.size(); ++i) {
                CHECK(curve.logit[i] == Approx(at(curve.counts[i]).logit).epsilon(1e-9).margin(1e-9));
                CHECK(curve.probability[i] == Approx(at(curve.counts[i]).probability).epsilon(1e-9).margin(1e-12));
            }
            for (std::size_t d = 0; d < 4; ++d) {
                const double limit = (1 - options.drops[d]) * whole.probability;
                const auto& needed = curve.needed[d];
                if (needed) CHECK((at(*needed).probability <= limit && at(*needed - 1).probability > limit));
                for (std::size_t i = 0; i < curve.counts.size(); ++i)
                    if (!needed || curve.counts[i] < *needed) CHECK(curve.probability[i] > limit);
            }
        }
        CHECK(result.curves[0].needed[0].value() < units / 2);
        CHECK(flip_order(report, site, FlipOrder::random, 5) != flip_order(report, site, FlipOrder::random, 6));
    }
}

TEST_CASE("flipping: the logit as measure, and what is refused") {
    using B = EigenBackend<double>;
    B::context ctx(1);
    const auto model = without<B>(ctx, Site::neuron, {});
    UnitReport report = relevant_units(ctx, model, test::small_prompt);
    FaithfulnessOptions options;
    options.measure = FlipMeasure::logit;
    options.random_orders = 0;
    const Faithfulness result = faithfulness(ctx, model, report, options);
    const FlipCurve& curve = result.curves.front();
    REQUIRE(curve.needed[0].has_value());
    const auto at = static_cast<std::size_t>(std::find(curve.counts.begin(), curve.counts.end(), *curve.needed[0]) - curve.counts.begin());
    CHECK((curve.logit[at] <= 0.5 * result.logit && curve.logit[at - 1] > 0.5 * result.logit && curve.counts[at - 1] + 1 == curve.counts[at]));

    const auto run = [&] { return faithfulness(ctx, model, report, options); };
    options.drops = {0.5, 1};
    CHECK_THROWS_WITH(run(), Contains("expected a drop between 0 and 1, found 1"));
    options.drops = {0.5};
    options.site = Site::gate;
    CHECK_THROWS_WITH(run(), Contains("expected neurons or heads, found site gate"));
    options.site = Site::neuron;
    AttributeOptions worst;
    worst.target = static_cast<std::int32_t>(std::min_element(report.trace.logits.begin(), report.trace.logits.end()) - report.trace.logits.begin());
    report = relevant_units(ctx, model, test::small_prompt, worst);
    CHECK_THROWS_WITH(run(), Contains("the explained logit is -"));
    worst.contrast = 3;
    report = relevant_units(ctx, model, test::small_prompt, worst);
    CHECK_THROWS_WITH(run(), Contains("found the difference of two"));
}

TEST_CASE("flipping: the explained position need not be the last, and what is asked where nothing is said") {
    using B = EigenBackend<double>;
    B::context ctx(1);
    const auto model = without<B>(ctx, Site::neuron, {});
    AttributeOptions earlier;
    earlier.position = 4;
    const UnitReport report = relevant_units(ctx, model, test::small_prompt, earlier);
    FaithfulnessOptions options;
    CHECK((options.drops == std::vector<double>{0.5, 0.85, 0.9, 0.95} && options.random_orders == 5 && options.measure == FlipMeasure::probability));
    options.random_orders = 0;
    const Faithfulness result = faithfulness(ctx, model, report, options);
    CHECK((result.position == 4 && result.target == report.trace.target));
    const auto order = flip_order(report, Site::neuron, FlipOrder::most_relevant);
    for (const FlipCurve& curve : result.curves) {
        CHECK(curve.logit.front() == Approx(report.trace.explained).epsilon(1e-6));
        CHECK(curve.probability.front() == Approx(result.probability).epsilon(1e-5));
    }
    const std::vector<std::int32_t> last{4};
    const FlipCurve& curve = result.curves.front();
    const auto few = without<B>(ctx, Site::neuron, {order.begin(), order.begin() + static_cast<std::ptrdiff_t>(curve.counts[9])});
    const auto logits = few.forward(ctx, std::span(test::small_prompt).first(5), last, Recompute::keep()).logits.download(ctx);
    CHECK(curve.logit[9] == Approx(logits[static_cast<std::size_t>(report.trace.target)]).epsilon(1e-9).margin(1e-9));
    // Random orders are random from their first place on.
    int first = 0;
    for (std::uint64_t seed = 0; seed < 50; ++seed) first += flip_order(report, Site::neuron, FlipOrder::random, seed).front() == 0 ? 1 : 0;
    CHECK(first < 5);
}
