// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Conditional relevance: what must add up, what must be zero, and what a model without the other units says.
#include <numeric>

#include <lrp/analysis/condition.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>
#include <lrp/rule/preset/gradient.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
using lrp::test::largest_difference;
using lrp::test::largest_magnitude;
using lrp::test::random_weights;

namespace {

LlamaConfig few_neurons() {
    LlamaConfig config = test::small_llama();
    config.intermediate_size = 12;
    return config;
}

AttributeOptions everything() {
    AttributeOptions options;
    options.sites = {true, true, true, true};
    options.target = 5;
    return options;
}

double sum(const std::vector<float>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }
std::vector<float> plus(std::vector<float> a, const std::vector<float>& b) {
    for (std::size_t i = 0; i < a.size(); ++i) a[i] += b[i];
    return a;
}
double part(const std::vector<float>& all, std::size_t first, std::size_t count, std::size_t step = 1) {
    double total = 0;
    for (std::size_t i = 0; i < count; ++i) total += static_cast<double>(all.at(first + i * step));
    return total;
}

}  // namespace

TEST_CASE("the relevance through each neuron of a layer adds up to that through its MLP; what passes a unit is what the unit got") {
    ReferenceBackend<double>::context ctx;
    const LlamaModel<ReferenceBackend<double>, CpLRP> model(few_neurons(), random_weights<ReferenceBackend<double>>(ctx, few_neurons()));
    const Trace all = attribute(ctx, model, test::small_prompt, everything());
    for (const Site site : {Site::neuron, Site::head}) {
        const Index units = site == Site::neuron ? 12 : 4;
        RelevanceCondition every;
        std::vector<float> added(test::small_prompt.size());
        for (Index unit = 0; unit < units; ++unit) {
            const RelevanceCondition one{{{site, 1, unit}}, {}, {}};
            every.through.push_back(one.through[0]);
            const Trace trace = attribute_through(ctx, model, test::small_prompt, one, everything());
            added = plus(added, trace.embedding);
            const std::vector<float>&mine = site == Site::neuron ? trace.neuron : trace.head, &whole = site == Site::neuron ? all.neuron : all.head;
            for (std::size_t t = 0; t < test::small_prompt.size(); ++t)
                for (Index other = 0; other < units; ++other) {
                    const auto at = static_cast<std::size_t>((1 * static_cast<Index>(test::small_prompt.size()) + static_cast<Index>(t)) * units + other);
                    CHECK(mine[at] == (other == unit ? Approx(whole[at]).margin(1e-9) : Approx(0.0)));
                }
            // CP-LRP conserves: below the unit there is as much as came through it.
            const double got = part(whole, test::small_prompt.size() * static_cast<std::size_t>(units) + static_cast<std::size_t>(unit), test::small_prompt.size(),
                                    static_cast<std::size_t>(units));
            CHECK(sum(trace.embedding) == Approx(got).margin(1e-5));
            CHECK(part(trace.residual, 0, test::small_prompt.size()) == Approx(got).margin(1e-5));
            // Above it nothing changes.
            for (std::size_t t = 0; t < test::small_prompt.size(); ++t)
                CHECK(trace.residual[2 * test::small_prompt.size() + t] == all.residual[2 * test::small_prompt.size() + t]);
        }
        const Trace together = attribute_through(ctx, model, test::small_prompt, every, everything());
        CHECK(largest_difference(added, together.embedding) < 1e-5);
        CHECK(largest_difference(all.embedding, together.embedding) > 1e-3);
    }
}

TEST_CASE("through two layers: alternatives within one, both across") {
    ReferenceBackend<double>::context ctx;
    const LlamaModel<ReferenceBackend<double>, AttnLRP> model(few_neurons(), random_weights<ReferenceBackend<double>>(ctx, few_neurons()));
    const auto through = [&](std::vector<UnitRef> units) {
        return attribute_through(ctx, model, test::small_prompt, {std::move(units), {}, {}}, everything()).embedding;
    };
    const UnitRef a{Site::neuron, 2, 3}, b{Site::neuron, 2, 5}, c{Site::head, 1, 2}, d{Site::neuron, 1, 7};
    CHECK(largest_difference(through({a, b, c}), plus(through({a, c}), through({b, c}))) < 1e-6);
    CHECK(largest_difference(through({a, b}), plus(through({a}), through({b}))) < 1e-6);
    CHECK(largest_difference(through({a, c, d}), through({c, d, a})) == 0);
    CHECK(largest_magnitude(through({a, c, d})) > 0);
    CHECK(largest_difference(through({a, c, d}), through({a, c})) > 1e-9);
}

