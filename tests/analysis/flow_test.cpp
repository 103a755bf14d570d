// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Flow between cuts against one backward pass a position, and what its rows and columns add up to.
#include <lrp/analysis/flow.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
using lrp::test::largest_difference;
using lrp::test::largest_magnitude;
using lrp::test::random_weights;

namespace {

LlamaConfig four_layers() {
    LlamaConfig config = test::small_llama();
    config.intermediate_size = 12;
    config.layers = 4;
    return config;
}

const std::vector<FlowCuts> pairs{{0, 1}, {0, 3}, {1, 3}, {2, 3}, {1, 4}, {0, 4}};

AttributeOptions at(std::size_t position) {
    AttributeOptions options;
    options.position = position;
    options.target = 5;
    return options;
}

/// The definition: a whole pass in double; at cut `to` all coefficients but those of one position are set to zero, and at cut `from` what is left is summed.
template <class Rules>
std::vector<double> naive(const FlowCuts& cuts, std::size_t position) {
    using B = ReferenceBackend<double>;
    struct OnePosition {
        FlowCuts cuts;
        std::size_t kept;
        std::vector<double> below{};
        void relevance(B::context& ctx, SiteRef site, Activation<const double> x, Coefficient<double> c) {
            const bool embedding = site.site == Site::embedding;
            if (!embedding && site.site != Site::resid_post) return;
            const Index cut = embedding ? 0 : site.layer + 1;
            if (cut == cuts.to)
                for (Index row = 0; row < c.rows; ++row)
                    for (Index col = 0; col < c.cols; ++col)
                        if (static_cast<std::size_t>(row) != kept) c(row, col) = 0;
            if (cut != cuts.from) return;
            const auto values = download(ctx, x), coefficients = download(ctx, View<const double>(c));
            for (Index row = 0; row < x.rows; ++row) {
                below.push_back(0);
                for (Index col = 0; col < x.cols; ++col)
                    below.back() += values[static_cast<std::size_t>(row * x.cols + col)] * coefficients[static_cast<std::size_t>(row * x.cols + col)];
            }
        }
    };
    B::context ctx;
    const LlamaModel<B, Rules> model(four_layers(), random_weights<B>(ctx, four_layers()));
    std::vector<double> flow(test::small_prompt.size() * test::small_prompt.size());
    for (std::size_t j = 0; j <= position; ++j) {
        OnePosition observer{cuts, j};
        (void)attribute(ctx, model, test::small_prompt, at(position), observer);
        REQUIRE(observer.below.size() == position + 1);
        for (std::size_t i = 0; i <= position; ++i) flow[i * test::small_prompt.size() + j] = observer.below[i];
    }
    return flow;
}

template <Backend B, Composite Rules>
FlowReport flow_of(std::size_t position, std::size_t tokens, Index tiled_from = default_tiled_from<B>, Recompute recompute = {}) {
    typename B::context ctx;
    LlamaModel<B, Rules> model(four_layers(), random_weights<B>(ctx, four_layers()));
    model.set_tiled_from(tiled_from);
    AttributeOptions options = at(position);
    options.recompute = recompute;
    return relevance_flow(ctx, model, test::small_prompt, pairs, options, tokens);
}

template <class Rules>
void compare() {
    const std::size_t count = test::small_prompt.size();
    for (const std::size_t position : {7u, 5u}) {
        const FlowReport exact = flow_of<ReferenceBackend<double>, Rules>(position, 1024),
                         packed = flow_of<ReferenceBackend<double>, Rules>(position, 11, 0, Recompute::layer()),
                         tiled = flow_of<EigenBackend<float>, Rules>(position, 1024, 0), single = flow_of<EigenBackend<float>, Rules>(position, 1, 1024);
        for (std::size_t n = 0; n < pairs.size(); ++n) {
            const std::vector<double> right = naive<Rules>(pairs[n], position);
            const double peak = largest_magnitude(right);
            REQUIRE(peak > 0.01);
            CHECK(exact.flows[n].cuts == pairs[n]);
            CHECK(largest_difference(exact.flows[n].flow, right) < 1e-6 * peak);  // kept as float
            CHECK(largest_difference(packed.flows[n].flow, right) < 1e-6 * peak);
            CHECK(largest_difference(tiled.flows[n].flow, right) < 1e-4 * peak);
            CHECK(largest_difference(single.flows[n].flow, right) < 1e-4 * peak);
            // Columns: what one position hands down. Rows: the ordinary relevance below.
            std::vector<double> sums(count);
            for (std::size_t i = 0; i < count; ++i)
                for (std::size_t j = 0; j < count; ++j) {
                    sums[i] += static_cast<double>(exact.flows[n].flow[i * count + j]);
                    if (i > j || j > position) CHECK(exact.flows[n].flow[i * count + j] == 0);
                }
            CHECK(largest_difference(exact.flows[n].below, sums) < 1e-5 * peak);
            const FlowCuts& cuts = pairs[n];
            for (std::size_t t = 0; t < count; ++t) {
                CHECK(exact.flows[n].below[t] ==
                      (cuts.from == 0 ? exact.trace.embedding[t] : exact.trace.residual[static_cast<std::size_t>(cuts.from - 1) * count + t]));
                CHECK(exact.flows[n].above[t] == exact.trace.residual[static_cast<std::size_t>(cuts.to - 1) * count + t]);
            }
        }
    }
}

}  // namespace

