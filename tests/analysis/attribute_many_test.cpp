// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Many prompts in one pass are to the last bit what each is alone, whatever code a prompt of its length takes alone.
#include <algorithm>

#include <lrp/analysis/attribute_many.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
using lrp::test::random_weights;

namespace {

LlamaConfig two_layers() {
    LlamaConfig config;
    config.vocab_size = 70;
    config.hidden_size = 48;
    config.intermediate_size = 80;
    config.layers = 2;
    config.attention = {4, 2, 12};
    return config;
}

PromptOfMany prompt_of(std::size_t length) {
    PromptOfMany one;
    for (std::size_t i = 0; i < length; ++i) one.ids.push_back(static_cast<std::int32_t>((length * 7 + i * 13) % 70));
    if (length % 3 == 0) one.target = static_cast<std::int32_t>(length % 70);
    if (length % 5 == 0) one.position = length / 2;
    return one;
}

bool same(const Trace& a, const Trace& b) {
    return a.ids == b.ids && a.position == b.position && a.target == b.target && a.explained == b.explained && a.logits == b.logits && a.embedding == b.embedding &&
           a.residual == b.residual && a.head == b.head && a.neuron == b.neuron;
}

AttributeOptions everywhere() {
    AttributeOptions options;
    options.sites = {true, true, true, true};
    options.contrast = 11;
    return options;
}

/// Explains prompts of many lengths alone, and in as few passes as may be; returns the number of passes.
template <Backend B>
std::size_t check(typename B::context& ctx) {
    const LlamaModel<B, AttnLRP> model(two_layers(), random_weights<B>(ctx, two_layers()));
    const AttributeOptions options = everywhere();
    std::vector<PromptOfMany> prompts;
    for (const std::size_t length : {1, 1, 2, 3, 4, 5, 7, 8, 9, 16, 16, 17, 23, 24, 25, 26, 31, 32, 33, 34, 40, 64, 65, 70}) prompts.push_back(prompt_of(length));
    for (std::size_t length = 35; length < 75; ++length) prompts.push_back(prompt_of(length));  // more in a pass than are few rows
    const auto rows = [](const PromptOfMany& one) { return one.position ? *one.position + 1 : one.ids.size(); };
    std::stable_sort(prompts.begin(), prompts.end(), [&](const PromptOfMany& a, const PromptOfMany& b) { return rows(a) < rows(b); });
    std::size_t passes = 0;
    for (std::span<const PromptOfMany> rest = prompts; !rest.empty(); ++passes) {
        const std::size_t count = prompts_in_pass(ctx, model, rest, options, 2000);
        REQUIRE(count > 0);
        const auto traces = attribute_together(ctx, model, rest.first(count), options);
        REQUIRE(traces.size() == count);
        for (std::size_t i = 0; i < count; ++i) {
            AttributeOptions own = options;
            own.target = rest[i].target;
            own.position = rest[i].position;
            INFO(rest[i].ids.size() << " tokens, in a pass of " << count << " prompts");
            CHECK(same(traces[i], attribute(ctx, model, rest[i].ids, own)));
        }
        rest = rest.subspan(count);
    }
    return passes;
}

}  // namespace

TEST_CASE("prompts of all lengths share passes and are the same bits as alone, on every machine that this one can stand for") {
    const CpuFeatures here = CpuFeatures::detect();
    for (const char* level : {"plain", "avx2", "avx512", "avx512-bf16", "amx"}) {
        const std::string name = level;
        const bool has = name == "plain" || (name == "avx2" ? here.avx2 : name == "avx512" ? here.avx512 : name == "avx512-bf16" ? here.avx512_bf16 : here.amx);
        if (!has) continue;
        for (const Products products : {Products::exact, Products::fast}) {
            INFO(level << ", " << products_name(products));
            EigenBackend<float>::context wide(2);
            EigenBackend<float, bf16>::context narrow(2);
            wide.products.cpu = narrow.products.cpu = CpuFeatures::up_to(level);
            wide.products.products = narrow.products.products = products;
            const std::size_t passes = check<EigenBackend<float>>(wide), passes_bf16 = check<EigenBackend<float, bf16>>(narrow);
            if (name != "plain") CHECK((passes <= 6 && passes_bf16 <= 6));
            CHECK((wide.products.sharing == 1 && narrow.products.sharing == 1));
        }
    }
    ReferenceBackend<double>::context plain;
    CHECK(check<ReferenceBackend<double>>(plain) <= 2);  // all there are, but for the limit of tokens
}

TEST_CASE("a pass of many prompts keeps within its tokens, and names a wrong prompt's fault") {
    using B = EigenBackend<float>;
    B::context ctx;
    const LlamaModel<B, AttnLRP> model(two_layers(), random_weights<B>(ctx, two_layers()));
    std::vector<PromptOfMany> prompts(5, prompt_of(40));
    for (auto& one : prompts) one.position.reset();
    CHECK(prompts_in_pass(ctx, model, prompts, {}, 120) == 3);
    CHECK(prompts_in_pass(ctx, model, prompts, {}, 119) == 2);
    CHECK(prompts_in_pass(ctx, model, prompts, {}, 1) == 1);
    CHECK(attribute_all(ctx, model, prompts, {}, 119).size() == 5);
    prompts[1].target = 70;
    CHECK_THROWS_WITH(attribute_all(ctx, model, prompts), Contains("target: expected a token id below 70, found 70"));
    CHECK(ctx.products.sharing == 1);
}
