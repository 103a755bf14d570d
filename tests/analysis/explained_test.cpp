// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The loop of generating, attributing and adjusting against the same steps taken one by one.
#include <lrp/analysis/explained.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/decoder.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
using lrp::test::largest_difference;
using lrp::test::largest_magnitude;
using Kind = UnitEdit::Kind;

namespace {

template <Backend B>
LlamaModel<B, AttnLRP> make_model(typename B::context& ctx) {
    return {test::small_llama(), lrp::test::random_weights<B>(ctx, test::small_llama())};
}

const SteeringPlan one{{{Site::neuron, 1, 3, Kind::set, 30}, {Site::head, 0, 1, Kind::scale, 0}}, {}, {}},
    two{{{Site::neuron, 2, 5, Kind::set, -20}}, {{0, std::vector<float>(24, 0.5f), 1}}, {}}, placed{{{Site::neuron, 0, 7, Kind::set, 25}}, {}, {{2, 3}, {9, 1}}};

}  // namespace

TEMPLATE_TEST_CASE("each new token is explained as the whole text before it is", "", ReferenceBackend<float>, EigenBackend<float>) {
    using B = TestType;
    typename B::context ctx;
    const auto model = make_model<B>(ctx);
    ExplainedOptions options;
    options.generate.max_new_tokens = 5;
    options.generate.temperature = 2;
    options.generate.seed = 4;
    options.units = 6;
    std::vector<std::int32_t> text = test::small_prompt;
    std::size_t off_the_top = 0;
    const Explained result = generate_explained(ctx, model, test::small_prompt, options, [&](const ExplainedToken& token, SteeringPlan& plan) {
        CHECK(plan.empty());
        AttributeOptions own;
        own.target = token.id;
        const UnitReport right = relevant_units(ctx, model, text, own, 6);
        CHECK(token.trace.ids == text);
        CHECK((token.trace.target == token.id && token.trace.explained == right.trace.explained && token.logit == Approx(right.trace.explained)));
        CHECK(token.trace.embedding == right.trace.embedding);
        CHECK(token.trace.residual == right.trace.residual);
        CHECK(token.trace.neuron == right.trace.neuron);
        REQUIRE((token.neurons.size() == 6 && token.heads.size() == 6));
        for (std::size_t i = 0; i < 6; ++i) {
            CHECK((token.neurons[i].layer == right.neurons[i].layer && token.neurons[i].unit == right.neurons[i].unit &&
                   token.neurons[i].relevance == right.neurons[i].relevance));
            CHECK((token.heads[i].unit == right.heads[i].unit && token.heads[i].activation == right.heads[i].activation));
        }
        double total = 0;
        for (const float logit : right.trace.logits) total += std::exp(static_cast<double>(logit) - token.logit);
        CHECK(token.probability == Approx(1 / total));
        off_the_top += token.id != right.trace.predictions.front().id ? 1 : 0;
        text.push_back(token.id);
        return true;
    });
    CHECK((result.tokens.size() == 5 && result.end == GenerateEnd::length && result.asked == 0));
    CHECK(off_the_top > 0);  // so that the explained token was not always the most likely one
    LlamaDecoder decoder(ctx, model, 16);
    CHECK(generate(decoder, test::small_prompt, options.generate).new_ids == result.new_ids());

    options.attribute.target = 17;
    const Explained other = generate_explained(ctx, model, test::small_prompt, options);
    CHECK(other.new_ids() == result.new_ids());
    AttributeOptions own;
    own.target = 17;
    CHECK(other.tokens[1].trace.embedding == attribute(ctx, model, other.tokens[1].trace.ids, own).embedding);
    CHECK(other.tokens[1].trace.embedding != result.tokens[1].trace.embedding);
}

TEST_CASE("steered, the loop gives what steer gives, in both modes; what it explains is the steered pass") {
    using B = EigenBackend<double>;
    B::context ctx(1);
    const auto model = make_model<B>(ctx);
    LlamaDecoder decoder(ctx, model, 16);
    for (const SteeringPlan& plan : {one, two, placed})
        for (const SteeringMode mode : {SteeringMode::all_positions, SteeringMode::new_tokens}) {
            ExplainedOptions options;
            options.generate.max_new_tokens = 6;
            options.plan = plan;
            options.mode = mode;
            const Explained mine = generate_explained(ctx, model, test::small_prompt, options);
            const Steered right = steer(decoder, test::small_prompt, plan, mode, options.generate);
            CHECK(mine.new_ids() == right.after.new_ids);
            CHECK((mine.asked == right.asked && mine.changed == right.changed));
            CHECK(largest_difference(mine.tokens.front().trace.logits, right.after.logits) < 1e-5);
            if (mode == SteeringMode::new_tokens) continue;
            Steering<B> steering(ctx, test::small_llama(), plan);
            AttributeOptions own;
            own.target = mine.tokens[3].id;
            CHECK(mine.tokens[3].trace.embedding == attribute(ctx, model, mine.tokens[3].trace.ids, own, steering).embedding);
        }
}