TEST_CASE("flow is that of a backward pass for each position above, however many share one; rows add up to the trace below") {
    compare<AttnLRP>();
    compare<CpLRP>();
}

TEST_CASE("under CP-LRP without biases a position hands down all that it has, under AttnLRP not") {
    const std::size_t count = test::small_prompt.size();
    const FlowReport kept = flow_of<ReferenceBackend<double>, CpLRP>(7, 1024), lost = flow_of<ReferenceBackend<double>, AttnLRP>(7, 1024);
    for (std::size_t n = 0; n < pairs.size(); ++n) {
        double gap = 0;
        for (std::size_t j = 0; j < count; ++j) {
            double arrived = 0, other = 0;
            for (std::size_t i = 0; i < count; ++i) {
                arrived += static_cast<double>(kept.flows[n].flow[i * count + j]);
                other += static_cast<double>(lost.flows[n].flow[i * count + j]);
            }
            CHECK(arrived == Approx(static_cast<double>(kept.flows[n].above[j])).margin(1e-5));
            gap = std::max(gap, std::abs(other - static_cast<double>(lost.flows[n].above[j])));
        }
        CHECK(gap > 1e-3);
    }
}

TEST_CASE("a trace that comes with flows is the plain one; cuts that are none are refused with numbers") {
    using B = EigenBackend<float>;
    B::context ctx(1);
    const LlamaModel<B, AttnLRP> model(four_layers(), random_weights<B>(ctx, four_layers()));
    const Trace plain = attribute(ctx, model, test::small_prompt, at(6));
    const FlowReport report = relevance_flow(ctx, model, test::small_prompt, pairs, at(6));
    CHECK(largest_difference(report.trace.embedding, plain.embedding) < 1e-5);
    CHECK(largest_difference(report.trace.residual, plain.residual) < 1e-5);
    CHECK(report.trace.explained == Approx(plain.explained));
    for (const FlowCuts& wrong : {FlowCuts{1, 1}, FlowCuts{2, 1}, FlowCuts{-1, 2}, FlowCuts{0, 5}}) {
        const std::vector<FlowCuts> one{wrong};
        CHECK_THROWS_AS(relevance_flow(ctx, model, test::small_prompt, one, at(6)), UsageError);
        CHECK_THROWS_WITH(relevance_flow(ctx, model, test::small_prompt, one, at(6)), Contains("expected two cuts from 0") && Contains(std::to_string(wrong.to)));
    }
}
