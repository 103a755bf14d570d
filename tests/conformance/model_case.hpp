// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The whole model on the backend under test, held against the reference backend in double.
#pragma once

#include <lrp/analysis/compare.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>
#include <lrp/rule/preset/gradient.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

using Right = ReferenceBackend<double>;

struct ModelCase {
    const char* what;
    std::size_t tokens;
    LlamaConfig config;
};

inline LlamaConfig shape(Index hidden, Index neurons, AttentionShape attention, bool biases = false, bool tied = false, RopeScaling scaling = RopeScaling::none) {
    LlamaConfig config;
    config.vocab_size = 61;
    config.hidden_size = hidden;
    config.intermediate_size = neurons;
    config.layers = 2;
    config.attention = attention;
    config.rms_norm_eps = 1e-5;
    config.attention_bias = config.mlp_bias = biases;
    config.tie_word_embeddings = tied;
    config.rope.theta = 10000;
    config.rope.scaling = scaling;
    config.rope.factor = 4;
    config.rope.original_max_positions = 64;
    return config;
}

inline const std::vector<ModelCase>& model_cases() {
    static const std::vector<ModelCase> all{{"one token", 1, shape(16, 24, {2, 2, 8})},
                                            {"four heads on one", 17, shape(32, 40, {4, 1, 8})},
                                            {"odd sizes, biases", 33, shape(21, 37, {3, 3, 6}, true)},
                                            {"tied, llama3 scaling", 17, shape(24, 48, {4, 2, 6}, false, true, RopeScaling::llama3)}};
    return all;
}

/// The same numbers on every backend, such as bf16 can hold: of a tensor of this name and size.
inline std::vector<double> numbers(const std::string& name, std::size_t count, double scale) {
    std::mt19937 random(static_cast<unsigned>(std::hash<std::string>{}(name)));
    std::normal_distribution<double> draw(0, scale);
    std::vector<double> out(count);
    for (double& value : out) value = static_cast<double>(static_cast<float>(bf16(static_cast<float>(draw(random) + (name.ends_with("norm.weight") ? 1 : 0)))));
    return out;
}

template <Backend B>
std::shared_ptr<const LlamaWeights<B>> weights_of(typename B::context& ctx, const LlamaConfig& config) {
    const double scale = 1.5 / std::sqrt(static_cast<double>(config.hidden_size));
    return std::make_shared<const LlamaWeights<B>>(make_llama_weights<B>(ctx, config, [&]<class E>(const std::string& name, Index, Index, std::span<E> host) {
        const auto values = numbers(name, host.size(), scale);
        std::transform(values.begin(), values.end(), host.begin(), [](double value) { return narrow<E>(value); });
    }));
}

inline std::vector<std::int32_t> prompt_of(std::size_t tokens) {
    std::vector<std::int32_t> ids(tokens);
    for (std::size_t i = 0; i < tokens; ++i) ids[i] = static_cast<std::int32_t>((i * 17 + 5) % 61);
    return ids;
}

/// How closely two layers agree, of which every site is compared by itself: math.md, section 9, times what two layers add up to.
template <class T>
inline constexpr double allowed = 10 * tolerance<T>;

/// Every site of every case on backend B against the double reference with the same weights; then again, keeping and recomputing, for the same bits.
template <class B, Composite Rules, class T = typename B::scalar>
void check_model(const std::string& rules, double bound = allowed<T>) {
    for (const auto& one : model_cases()) {
        INFO(rules << ", " << one.what);
        typename B::context ctx;
        Right::context right_ctx;
        const LlamaModel<B, Rules> model(one.config, weights_of<B>(ctx, one.config));
        const LlamaModel<Right, Rules> right(one.config, weights_of<Right>(right_ctx, one.config));
        const auto ids = prompt_of(one.tokens);
        AttributeOptions options;
        options.target = 3;
        options.contrast = 8;
        options.recompute = Recompute::keep();
        const SiteComparison found = compare_backends(ctx, model, right_ctx, right, ids, options);
        for (const auto& site : found.sites) {
            const double deviation = std::max(site.activation, site.backward());
            report().note<T>(std::string(std::same_as<typename B::weight, bf16> ? "model with bf16 weights, " : "model, ") + std::string(site_name(site.site.site)), deviation);
            INFO(site.site.text());
            CHECK(deviation <= bound);
        }
        CHECK(found.largest() <= bound);

        // Two runs on one context, keeping or recomputing: the same bits.
        const SiteRecording first = record_sites(ctx, model, ids, options), second = record_sites(ctx, model, ids, options);
        CHECK(compare_sites(second, first).largest() == 0);
        options.recompute = Recompute::layer();
        CHECK(compare_sites(record_sites(ctx, model, ids, options), first).largest() == 0);
        if constexpr (requires { ctx.calls; }) CHECK(ctx.calls > 100);
    }
}

}  // namespace lrp::test
