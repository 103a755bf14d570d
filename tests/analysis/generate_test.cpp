// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Generation against transformers' and against itself: greedy continuations, and how tokens are drawn.
#include <map>

#include <lrp/analysis/generate.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/decoder.hpp>
#include <lrp/pipeline/load_llama.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

using namespace lrp;
using namespace lrp::test;
using Catch::Matchers::Contains;

namespace {

std::filesystem::path model_folder(const std::string& name) {
    return name == "mini" ? std::filesystem::path(LRP_SOURCE_ROOT) / "examples/models/mini" : golden_folder() / "models" / name;
}

const std::vector<double> four{1.0, 3.0, 2.0, 3.0};

/// How often each token is drawn, of 20000.
std::map<std::int32_t, double> shares(const GenerateOptions& options) {
    TokenSampler sample(options);
    std::map<std::int32_t, double> counts;
    for (int i = 0; i < 20000; ++i) counts[sample(four)] += 1.0 / 20000;
    return counts;
}

}  // namespace

TEMPLATE_TEST_CASE("greedy generation is transformers' own", "", ReferenceBackend<float>, EigenBackend<float>) {
    using B = TestType;
    const auto entries = parse_json(read_text_file(golden_folder() / "generation.json"), "generation.json");
    REQUIRE(entries.size() == 62);
    std::size_t ended = 0;
    for (const auto& entry : entries) {
        const auto folder = model_folder(entry["model"]);
        const auto file = read_hf_config(folder);
        const auto config = llama_config(file);
        typename B::context ctx;
        const LlamaModel<B, AttnLRP> model(config, load_llama_weights<B>(ctx, config, Checkpoint::open(folder)));
        const auto ids = entry["ids"].get<std::vector<std::int32_t>>();
        GenerateOptions options;
        options.max_new_tokens = 24;
        if (!entry["ignore_eos"].get<bool>()) options.stop_ids = file.eos_token_ids;
        LlamaDecoder decoder(ctx, model, static_cast<Index>(ids.size()) + 24);
        INFO(entry["model"] << ", " << ids.size() << " tokens");
        const Generated result = generate(decoder, ids, options);
        CHECK(result.new_ids == entry["new_ids"].get<std::vector<std::int32_t>>());
        CHECK(result.token_logits.size() == result.new_ids.size());
        const bool stopped = result.end == GenerateEnd::stop_id;
        CHECK(stopped == (!options.stop_ids.empty() && result.new_ids.back() == options.stop_ids.front()));
        ended += stopped ? 1 : 0;
    }
    CHECK(ended > 0);
}

TEST_CASE("the choice of a token: greedy, temperature, top-k, top-p, seed") {
    CHECK(TokenSampler({})(four) == 1);  // the lower id among equals
    GenerateOptions options;
    options.temperature = 0.5;
    const double total = std::exp(-4.0) + 1 + std::exp(-2.0) + 1;
    auto all = shares(options);
    CHECK(all[0] == Approx(std::exp(-4.0) / total).margin(0.005));
    CHECK(all[1] == Approx(1 / total).margin(0.015));
    CHECK(all[2] == Approx(std::exp(-2.0) / total).margin(0.01));
    options.top_k = 2;
    auto two = shares(options);
    CHECK((two.size() == 2 && two[1] > 0.48 && two[3] > 0.48));
    options.top_k = 0;
    options.top_p = 0.4;  // the first alone reaches it
    CHECK(shares(options).size() == 1);
    options.top_p = 0.9;  // the two best have 0.925
    auto kept = shares(options);
    CHECK((kept.size() == 2 && kept[1] == Approx(0.5).margin(0.015)));
    options.top_p = 0.95;
    CHECK(shares(options).size() == 3);
    options.top_k = 3;  // of the three left the two best have 0.937
    options.top_p = 0.935;
    CHECK(shares(options).size() == 2);

    options = {};
    options.temperature = 1;
    TokenSampler a(options), b(options);
    options.seed = 1;
    TokenSampler c(options);
    std::vector<std::int32_t> drawn_a, drawn_b, drawn_c;
    for (int i = 0; i < 50; ++i) {
        drawn_a.push_back(a(four));
        drawn_b.push_back(b(four));
        drawn_c.push_back(c(four));
    }
    CHECK(drawn_a == drawn_b);
    CHECK(drawn_a != drawn_c);

    options.temperature = -1;
    CHECK_THROWS_AS(TokenSampler(options), UsageError);
    options.temperature = 1;
    options.top_p = 0;
    CHECK_THROWS_WITH(TokenSampler(options), Contains("top-p: expected more than 0 and at most 1, found 0"));
}

TEST_CASE("generation tells each token, stops when told to, and reads on") {
    using B = EigenBackend<float>;
    const auto folder = model_folder("plain");
    const auto config = llama_config(read_hf_config(folder));
    B::context ctx;
    const LlamaModel<B, AttnLRP> model(config, load_llama_weights<B>(ctx, config, Checkpoint::open(folder)));
    const std::vector<std::int32_t> ids{0, 5, 9};
    GenerateOptions options;
    options.max_new_tokens = 10;
    LlamaDecoder decoder(ctx, model, 32);
    std::vector<std::int32_t> told;
    const Generated all = generate(decoder, ids, options, NullObserver{}, [&](std::int32_t id) {
        told.push_back(id);
        return true;
    });
    CHECK((told == all.new_ids && all.end == GenerateEnd::length && told.size() == 10));
    CHECK(std::max_element(all.logits.begin(), all.logits.end()) - all.logits.begin() == told[0]);
    REQUIRE(all.token_logits.size() == 10);
    for (std::size_t i = 0; i < 10; ++i) {  // each by itself
        LlamaDecoder fresh(ctx, model, 32);
        std::vector<std::int32_t> before = ids;
        before.insert(before.end(), told.begin(), told.begin() + static_cast<std::ptrdiff_t>(i));
        CHECK(all.token_logits[i] == Approx(fresh.extend(before)[static_cast<std::size_t>(told[i])]).epsilon(1e-4));
    }
    decoder.keep(0);
    const Generated some = generate(decoder, ids, options, NullObserver{}, [&](std::int32_t id) { return id != told[3]; });
    CHECK(some.end == GenerateEnd::callback);
    CHECK((some.new_ids.back() == told[3] && some.new_ids.size() <= 4));
    // What was generated and not yet read is read first; then all goes on as before.
    decoder.keep(0);
    options.max_new_tokens = 4;
    Generated first = generate(decoder, ids, options);
    options.max_new_tokens = 6;
    const Generated rest = generate(decoder, {&first.new_ids.back(), 1}, options);
    first.new_ids.insert(first.new_ids.end(), rest.new_ids.begin(), rest.new_ids.end());
    CHECK(first.new_ids == told);
    options.max_new_tokens = 100;
    CHECK_THROWS_WITH(generate(decoder, ids, options), Contains("there is room for 32 tokens"));
}
