// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The ranking of units against a plain sort of all of them.
#include <lrp/analysis/neurons.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using lrp::test::random_weights;

namespace {

/// Keeps both sites as they are shown in a forward pass over all rows.
template <Backend B>
struct Reader {
    std::vector<float> neuron, head;
    void activation(typename B::context& ctx, SiteRef site, Activation<typename B::scalar> x) {
        if (site.site != Site::neuron && site.site != Site::head) return;
        const auto values = download(ctx, x);
        auto& into = site.site == Site::neuron ? neuron : head;
        into.insert(into.end(), values.begin(), values.end());
    }
};

/// Every candidate of a scope, best first, written down without regard to cost.
std::vector<UnitRelevance> naive(const UnitReport& report, UnitScope scope) {
    const Trace& trace = report.trace;
    std::vector<UnitRelevance> all;
    const auto at = [&](std::size_t l, std::size_t t, std::size_t i) { return (l * trace.tokens_count + t) * trace.neurons + i; };
    for (std::size_t l = 0; l < trace.layers; ++l)
        for (std::size_t i = 0; i < trace.neurons; ++i) {
            if (scope == UnitScope::token) {
                for (std::size_t t = 0; t < trace.tokens_count; ++t)
                    all.push_back({Site::neuron, static_cast<Index>(l), static_cast<Index>(i), t, static_cast<double>(report.neuron_activation[at(l, t, i)]),
                                   static_cast<double>(trace.neuron[at(l, t, i)]), 0});
                continue;
            }
            for (const bool negative : {false, true}) {
                UnitRelevance unit{Site::neuron, static_cast<Index>(l), static_cast<Index>(i), 0, 0, 0, 0};
                double peak = 0;
                for (std::size_t t = 0; t < trace.tokens_count; ++t) {
                    if ((report.neuron_activation[at(l, t, i)] < 0) != negative) continue;
                    const double r = static_cast<double>(trace.neuron[at(l, t, i)]);
                    unit.relevance += r;
                    if (std::abs(r) <= peak) continue;
                    peak = std::abs(r);
                    unit.token = t;
                    unit.activation = static_cast<double>(report.neuron_activation[at(l, t, i)]);
                }
                all.push_back(unit);
            }
        }
    std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return std::abs(a.relevance) > std::abs(b.relevance); });
    return all;
}

}  // namespace

TEMPLATE_TEST_CASE("the ranked units are those of a plain sort, with what they did", "", ReferenceBackend<float>, EigenBackend<float>) {
    using B = TestType;
    typename B::context ctx;
    const LlamaModel<B, AttnLRP> model(test::small_llama(), random_weights<B>(ctx, test::small_llama()));
    AttributeOptions options;
    options.position = 6;
    options.sites = {true, true, true, true};
    const Trace plain = attribute(ctx, model, test::small_prompt, options);
    for (const UnitScope scope : {UnitScope::summed, UnitScope::token, UnitScope::layer}) {
        const UnitReport report = relevant_units(ctx, model, test::small_prompt, options, 12, scope);
        CHECK(test::largest_difference(report.trace.neuron, plain.neuron) < 1e-5);
        CHECK(test::largest_difference(report.trace.head, plain.head) < 1e-5);
        auto right = naive(report, scope);
        REQUIRE(report.neurons.size() == (scope == UnitScope::layer ? 36 : 12));
        for (std::size_t n = 0; n < report.neurons.size(); ++n) {
            const UnitRelevance& mine = report.neurons[n];
            std::size_t place = n;
            if (scope == UnitScope::layer) {  // the n-th of its layer
                std::size_t before = n % 12;
                for (place = 0; right[place].layer != static_cast<Index>(n / 12) || before-- > 0; ++place) {
                }
            }
            const UnitRelevance& theirs = right[place];
            CHECK((mine.layer == theirs.layer && mine.unit == theirs.unit && mine.token == theirs.token));
            CHECK((mine.activation == theirs.activation && mine.relevance == Approx(theirs.relevance) &&
                   mine.share == Approx(mine.relevance / report.trace.explained)));
            CHECK(mine.sign() == (mine.activation < 0 ? -1 : 1));
        }
        CHECK(std::any_of(report.neurons.begin(), report.neurons.end(), [](const auto& unit) { return unit.sign() < 0; }));
        CHECK(report.heads.size() == (scope == UnitScope::token ? 12u : scope == UnitScope::layer ? 12u : 12u));
    }
    CHECK_THROWS_AS(parse_unit_scope("unit"), UsageError);
    CHECK(parse_unit_scope("layer") == UnitScope::layer);
}

