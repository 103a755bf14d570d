// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Steering against models whose weights were changed to do the same.
#include <limits>

#include <lrp/analysis/attribute.hpp>
#include <lrp/analysis/steering.hpp>
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

/// The random weights of tests, changed: `change(name, values [rows, cols], cols)`.
template <Backend B, class F>
LlamaModel<B, AttnLRP> changed_model(typename B::context& ctx, const F& change) {
    std::mt19937 random(1);
    std::normal_distribution<double> draw(0, 0.3);
    return {test::small_llama(true),
            std::make_shared<const LlamaWeights<B>>(make_llama_weights<B>(ctx, test::small_llama(true), [&](const std::string& name, Index, Index cols, auto host) {
                for (auto& value : host) value = static_cast<typename B::scalar>(draw(random) + (name.ends_with("norm.weight") ? 1 : 0));
                change(name, host, static_cast<std::size_t>(cols));
            }))};
}
template <Backend B>
LlamaModel<B, AttnLRP> plain_model(typename B::context& ctx) {
    return {test::small_llama(true), lrp::test::random_weights<B>(ctx, test::small_llama(true))};
}

template <Backend B, class O = NullObserver>
std::vector<typename B::scalar> logits(typename B::context& ctx, const LlamaModel<B, AttnLRP>& model, O&& observer = {},
                                       const PassOptions& options = Recompute::keep()) {
    const std::vector<std::int32_t> last{static_cast<std::int32_t>(test::small_prompt.size()) - 1};
    return model.forward(ctx, test::small_prompt, last, options, observer).logits.download(ctx);
}

}  // namespace

TEMPLATE_TEST_CASE("edits are what other weights would have done", "", ReferenceBackend<double>, EigenBackend<double>, EigenBackend<float>) {
    using B = TestType;
    typename B::context ctx;
    const auto model = plain_model<B>(ctx);
    const auto check = [&](const SteeringPlan& plan, const LlamaModel<B, AttnLRP>& other, std::size_t count) {
        Steering<B> steering(ctx, test::small_llama(true), plan);
        CHECK(steering.changed(ctx) == 0);
        const auto mine = logits<B>(ctx, model, steering), right = logits<B>(ctx, other);
        CHECK(largest_difference(mine, right) < tolerance<typename B::scalar> * largest_magnitude(right));
        CHECK(largest_difference(mine, logits<B>(ctx, model)) > 1e-4);
        CHECK((steering.asked() == count && steering.changed(ctx) == count));
    };
    // A scaled neuron: its column of down_proj. A scaled head: its columns of o_proj. A neuron that becomes a number: down_proj's bias.
    check({{{Site::neuron, 1, 3, Kind::scale, 2.5}, {Site::neuron, 2, 39, Kind::scale, 0}}, {}, {}},
          changed_model<B>(ctx,
                           [](const std::string& name, auto host, std::size_t cols) {
                               const std::size_t column = name == "model.layers.1.mlp.down_proj.weight"   ? 3
                                                          : name == "model.layers.2.mlp.down_proj.weight" ? 39
                                                                                                          : cols;
                               for (std::size_t i = column; column < cols && i < host.size(); i += cols) host[i] *= column == 3 ? 2.5f : 0.0f;
                           }),
          2);
    check({{{Site::head, 1, 3, Kind::scale, 0}}, {}, {}},
          changed_model<B>(ctx,
                           [](const std::string& name, auto host, std::size_t cols) {
                               if (name != "model.layers.1.self_attn.o_proj.weight") return;
                               for (std::size_t i = 0; i < host.size(); ++i)
                                   if (i % cols >= 24) host[i] = 0;
                           }),
          1);
    std::vector<double> column;
    check({{{Site::neuron, 0, 5, Kind::set, 4}}, {}, {}},
          changed_model<B>(ctx,
                           [&](const std::string& name, auto host, std::size_t cols) {
                               if (name == "model.layers.0.mlp.down_proj.weight")
                                   for (std::size_t i = 5; i < host.size(); i += cols) {
                                       column.push_back(static_cast<double>(host[i]));
                                       host[i] = 0;
                                   }
                               if (name == "model.layers.0.mlp.down_proj.bias")
                                   for (std::size_t i = 0; i < host.size(); ++i) host[i] += static_cast<typename B::scalar>(4 * column[i]);
                           }),
          1);
    // A direction: down_proj's bias as well. Two at one layer add up.
    std::vector<float> v(24);
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = 0.25f * static_cast<float>(i % 5);
    check({{}, {{1, v, 2}, {1, v, -0.5}}, {}},
          changed_model<B>(ctx,
                           [&](const std::string& name, auto host, std::size_t) {
                               if (name == "model.layers.1.mlp.down_proj.bias")
                                   for (std::size_t i = 0; i < host.size(); ++i) host[i] += static_cast<typename B::scalar>(1.5f * v[i]);
                           }),
          1);
}

