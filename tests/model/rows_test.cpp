// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Rows: several prompts in one pass give what each gives alone, and a last layer that holds the explained rows alone gives what all rows give.
#include <map>

#include <lrp/analysis/attribute_many.hpp>
#include <lrp/analysis/relevance_sum.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>

#include "support/catch.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
using lrp::test::random_weights;

namespace {

LlamaConfig sixty_tokens() {
    LlamaConfig config;
    config.vocab_size = 60;
    config.hidden_size = 24;
    config.intermediate_size = 40;
    config.layers = 3;
    config.attention = {4, 2, 6};
    config.attention_bias = config.mlp_bias = true;
    return config;
}

/// Relevance at every site but the T x T ones, row by row of the pass; rows that a site does not hold are 0.
template <Backend B>
struct RowSums {
    static constexpr bool takes_rows = true;
    std::size_t tokens;
    std::map<std::string, std::vector<double>> sums{};
    bool reads(Site site) const { return site != Site::scores && site != Site::probs && site != Site::logits && site != Site::final_norm; }
    void relevance(typename B::context& ctx, SiteRef ref, Activation<const typename B::scalar> x, Coefficient<typename B::scalar> c) {
        const auto values = relevance_sum(ctx, x, c.as_const());
        auto& into = sums[ref.text()];
        into.resize(tokens);
        std::size_t at = 0;
        const auto put = [&](Index first, Index count) {
            for (Index row = first; row < first + count; ++row) into[static_cast<std::size_t>(row)] = values[at++];
        };
        if (ref.rows.empty()) put(0, x.rows);
        for (const RowSpan& run : ref.rows) put(run.first, run.count);
        CHECK(at == values.size());
    }
};

template <Backend B, Composite Rules>
std::map<std::string, std::vector<double>> sums_of(typename B::context& ctx, const LlamaModel<B, Rules>& model, const PackedPrompts& prompts,
                                                   const PassOptions& options, const std::vector<std::int32_t>& positions) {
    auto pass = model.forward(ctx, prompts, positions, options);
    std::vector<Seed> seeds;
    for (const auto position : positions) seeds.push_back({position, prompts.ids[static_cast<std::size_t>(position)] % 7, 1.0 + position % 3});
    RowSums<B> observer{prompts.ids.size()};
    model.relevance(ctx, pass, seeds, observer);
    auto result = observer.sums;
    const auto logits = pass.logits.download(ctx);
    result["logits"].assign(logits.begin(), logits.end());
    return result;
}

std::vector<std::int32_t> prompt(std::size_t length, int start) {
    std::vector<std::int32_t> ids(length);
    for (std::size_t i = 0; i < length; ++i) ids[i] = static_cast<std::int32_t>((static_cast<std::size_t>(start) + i * 17) % 60);
    return ids;
}

/// Largest difference between the rows of a packed pass that belong to one prompt and that prompt's own pass.
double difference(const std::vector<double>& packed, std::size_t first, const std::vector<double>& alone) {
    double worst = 0;
    for (std::size_t i = 0; i < alone.size(); ++i) worst = std::max(worst, std::abs(packed.at(first + i) - alone[i]));
    return worst;
}

/// Largest difference of two arrays, relative to the largest value.
double apart(const std::vector<float>& a, const std::vector<float>& b) {
    REQUIRE(a.size() == b.size());
    double worst = 0, peak = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        worst = std::max(worst, std::abs(static_cast<double>(a[i]) - b[i]));
        peak = std::max(peak, std::abs(static_cast<double>(b[i])));
    }
    CHECK(peak > 0);
    return worst / peak;
}

template <Backend B, Composite Rules>
void check_packed(std::size_t shortest, Index tiled_from, double allowed) {
    typename B::context ctx;
    LlamaModel<B, Rules> model(sixty_tokens(), random_weights<B>(ctx, sixty_tokens()));
    model.set_tiled_from(tiled_from);
    const std::vector<std::vector<std::int32_t>> prompts{prompt(shortest + 4, 3), prompt(shortest, 11), prompt(shortest + 13, 40)};
    PackedPrompts packed;
    std::vector<std::int32_t> positions;
    for (const auto& one : prompts) {
        packed.add(one);
        positions.push_back(static_cast<std::int32_t>(packed.ids.size()) - 1);
    }
    for (const auto rows : {PassOptions::Rows::all, PassOptions::Rows::explained})
        for (const Recompute& recompute : {Recompute::keep(), Recompute::layer()}) {
            const auto together = sums_of<B, Rules>(ctx, model, packed, {recompute, rows}, positions);
            for (std::size_t i = 0; i < prompts.size(); ++i) {
                // The seed of a token depends on its place in the pass; the same seed for the prompt alone.
                auto pass =
                    model.forward(ctx, PackedPrompts(prompts[i]), std::vector<std::int32_t>{static_cast<std::int32_t>(prompts[i].size()) - 1}, {recompute, rows});
                RowSums<B> alone{prompts[i].size()};
                const std::vector<Seed> seed{{static_cast<Index>(prompts[i].size()) - 1, prompts[i].back() % 7, 1.0 + positions[i] % 3}};
                model.relevance(ctx, pass, seed, alone);
                for (const auto& [site, sums] : alone.sums) {
                    INFO(site << ", prompt " << i);
                    CHECK(difference(together.at(site), static_cast<std::size_t>(packed.prompts[i].first), sums) <= allowed);
                    const bool stopped = std::same_as<Rules, CpLRP> && (site.ends_with(".q") || site.ends_with(".k") || site.ends_with(".q_pre") ||
                                                                        site.ends_with(".k_pre") || site.ends_with(".gate") || site.ends_with(".act"));
                    if (prompts[i].size() > 1 && !stopped) CHECK(std::any_of(sums.begin(), sums.end(), [](double value) { return value != 0; }));
                }
                const auto logits = pass.logits.download(ctx);
                CHECK(difference(together.at("logits"), i * 60, {logits.begin(), logits.end()}) <= allowed);
            }
        }
}

}  // namespace