TEST_CASE("activations and norms are those of a forward pass; rows behind the explained one stay zero") {
    using B = EigenBackend<double>;
    B::context ctx(1);
    const LlamaModel<B, AttnLRP> model(test::small_llama(), random_weights<B>(ctx, test::small_llama()));
    AttributeOptions options;
    options.position = 5;
    const UnitReport report = relevant_units(ctx, model, test::small_prompt, options);
    Reader<B> reader;
    const std::vector<std::int32_t> last{5};
    (void)model.forward(ctx, std::span(test::small_prompt).first(6), last, Recompute::keep(), reader);
    for (std::size_t l = 0; l < 3; ++l)
        for (std::size_t t = 0; t < 8; ++t) {
            const bool held = t <= 5 && (l < 2 || t == 5);  // the last layer holds the explained row alone
            for (std::size_t i = 0; i < 40; ++i)
                CHECK(report.neuron_activation[(l * 8 + t) * 40 + i] ==
                      (held ? Approx(static_cast<double>(reader.neuron[(l * 6 + t) * 40 + i])).margin(1e-7) : Approx(0.0)));
            for (std::size_t h = 0; h < 4; ++h) {
                double sum = 0;
                for (std::size_t j = 0; held && j < 8; ++j) sum += std::pow(static_cast<double>(reader.head[(l * 6 + t) * 32 + h * 8 + j]), 2);
                CHECK(report.head_activation[(l * 8 + t) * 4 + h] == Approx(std::sqrt(sum)).margin(1e-6));
            }
        }
    for (const auto& unit : report.heads) CHECK((unit.site == Site::head && unit.unit < 4 && unit.activation > 0));
}

TEST_CASE("heads are ranked by their relevance summed with its sign, at the position where it is largest") {
    using B = ReferenceBackend<double>;
    B::context ctx;
    const LlamaModel<B, AttnLRP> model(test::small_llama(), random_weights<B>(ctx, test::small_llama()));
    const UnitReport report = relevant_units(ctx, model, test::small_prompt, {}, 12);
    std::vector<UnitRelevance> right;
    for (std::size_t l = 0; l < 3; ++l)
        for (std::size_t h = 0; h < 4; ++h) {
            UnitRelevance unit{Site::head, static_cast<Index>(l), static_cast<Index>(h), 0, 0, 0, 0};
            double peak = 0;
            for (std::size_t t = 0; t < test::small_prompt.size(); ++t) {
                const std::size_t at = (l * test::small_prompt.size() + t) * 4 + h;
                const double r = static_cast<double>(report.trace.head[at]);
                unit.relevance += r;
                if (std::abs(r) <= peak) continue;
                peak = std::abs(r);
                unit.token = t;
                unit.activation = static_cast<double>(report.head_activation[at]);
            }
            right.push_back(unit);
        }
    std::stable_sort(right.begin(), right.end(), [](const auto& a, const auto& b) { return std::abs(a.relevance) > std::abs(b.relevance); });
    REQUIRE(report.heads.size() == 12);
    for (std::size_t n = 0; n < 12; ++n) {
        const UnitRelevance& mine = report.heads[n];
        CHECK((mine.site == Site::head && mine.layer == right[n].layer && mine.unit == right[n].unit && mine.token == right[n].token));
        CHECK((mine.activation == right[n].activation && mine.relevance == Approx(right[n].relevance) && mine.share == Approx(right[n].relevance / report.trace.explained)));
    }
    CHECK(std::any_of(report.heads.begin(), report.heads.end(), [](const auto& unit) { return unit.relevance < 0; }));
}

TEST_CASE("equals are ranked by layer, unit and position; nothing is ranked that has no relevance; a share of nothing is 0") {
    Trace trace;
    trace.layers = trace.tokens_count = 2;
    trace.explained = 0;
    const std::vector<float> relevance{0, 2, -2, 1, 2, 0, -1, 2}, activation(8, 1.0f);  // [2, 2, 2]
    const auto names = [&](UnitScope scope, std::size_t top) {
        std::vector<std::array<std::size_t, 3>> out;
        for (const UnitRelevance& unit : detail::rank_units(trace, Site::neuron, relevance, activation, 2, top, scope)) {
            CHECK(unit.share == 0);
            out.push_back({static_cast<std::size_t>(unit.layer), static_cast<std::size_t>(unit.unit), unit.token});
        }
        return out;
    };
    using Names = std::vector<std::array<std::size_t, 3>>;
    CHECK(names(UnitScope::token, 3) == Names{{0, 0, 1}, {0, 1, 0}, {1, 0, 0}});
    CHECK(names(UnitScope::token, 9) == Names{{0, 0, 1}, {0, 1, 0}, {1, 0, 0}, {1, 1, 1}, {0, 1, 1}, {1, 0, 1}});
}