TEST_CASE("positions: what passes each of them adds up to all") {
    ReferenceBackend<double>::context ctx;
    const LlamaModel<ReferenceBackend<double>, AttnLRP> model(few_neurons(), random_weights<ReferenceBackend<double>>(ctx, few_neurons()));
    const Trace all = attribute(ctx, model, test::small_prompt, everything());
    std::vector<float> added(test::small_prompt.size());
    for (Index at = 0; at < std::ssize(test::small_prompt); ++at) {
        const Trace trace = attribute_through(ctx, model, test::small_prompt, {{}, {{1, {at}}}, {}}, everything());
        for (std::size_t t = 0; t < test::small_prompt.size(); ++t)
            CHECK(trace.residual[test::small_prompt.size() + t] == (static_cast<Index>(t) == at ? all.residual[test::small_prompt.size() + t] : 0.0f));
        for (std::size_t t = static_cast<std::size_t>(at) + 1; t < test::small_prompt.size(); ++t) CHECK(trace.embedding[t] == 0.0f);
        added = plus(added, trace.embedding);
    }
    CHECK(largest_difference(added, all.embedding) < 1e-6);
    const auto at = [&](const std::vector<Index>& positions) { return attribute_through(ctx, model, test::small_prompt, {{}, {{1, positions}}, {}}, everything()).embedding; };
    CHECK(largest_difference(at({6, 2}), plus(at({2}), at({6}))) < 1e-6);
    CHECK(largest_difference(attribute_through(ctx, model, test::small_prompt, {{}, {{2, {7}}}, {}}, everything()).embedding, all.embedding) == 0);
    CHECK(largest_magnitude(attribute_through(ctx, model, test::small_prompt, {{}, {{2, {6}}}, {}}, everything()).embedding) == 0);
}

TEST_CASE("relevance that begins at a unit explains its activation") {
    // With the gradient rules, relevance times 1 is input times gradient of the activation: checked by differences in the embedding.
    using D = EigenBackend<double>;
    D::context ctx(1);
    const LlamaModel<D, Gradient> model(few_neurons(), random_weights<D>(ctx, few_neurons()));
    struct Nudge {  // scales one token's embedding, and reads a unit
        using D = EigenBackend<double>;
        std::size_t token;
        double factor;
        UnitRef unit;
        double value = 0;
        void activation(D::context& context, SiteRef site, Activation<double> x) {
            if (site.site == Site::embedding) {
                const View<double> row = x.rows_from(static_cast<Index>(token), 1);
                D::map(context, Add::Scale<double>{factor}, row, View<const double>(row));
            }
            if (site.site != unit.site || site.layer != unit.layer) return;
            const Index width = site.site == Site::neuron ? 1 : 8;
            double squares = 0;
            const auto values = download(context, x.rows_from(6, 1).columns(unit.unit * width, width));
            for (const double v : values) squares += v * v;
            value = width == 1 ? values[0] : std::sqrt(squares);
        }
    };
    AttributeOptions options = everything();
    options.position = 6;
    const std::vector<std::int32_t> last{6};
    for (const UnitRef& unit : {UnitRef{Site::neuron, 2, 3}, UnitRef{Site::neuron, 0, 1}, UnitRef{Site::head, 1, 3}, UnitRef{Site::head, 2, 0}}) {
        const Trace trace = attribute_through(ctx, model, test::small_prompt, {{}, {}, unit}, options);
        const auto value = [&](std::size_t token, double factor) {
            Nudge nudge{token, factor, unit};
            (void)model.forward(ctx, std::span(test::small_prompt).first(7), last, Recompute::keep(), nudge);
            return nudge.value;
        };
        CHECK(trace.explained == Approx(value(0, 1)));
        for (std::size_t t = 0; t < 7; ++t) {
            const double slope = (value(t, 1 + 1e-5) - value(t, 1 - 1e-5)) / 2e-5;
            CHECK(trace.embedding[t] == Approx(slope).margin(1e-5));
        }
        CHECK(trace.embedding[7] == 0.0f);
        for (std::size_t l = static_cast<std::size_t>(unit.layer); l < 3; ++l)
            for (std::size_t t = 0; t < 8; ++t) CHECK(trace.residual[l * 8 + t] == 0.0f);
        // Above the unit there is nothing; at it, the unit itself at the explained position and nothing else.
        const bool neuron = unit.site == Site::neuron;
        for (std::size_t l = static_cast<std::size_t>(unit.layer); l < 3; ++l)
            for (std::size_t t = 0; t < 8; ++t) {
                const bool here = static_cast<Index>(l) == unit.layer;
                for (std::size_t n = 0; n < 12; ++n)
                    CHECK(trace.neuron[(l * 8 + t) * 12 + n] == (neuron && here && t == 6 && static_cast<Index>(n) == unit.unit ? Approx(trace.explained) : Approx(0.0)));
                for (std::size_t h = 0; h < 4; ++h) {
                    if (neuron && here) continue;  // below the unit
                    CHECK(trace.head[(l * 8 + t) * 4 + h] == (here && t == 6 && static_cast<Index>(h) == unit.unit ? Approx(trace.explained) : Approx(0.0)));
                }
            }
        if (neuron) CHECK(largest_magnitude(std::vector<float>(trace.head.begin() + unit.layer * 32, trace.head.begin() + unit.layer * 32 + 32)) > 0);
    }
    const UnitRef begin{Site::neuron, 1, 3};
    CHECK_THROWS_WITH(attribute_through(ctx, model, test::small_prompt, {{{Site::neuron, 1, 4}}, {}, begin}, options),
                      Contains("cannot come through neuron 1/4, which is not below it"));
    CHECK_THROWS_WITH(attribute_through(ctx, model, test::small_prompt, {{}, {{1, {0}}}, begin}, options), Contains("has no positions in the output of layer 1"));
    CHECK_NOTHROW(attribute_through(ctx, model, test::small_prompt, {{}, {{0, {6}}}, begin}, options));
    CHECK(largest_magnitude(attribute_through(ctx, model, test::small_prompt, {{{Site::head, 1, 3}}, {}, begin}, options).embedding) > 0);
}