TEST_CASE("prompts packed into one pass give to the last bit what each gives alone") {
    check_packed<ReferenceBackend<double>, AttnLRP>(1, 0, 0);
    check_packed<EigenBackend<float>, AttnLRP>(5, 0, 0);
    check_packed<EigenBackend<float>, CpLRP>(5, 0, 0);
    check_packed<EigenBackend<float, bf16>, AttnLRP>(5, 0, 0);
    check_packed<EigenBackend<float>, AttnLRP>(1, 1000, 1e-5);  // stored matrices; a lone token takes other products
}

TEST_CASE("a last layer of the explained rows alone gives what all rows give") {
    using B = EigenBackend<float>;
    B::context ctx;
    LlamaModel<B, AttnLRP> model(sixty_tokens(), random_weights<B>(ctx, sixty_tokens()));
    for (const Index tiled_from : {Index{0}, Index{1000}}) {
        model.set_tiled_from(tiled_from);
        PackedPrompts packed;
        packed.add(prompt(19, 3));
        packed.add(prompt(12, 9));
        for (const std::vector<std::int32_t>& positions : {std::vector<std::int32_t>{13, 30}, std::vector<std::int32_t>{0, 5, 19, 24}}) {
            const auto all = sums_of<B, AttnLRP>(ctx, model, packed, {Recompute::keep(), PassOptions::Rows::all}, positions);
            for (const Recompute& recompute : {Recompute::keep(), Recompute::layer()}) {
                const auto some = sums_of<B, AttnLRP>(ctx, model, packed, {recompute, PassOptions::Rows::explained}, positions);
                for (const auto& [site, sums] : all) {
                    INFO(site << ", tiled from " << tiled_from);
                    double peak = 0;
                    for (const double value : sums) peak = std::max(peak, std::abs(value));
                    CHECK(difference(some.at(site), 0, sums) <= 2e-6 * peak);
                }
            }
        }
    }
}

TEST_CASE("scores and probabilities of packed prompts say whose they are, forward and backward") {
    using B = ReferenceBackend<double>;
    B::context ctx;
    const LlamaModel<B, AttnLRP> model(sixty_tokens(), random_weights<B>(ctx, sixty_tokens()));
    PackedPrompts packed;
    const std::vector<Index> lengths{3, 5, 2};
    for (const Index length : lengths) packed.add(prompt(static_cast<std::size_t>(length), 1));
    struct Whose {
        const std::vector<Index>& lengths;
        std::map<std::string, std::vector<Index>> forward{}, backward{};
        bool reads(Site site) const { return site == Site::scores || site == Site::probs; }
        void note(std::map<std::string, std::vector<Index>>& seen, const SiteRef& ref, Index rows, Index cols) const {
            const Index length = lengths.at(static_cast<std::size_t>(ref.prompt));
            CHECK((rows == 4 * length && cols == length));
            seen[ref.text()].push_back(ref.prompt);
        }
        void activation(B::context&, SiteRef ref, Activation<double> x) { note(forward, ref, x.rows, x.cols); }
        void relevance(B::context&, SiteRef ref, Activation<const double>, Coefficient<double> c) { note(backward, ref, c.rows, c.cols); }
    } whose{lengths};
    auto pass = model.forward(ctx, packed, std::vector<std::int32_t>{2, 7, 9}, Recompute::keep(), whose);
    (void)model.relevance(ctx, pass, std::vector<Seed>{{2, 1, 1}, {7, 2, 1}, {9, 3, 1}}, whose);
    CHECK(whose.forward.size() == 6);
    CHECK(whose.backward.size() == 6);
    for (const auto* seen : {&whose.forward, &whose.backward})
        for (const auto& [site, prompts] : *seen) CHECK(prompts == std::vector<Index>{0, 1, 2});
}

