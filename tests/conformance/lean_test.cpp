// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A pass leaves out what nobody reads. What it gives must be what the full pass gives.
#include <lrp/analysis/attribute.hpp>
#include <lrp/analysis/steering.hpp>

#include "conformance/model_case.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using namespace lrp::test;

namespace {

/// Looks at every site of both passes and changes nothing.
struct Watcher {
    long activations = 0, relevances = 0;
    template <Context C>
    void activation(C&, SiteRef, Activation<typename C::scalar>) {
        ++activations;
    }
    template <Context C>
    void relevance(C&, SiteRef, Activation<const typename C::scalar>, Coefficient<typename C::scalar>) {
        ++relevances;
    }
};

/// Looks at probabilities on the way back only: the forward pass has not kept them.
struct ProbsReader {
    double total = 0;
    [[nodiscard]] bool reads(Site site) const { return site == Site::probs || site == Site::act; }
    template <Context C>
    void relevance(C& ctx, SiteRef site, Activation<const typename C::scalar> x, Coefficient<typename C::scalar>) {
        if (site.site == Site::probs)
            for (const auto value : download(ctx, x)) total += static_cast<double>(value);
    }
};

struct UniformSoftmax : AttnLRP {
    using softmax = UniformRule<Softmax>;  // no plain derivative: the scores are needed again
};

Rows as_rows(const std::vector<float>& values) { return {Row(values.begin(), values.end())}; }

template <class T, Composite Rules>
void check_lean(const std::string& what) {
    using B = Subject<T>;
    Bench<T> bench(31);
    LlamaConfig config;
    config.vocab_size = 30;
    config.hidden_size = 12;
    config.intermediate_size = 20;
    config.layers = 2;
    config.attention = {4, 2, 6};
    LlamaModel<B, Rules> model(config, random_weights<B>(bench.ctx, config, 5));
    model.set_tiled_from(0);
    std::vector<std::int32_t> ids(21);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>(i * 7 % 30);
    for (const auto& recompute : {Recompute::keep(), Recompute::layer()}) {
        AttributeOptions options;
        options.target = 3;
        options.sites = {true, true, true, true};
        options.recompute = recompute;
        Watcher watcher;
        const Trace lean = attribute(bench.ctx, model, ids, options), full = attribute(bench.ctx, model, ids, options, watcher);
        CHECK(watcher.activations == 2 * 19 + 3 + (recompute.first > 0 ? 17 : 0));
        CHECK(watcher.relevances == 2 * 19 + 3);
        const auto compare = [&](const char* site, const std::vector<float>& mine, const std::vector<float>& right) {
            REQUIRE(mine.size() == right.size());
            // The uniform rule divides by scores, some of them near 0: other last bits of a score are magnified.
            constexpr double slack = std::same_as<typename Rules::softmax, UniformRule<Softmax>> ? 100 : 1;
            const double deviation = gap(as_rows(mine), as_rows(right)) / peak(as_rows(right));
            report().note<T>(what + " lean, " + site, deviation);
            INFO(what << ", " << site);
            CHECK(deviation <= slack * tolerance<T>);
        };
        compare("logits", lean.logits, full.logits);
        compare("embedding", lean.embedding, full.embedding);
        compare("residual", lean.residual, full.residual);
        compare("head", lean.head, full.head);
        compare("neuron", lean.neuron, full.neuron);
        ProbsReader reader;
        const Trace partly = attribute(bench.ctx, model, ids, options, reader);
        CHECK(reader.total == Approx(2.0 * 4 * 21).epsilon(1e-5));  // rows of probabilities sum to 1
        compare("embedding", partly.embedding, full.embedding);
    }
}

/// Neurons and heads changed, in both layers.
SteeringPlan edits() {
    SteeringPlan plan;
    using enum UnitEdit::Kind;
    plan.units = {{Site::head, 0, 1, scale, 0}, {Site::head, 1, 2, scale, 3}, {Site::head, 1, 0, set, 0.5}, {Site::neuron, 0, 5, scale, 0}, {Site::neuron, 0, 9, scale, -2}, {Site::neuron, 1, 7, set, 1.5}};
    return plan;
}

template <class B, Composite Rules, class... Watchers>
Trace edited(typename B::context& ctx, const LlamaModel<B, Rules>& model, const AttributeOptions& options, Watchers&... watchers) {
    Steering<B> steering(ctx, model.config(), edits());
    ObserverChain<Steering<B>, Watchers...> all(steering, watchers...);
    return attribute(ctx, model, prompt_of(21), options, all);
}

/// Activations that an observer changes do not change how relevance is propagated: what the reference says, whatever is left out or computed again.
template <class T, Composite Rules>
void check_edited(const std::string& what) {
    using B = Subject<T>;
    const LlamaConfig config = shape(24, 40, {4, 2, 6});
    Bench<T> bench(31);
    Right::context right_ctx;
    LlamaModel<B, Rules> model(config, weights_of<B>(bench.ctx, config));
    model.set_tiled_from(0);
    const LlamaModel<Right, Rules> reference(config, weights_of<Right>(right_ctx, config));
    AttributeOptions options;
    options.target = 3;
    options.sites = {true, true, true, true};
    options.recompute = Recompute::keep();
    const Trace right = edited(right_ctx, reference, options), unchanged = attribute(right_ctx, reference, prompt_of(21), options);
    const auto compare = [&](const char* site, const std::vector<float>& mine, const std::vector<float>& reference_s, const std::vector<float>& without) {
        REQUIRE(mine.size() == reference_s.size());
        const double size = peak(as_rows(reference_s)), deviation = gap(as_rows(mine), as_rows(reference_s)) / size;
        report().note<T>(what + " edited, " + site, deviation);
        INFO(what << ", " << site);
        CHECK(deviation <= 3 * allowed<T>);
        CHECK(gap(as_rows(without), as_rows(reference_s)) > 0.01 * size);
    };
    // Of what was made 0 nothing comes, whoever computes: neuron 5 and head 1 of the first layer.
    const auto largest_of_zeroed = [&](const Trace& trace) {
        float largest = 0;
        for (std::size_t t = 0; t < trace.tokens_count; ++t) largest = std::max({largest, std::abs(trace.neuron[t * trace.neurons + 5]), std::abs(trace.head[t * trace.heads + 1])});
        return largest;
    };
    CHECK(largest_of_zeroed(unchanged) > 0);
    for (const auto& recompute : {Recompute::keep(), Recompute::layer()}) {
        options.recompute = recompute;
        Watcher watcher;
        for (const Trace& mine : {edited(bench.ctx, model, options), edited(bench.ctx, model, options, watcher)}) {
            compare("logits", mine.logits, right.logits, unchanged.logits);
            compare("embedding", mine.embedding, right.embedding, unchanged.embedding);
            compare("residual", mine.residual, right.residual, unchanged.residual);
            compare("head", mine.head, right.head, unchanged.head);
            compare("neuron", mine.neuron, right.neuron, unchanged.neuron);
            CHECK(largest_of_zeroed(mine) == 0);
        }
    }
}

}  // namespace

TEMPLATE_TEST_CASE("a pass in which neurons and heads are edited gives what the double reference gives", "[model]", float, double) {
    check_edited<TestType, AttnLRP>("AttnLRP");
    check_edited<TestType, CpLRP>("CP-LRP");
    check_edited<TestType, Gradient>("Gradient");
}

TEMPLATE_TEST_CASE("a pass that leaves out what nobody reads gives what the full pass gives", "[model]", float, double) {
    check_lean<TestType, AttnLRP>("AttnLRP");
    check_lean<TestType, CpLRP>("CP-LRP");
    check_lean<TestType, Gradient>("Gradient");
    check_lean<TestType, UniformSoftmax>("uniform softmax");
}