TEST_CASE("a condition that does not fit is refused") {
    ReferenceBackend<double>::context ctx;
    const LlamaModel<ReferenceBackend<double>, AttnLRP> model(few_neurons(), random_weights<ReferenceBackend<double>>(ctx, few_neurons()));
    const auto with = [&](const RelevanceCondition& condition) { return attribute_through(ctx, model, test::small_prompt, condition, everything()); };
    CHECK_THROWS_WITH(with({{{Site::neuron, 3, 0}}, {}, {}}), Contains("expected a layer from 0 to 2, found 3"));
    CHECK_THROWS_WITH(with({{{Site::neuron, 0, 12}}, {}, {}}), Contains("expected a neuron from 0 to 11 in layer 0, found 12"));
    CHECK_THROWS_WITH(with({{{Site::head, 0, 4}}, {}, {}}), Contains("expected a head from 0 to 3 in layer 0, found 4"));
    CHECK_THROWS_WITH(with({{}, {{1, {8}}}, {}}), Contains("expected a position from 0 to 7, found 8"));
    CHECK_THROWS_WITH(with({{}, {{1, {-1}}}, {}}), Contains("expected a position from 0 to 7, found -1"));
    CHECK_THROWS_AS(with({{}, {{5, {0}}}, {}}), UsageError);
    CHECK_THROWS_WITH(with({{}, {}, UnitRef{Site::gate, 0, 0}}), Contains("expected a neuron or a head, found site gate"));
}

TEST_CASE("a head that does nothing is explained by nothing") {
    using B = ReferenceBackend<double>;
    B::context ctx;
    std::mt19937 random(1);
    std::normal_distribution<double> draw(0, 0.3);
    const auto weights = std::make_shared<const LlamaWeights<B>>(make_llama_weights<B>(ctx, few_neurons(), [&](const std::string& name, Index, Index, auto host) {
        for (auto& value : host) value = name == "model.layers.1.self_attn.v_proj.weight" ? 0 : draw(random) + (name.ends_with("norm.weight") ? 1 : 0);
    }));
    const LlamaModel<B, AttnLRP> model(few_neurons(), weights);
    const Trace trace = attribute_through(ctx, model, test::small_prompt, {{}, {}, UnitRef{Site::head, 1, 2}}, everything());
    CHECK((trace.explained == 0 && largest_magnitude(trace.embedding) == 0));
}