TEST_CASE("an observer that wants all rows of a pass that kept some is refused") {
    using B = ReferenceBackend<float>;
    B::context ctx;
    const LlamaModel<B, AttnLRP> model(sixty_tokens(), random_weights<B>(ctx, sixty_tokens()));
    const auto ids = prompt(9, 2);
    auto pass = model.forward(ctx, ids, std::vector<std::int32_t>{8}, {Recompute{}, PassOptions::Rows::explained});
    struct Everywhere {
        void relevance(B::context&, SiteRef, Activation<const float>, Coefficient<float>) {}
    } everywhere;
    const std::vector<Seed> seed{{8, 1, 1}};
    CHECK_THROWS_WITH(model.relevance(ctx, pass, seed, everywhere), Contains("an observer looks at q_pre and wants all rows"));
    struct Reader {
        void activation(B::context&, SiteRef, Activation<float>) {}
    } reader;
    CHECK_THROWS_WITH(model.forward(ctx, ids, std::vector<std::int32_t>{8}, {Recompute{}, PassOptions::Rows::explained}, reader), Contains("an observer looks at q_pre and wants all rows"));
    CHECK_THROWS_WITH(model.relevance(ctx, pass, std::vector<Seed>{{(Index{1} << 32) + 8, 1, 1}}), Contains("the pass has no logits at position 4294967304"));
    PackedPrompts none;
    CHECK_THROWS_WITH(none.add({}), Contains("a prompt has no token"));
}

TEST_CASE("a backward pass that was broken off may be asked again") {
    using B = ReferenceBackend<double>;
    B::context ctx;
    const LlamaModel<B, AttnLRP> model(sixty_tokens(), random_weights<B>(ctx, sixty_tokens()));
    const auto ids = prompt(9, 2);
    struct Breaks {
        Index layer;
        bool again = true;
        [[nodiscard]] bool reads(Site site) const { return site == Site::neuron; }
        void activation(B::context&, SiteRef site, Activation<double>) {
            if (site.recomputed && site.layer == layer && std::exchange(again, false)) throw std::runtime_error("stop");
        }
    };
    const std::vector<Seed> seed{{8, 1, 1}};
    const PassOptions options{Recompute::layer()};
    auto right = model.forward(ctx, ids, std::vector<std::int32_t>{8}, options);
    const auto expected = model.relevance(ctx, right, seed).download(ctx);
    for (Index layer = 0; layer + 1 < sixty_tokens().layers; ++layer) {
        auto pass = model.forward(ctx, ids, std::vector<std::int32_t>{8}, options);
        Breaks breaks{layer};
        CHECK_THROWS_WITH(model.relevance(ctx, pass, seed, breaks), "stop");
        CHECK(model.relevance(ctx, pass, seed, breaks).download(ctx) == expected);
    }
}

TEST_CASE("several prompts, and several targets of one, are explained as each alone") {
    using B = EigenBackend<float>;
    B::context ctx;
    LlamaModel<B, AttnLRP> model(sixty_tokens(), random_weights<B>(ctx, sixty_tokens()));
    model.set_tiled_from(0);
    AttributeOptions options;
    options.sites = {true, true, true, true};
    const std::vector<PromptOfMany> prompts{{prompt(9, 4)}, {prompt(14, 8), 5}, {prompt(6, 1)}, {prompt(30, 2), 7}};
    for (const std::size_t tokens : {std::size_t{1}, std::size_t{24}, std::size_t{1000}}) {
        const auto traces = attribute_all(ctx, model, prompts, options, tokens);
        REQUIRE(traces.size() == prompts.size());
        for (std::size_t i = 0; i < prompts.size(); ++i) {
            AttributeOptions own = options;
            own.target = prompts[i].target;
            const Trace alone = attribute(ctx, model, prompts[i].ids, own);
            CHECK(traces[i].target == alone.target);
            CHECK(apart(traces[i].logits, alone.logits) == 0);
            CHECK(apart(traces[i].embedding, alone.embedding) == 0);
            CHECK(apart(traces[i].residual, alone.residual) == 0);
            CHECK(apart(traces[i].head, alone.head) == 0);
            CHECK(apart(traces[i].neuron, alone.neuron) == 0);
        }
    }
    const std::vector<std::int32_t> targets{3, 50, 3};
    for (const Recompute& recompute : {Recompute::keep(), Recompute::layer()}) {
        options.recompute = recompute;
        options.position = recompute.first == 0 ? std::optional<std::size_t>() : 1;
        const auto traces = attribute_targets(ctx, model, prompts[1].ids, targets, options);
        for (std::size_t i = 0; i < targets.size(); ++i) {
            AttributeOptions own = options;
            own.target = targets[i];
            const Trace alone = attribute(ctx, model, prompts[1].ids, own);
            CHECK(traces[i].neuron == alone.neuron);
            CHECK(traces[i].embedding == alone.embedding);
            CHECK(traces[i].explained == alone.explained);
            CHECK(traces[i].position == alone.position);
        }
        CHECK(traces[0].embedding != traces[1].embedding);
    }
}