TEST_CASE("edits of one unit take place in turn; a value may be added; recomputed layers are edited again") {
    using B = ReferenceBackend<double>;
    B::context ctx;
    const auto model = plain_model<B>(ctx);
    const auto with = [&](std::vector<UnitEdit> edits, const PassOptions& options = Recompute::keep()) {
        Steering<B> steering(ctx, test::small_llama(true), {std::move(edits), {}, {}});
        return logits<B>(ctx, model, steering, options);
    };
    const UnitEdit set{Site::neuron, 1, 3, Kind::set, 2}, add{Site::neuron, 1, 3, Kind::add, 0.5}, scale{Site::neuron, 1, 3, Kind::scale, 3};
    const auto same = [&](std::vector<UnitEdit> edits, double value) {
        return largest_difference(with(std::move(edits)), with({{Site::neuron, 1, 3, Kind::set, value}})) == 0;
    };
    CHECK(same({set, add, scale}, 7.5));
    CHECK(same({set, scale, add}, 6.5));
    CHECK(same({add, scale, set}, 2));
    CHECK(largest_difference(with({add}), with({{Site::neuron, 1, 3, Kind::scale, 1}})) > 1e-6);
    CHECK(largest_difference(with({add, {Site::neuron, 1, 3, Kind::add, -0.5}}), logits<B>(ctx, model)) == 0);
    CHECK(largest_difference(with({add, scale}), with({scale, {Site::neuron, 1, 3, Kind::add, 1.5}})) < 1e-12);

    AttributeOptions options;
    std::vector<float> first;
    for (const auto& recompute : {Recompute::keep(), Recompute::layer()}) {
        options.recompute = recompute;
        Steering<B> steering(ctx, test::small_llama(true), {{set}, {}, {}});
        const Trace trace = attribute(ctx, model, test::small_prompt, options, steering);
        if (first.empty()) first = trace.embedding;
        CHECK(trace.embedding == first);
        CHECK(trace.embedding != attribute(ctx, model, test::small_prompt, options).embedding);
    }
}

TEST_CASE("positions: edits act there alone, in whole passes and behind a cache") {
    using B = EigenBackend<double>;
    B::context ctx(1);
    const auto model = plain_model<B>(ctx);
    struct Reader {
        std::vector<double> values;
        void activation(B::context& context, SiteRef site, Activation<double> x) {
            if (site.site != Site::neuron || site.layer != 0) return;
            const auto column = download(context, x.columns(3, 1));
            values.insert(values.end(), column.begin(), column.end());
        }
    };
    const SteeringPlan plan{{{Site::neuron, 0, 3, Kind::set, 100}}, {}, {{1, 2}, {6, 5}}};
    Reader plain, whole, cached;
    (void)logits<B>(ctx, model, plain);
    Steering<B> a(ctx, test::small_llama(true), plan), b(ctx, test::small_llama(true), plan);
    ObserverChain first(a, whole), second(b, cached);
    const auto right = logits<B>(ctx, model, first);
    LlamaDecoder decoder(ctx, model, 8);
    (void)decoder.extend(std::span(test::small_prompt).first(2), second);
    (void)decoder.extend(std::span(test::small_prompt).subspan(2, 3), second);
    const auto mine = decoder.extend(std::span(test::small_prompt).subspan(5), second);
    for (std::size_t t = 0; t < test::small_prompt.size(); ++t) {
        const bool edited = t == 1 || t == 2 || t >= 6;
        CHECK(whole.values.at(t) == (edited ? 100 : plain.values.at(t)));
        CHECK(cached.values.at(t) == Approx(whole.values[t]).epsilon(1e-12));
    }
    CHECK(largest_difference(mine, right) < 1e-12 * largest_magnitude(right));
    // A last layer that holds the explained rows alone.
    const SteeringPlan last{{{Site::neuron, 2, 3, Kind::set, 100}}, {}, {{7, 1}}}, other{{{Site::neuron, 2, 3, Kind::set, 100}}, {}, {{0, 7}}};
    Steering<B> all_rows(ctx, test::small_llama(true), last), some_rows(ctx, test::small_llama(true), last), elsewhere(ctx, test::small_llama(true), other);
    const PassOptions explained{Recompute::keep(), PassOptions::Rows::explained};
    const auto all = logits<B>(ctx, model, all_rows), some = logits<B>(ctx, model, some_rows, explained);
    CHECK(largest_difference(some, all) < 1e-12 * largest_magnitude(all));
    (void)logits<B>(ctx, model, elsewhere, explained);
    CHECK(elsewhere.changed(ctx) == 0);
    // Of several prompts, positions are rows of the pass, and each prompt has rows of its own in the last layer.
    PackedPrompts packed(test::small_prompt);
    packed.add(std::span(test::small_prompt).first(5));
    const std::vector<std::int32_t> ends{6, 12};
    const auto packed_logits = [&](const PassOptions& options, Index row) {
        Steering<B> steering(ctx, test::small_llama(true), {{{Site::neuron, 2, 3, Kind::set, 100}}, {}, {{row, 1}}});
        return model.forward(ctx, packed, ends, options, steering).logits.download(ctx);
    };
    const auto plain_packed = model.forward(ctx, packed, ends, Recompute::keep()).logits.download(ctx);
    for (const Index row : {6, 12}) {
        const auto every = packed_logits(Recompute::keep(), row), few = packed_logits(explained, row);
        CHECK(largest_difference(few, every) < 1e-12 * largest_magnitude(every));
        CHECK(largest_difference(few, plain_packed) > 1e-3);
    }
}