TEST_CASE("a plan that changes between tokens holds from the next one on") {
    using B = EigenBackend<double>;
    B::context ctx(1);
    const auto model = make_model<B>(ctx);
    const std::vector<SteeringPlan> plans{one, one, two, {}, placed, one};  // in force at each token
    for (const SteeringMode mode : {SteeringMode::all_positions, SteeringMode::new_tokens}) {
        ExplainedOptions options;
        options.generate.max_new_tokens = 6;
        options.plan = plans[0];
        options.mode = mode;
        std::size_t step = 0;
        const Explained mine = generate_explained(ctx, model, test::small_prompt, options, [&](const ExplainedToken&, SteeringPlan& plan) {
            if (++step < plans.size()) plan = plans[step];
            return true;
        });
        REQUIRE(mine.tokens.size() == 6);
        // Behind a cache: each token is read under the plan of its time. Everywhere: the whole text, anew.
        LlamaDecoder decoder(ctx, model, 16);
        std::vector<std::int32_t> text = test::small_prompt;
        if (mode == SteeringMode::new_tokens) (void)decoder.extend(std::span(test::small_prompt).first(7));
        for (std::size_t i = 0; i < 6; ++i) {
            if (mode == SteeringMode::all_positions) decoder.keep(0);
            const auto unread = std::span(text).subspan(decoder.ids().size());
            std::vector<double> right;
            if (plans[i].empty()) {
                right = decoder.extend(unread);
            } else {
                Steering<B> steering(ctx, test::small_llama(), plans[i]);
                right = decoder.extend(unread, steering);
            }
            const std::vector<float> close(right.begin(), right.end());
            CHECK(largest_difference(mine.tokens[i].trace.logits, close) < 1e-5 * largest_magnitude(close));
            text.push_back(mine.tokens[i].id);
        }
        CHECK(mine.asked == 7);                                                  // 2, 2, 0, 1 and 2: the same plan twice in a row is one
        CHECK(mine.changed == (mode == SteeringMode::all_positions ? 7u : 6u));  // the positions of `placed` were read before its time
    }
}

TEST_CASE("the loop ends where generation ends, and refuses what cannot be") {
    using B = ReferenceBackend<float>;
    B::context ctx;
    const auto model = make_model<B>(ctx);
    ExplainedOptions options;
    options.generate.max_new_tokens = 4;
    const Explained all = generate_explained(ctx, model, test::small_prompt, options);
    options.generate.stop_ids = {all.tokens[1].id};
    CHECK((generate_explained(ctx, model, test::small_prompt, options).tokens.size() <= 2 &&
           generate_explained(ctx, model, test::small_prompt, options).end == GenerateEnd::stop_id));
    options.generate.stop_ids.clear();
    const Explained stopped = generate_explained(ctx, model, test::small_prompt, options, [](const ExplainedToken&, SteeringPlan&) { return false; });
    CHECK((stopped.tokens.size() == 1 && stopped.end == GenerateEnd::callback));
    CHECK(all.tokens[0].neurons.empty());
    options.attribute.position = 2;
    CHECK_THROWS_WITH(generate_explained(ctx, model, test::small_prompt, options), Contains("expected no position, found 2"));
    options.attribute.position.reset();
    CHECK_THROWS_WITH(generate_explained(ctx, model, {}, options), Contains("the prompt has no token"));
    const auto bad = [](const ExplainedToken&, SteeringPlan& plan) {
        plan.units.push_back({Site::neuron, 9, 0, Kind::set, 1});
        return true;
    };
    CHECK_THROWS_WITH(generate_explained(ctx, model, test::small_prompt, options, bad), Contains("expected a layer from 0 to 2, found 9"));
}

TEST_CASE("a plan that changes in one number alone is another plan") {
    using B = EigenBackend<double>;
    B::context ctx(1);
    const auto model = make_model<B>(ctx);
    const SteeringPlan first{{{Site::neuron, 1, 3, Kind::set, 30}}, {{0, std::vector<float>(24, 0.5f), 1}}, {}};
    SteeringPlan value = first, kind = first, scale = first, direction = first, positions = first;
    value.units[0].value = -20;
    kind.units[0].kind = Kind::scale;
    scale.directions[0].scale = -3;
    direction.directions[0].values[5] = 8;
    positions.positions = {{0, 3}};
    const auto logits = [&](const SteeringPlan& plan, const std::vector<std::int32_t>& text) {
        LlamaDecoder decoder(ctx, model, 16);
        Steering<B> steering(ctx, test::small_llama(), plan);
        const auto all = decoder.extend(text, steering);
        return std::vector<float>(all.begin(), all.end());
    };
    for (const SteeringPlan* next : {&value, &kind, &scale, &direction, &positions}) {
        ExplainedOptions options;
        options.generate.max_new_tokens = 2;
        options.plan = first;
        const Explained mine = generate_explained(ctx, model, test::small_prompt, options, [&](const ExplainedToken&, SteeringPlan& plan) {
            plan = *next;
            return true;
        });
        std::vector<std::int32_t> text = test::small_prompt;
        text.push_back(mine.tokens[0].id);
        const auto right = logits(*next, text);
        CHECK(largest_difference(mine.tokens[1].trace.logits, right) < 1e-5 * largest_magnitude(right));
        CHECK(largest_difference(logits(first, text), right) > 1e-3);
    }
}