TEST_CASE("steered generation: two modes, what was changed, and nothing changed is an error") {
    using B = EigenBackend<double>;
    B::context ctx(1);
    const auto model = plain_model<B>(ctx);
    GenerateOptions options;
    options.max_new_tokens = 6;
    LlamaDecoder decoder(ctx, model, 14);
    const SteeringPlan plan{{{Site::neuron, 1, 3, Kind::set, 30}, {Site::head, 0, 1, Kind::scale, 0}, {Site::neuron, 2, 2, Kind::scale, 1}}, {}, {}};
    const Steered all = steer(decoder, test::small_prompt, plan, SteeringMode::all_positions, options),
                  fresh = steer(decoder, test::small_prompt, plan, SteeringMode::new_tokens, options);
    CHECK((all.asked == 3 && all.changed == 2 && fresh.changed == 2));
    CHECK((all.before.new_ids == fresh.before.new_ids && all.after.new_ids.size() == 6));
    CHECK(all.before.logits == fresh.before.logits);
    CHECK(largest_difference(all.after.logits, all.before.logits) > 1e-3);
    CHECK(largest_difference(all.after.logits, fresh.after.logits) > 1e-3);
    // All positions: as a whole pass that is steered. New tokens only: as one whose plan is limited to the last position.
    Steering<B> everywhere(ctx, test::small_llama(true), plan);
    CHECK(largest_difference(all.after.logits, logits<B>(ctx, model, everywhere)) < 1e-4);
    SteeringPlan last = plan;
    last.positions = {{7, 1}};
    Steering<B> at_last(ctx, test::small_llama(true), last);
    CHECK(largest_difference(fresh.after.logits, logits<B>(ctx, model, at_last)) < 1e-4);

    const auto nothing = [&](const SteeringPlan& idle) { return steer(decoder, test::small_prompt, idle, SteeringMode::all_positions, options); };
    CHECK_THROWS_WITH(nothing({{{Site::neuron, 1, 3, Kind::scale, 1}}, {}, {}}), Contains("nothing was changed by the edits of 1 unit:"));
    CHECK_THROWS_WITH(nothing({{{Site::neuron, 1, 3, Kind::set, 1}}, {}, {{13, 4}}}), Contains("the positions were never reached"));
    CHECK_THROWS_WITH(nothing({{}, {{1, std::vector<float>(24), 1}}, {}}), Contains("nothing was changed by the edits of 1 unit:"));
}

TEST_CASE("a plan that does not fit the model is refused") {
    using B = ReferenceBackend<float>;
    B::context ctx;
    const auto make = [&](const SteeringPlan& plan) { return Steering<B>(ctx, test::small_llama(true), plan); };
    CHECK_THROWS_WITH(make({}), Contains("nothing is to be changed"));
    CHECK_THROWS_AS(make({{{Site::neuron, 3, 0, Kind::set, 1}}, {}, {}}), UsageError);
    CHECK_THROWS_WITH(make({{{Site::neuron, 3, 0, Kind::set, 1}}, {}, {}}), Contains("expected a layer from 0 to 2, found 3"));
    CHECK_THROWS_WITH(make({{{Site::neuron, 1, 40, Kind::set, 1}}, {}, {}}), Contains("expected a neuron from 0 to 39 in layer 1, found 40"));
    CHECK_THROWS_WITH(make({{{Site::head, 1, -1, Kind::set, 1}}, {}, {}}), Contains("expected a head from 0 to 3 in layer 1, found -1"));
    CHECK_THROWS_WITH(make({{{Site::gate, 1, 1, Kind::set, 1}}, {}, {}}), Contains("expected a neuron or a head, found site gate"));
    CHECK_THROWS_WITH(make({{{Site::neuron, 1, 1, Kind::set, std::numeric_limits<double>::infinity()}}, {}, {}}), Contains("neuron 1/1 is not finite"));
    CHECK_THROWS_WITH(make({{}, {{0, std::vector<float>(23), 1}}, {}}), Contains("expected a direction of 24 values at layer 0, found 23"));
    CHECK_THROWS_WITH(make({{}, {{-1, std::vector<float>(24), 1}}, {}}), Contains("found -1"));
}
