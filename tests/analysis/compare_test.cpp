// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Recordings of two backends held against each other: what agrees, what is found, what is refused.
#include <cstdio>
#include <limits>

#include <lrp/analysis/compare.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

using namespace lrp;
using namespace lrp::test;
using Catch::Matchers::Contains;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
const std::vector<std::int32_t> prompt{0, 42, 38, 17, 5};

template <Backend B, Composite Rules = AttnLRP>
struct Loaded {
    typename B::context ctx;
    LlamaModel<B, Rules> model;

    explicit Loaded(const std::filesystem::path& folder) : Loaded(folder, llama_config(read_hf_config(folder))) {}
    Loaded(const std::filesystem::path& folder, const LlamaConfig& config) : model(config, load_llama_weights<B>(ctx, config, Checkpoint::open(folder))) {}
};

std::filesystem::path mini() { return std::filesystem::path(LRP_SOURCE_ROOT) / "examples/models/mini"; }

SiteRecording record(const std::vector<std::int32_t>& ids = prompt, const AttributeOptions& options = {}) {
    static Loaded<ReferenceBackend<float>> loaded(golden_folder() / "models/gqa4_tied_llama3");
    return record_sites(loaded.ctx, loaded.model, ids, options);
}

std::string place(const std::optional<SiteRef>& ref) { return ref ? ref->text() : "nowhere"; }

/// All values of a recording in one list.
std::vector<double> all_values(const SiteRecording& recording) {
    std::vector<double> values;
    for (const auto& record : recording.sites)
        for (const auto* part : {&record.activation, &record.coefficient, &record.explained}) values.insert(values.end(), part->values.begin(), part->values.end());
    return values;
}

/// Only the site named by `at` deviates, and by `kind` alone.
void check_only(const SiteComparison& found, const SiteRef& at, double SiteDeviation::* kind) {
    for (const auto& site : found.sites) {
        const bool here = site.site.text() == at.text();
        INFO(site.site.text());
        for (const auto member : {&SiteDeviation::activation, &SiteDeviation::coefficient}) CHECK((site.*member > 0) == (here && member == kind));
        if (!here) CHECK(site.relevance == 0);
    }
}

}  // namespace

TEST_CASE("a recording holds every site of every layer, forward and back, with its shape") {
    AttributeOptions options;
    options.position = 3;
    options.contrast = 9;
    const SiteRecording one = record(prompt, options);
    CHECK((one.layers == 3 && one.heads == 8 && one.ids == prompt && one.position == 3 && one.contrast == 9));
    CHECK((one.backend == "reference" && one.scalar == "float32" && one.label() == "reference (float32)"));
    REQUIRE(one.sites.size() == 3 * 19 + 3);
    CHECK(one.backward.size() == one.sites.size());
    CHECK((one.sites.front().site.site == Site::embedding && one.sites.back().site.site == Site::logits));
    CHECK((one.backward.front() == one.sites.size() - 1 && one.backward.back() == 0));
    for (const auto& record : one.sites) {
        INFO(record.site.text());
        for (const auto* part : {&record.activation, &record.coefficient}) CHECK(part->values.size() == static_cast<std::size_t>(part->rows * part->cols));
        CHECK(detail::same_shape(record.factor(), record.coefficient));
    }
    const auto& scores = one.at(Site::scores, 1);  // four tokens up to the explained position
    CHECK((scores.activation.rows == 32 && scores.activation.cols == 4));
    for (const auto* part : {&scores.activation, &scores.coefficient}) {
        CHECK(part->values[1 * 4 + 0] != 0);
        for (const std::size_t above : {1, 2, 3, 6, 7, 11, 17}) CHECK(part->values[above] == 0);
    }
    const auto& logits = one.at(Site::logits);
    CHECK((logits.explained.rows == 1 && logits.explained.cols == 2 && logits.coefficient.values == std::vector<double>{1, -1}));
    CHECK(one.explained == Approx(one.logits().at(static_cast<std::size_t>(one.target)) - one.logits().at(9)));
    CHECK_THROWS_WITH(one.at(Site::gate, 3), Contains("nothing passed the site layers.3.gate"));
}

TEST_CASE("a layer that is evaluated again is recorded once, with the same bits") {
    AttributeOptions keep, again;
    keep.recompute = Recompute::keep();
    again.recompute = Recompute::layer();
    const SiteRecording one = record(prompt, keep), other = record(prompt, again);
    CHECK(one.sites.size() == other.sites.size());
    CHECK(all_values(one) == all_values(other));
    CHECK(compare_sites(one, other).largest() == 0);
}

TEST_CASE("a backend compared with itself deviates by exactly 0, and every op is compared") {
    Loaded<EigenBackend<float>> loaded(mini());
    const SiteComparison same = compare_backends(loaded.ctx, loaded.model, loaded.ctx, loaded.model, prompt);
    CHECK(same.largest() == 0);
    CHECK(same.sites.size() == 6 * 19 + 3);
    CHECK((!same.first_forward(0) && !same.first_backward(0)));
    REQUIRE(same.ops.size() == 9);
    for (const auto& op : same.ops) {
        INFO(op.op);
        CHECK((op.activation.at && op.activation.value == 0));
        CHECK(op.coefficient.at.has_value() == (op.op != Embedding::name));
        CHECK(op.relevance.at.has_value() == (op.op != Embedding::name));
    }
}

TEST_CASE("Eigen in float agrees with the reference in double at every site") {
    auto pretrained = Pretrained<EigenBackend<float>, AttnLRP>::load(mini());
    const std::vector<std::int32_t> cats = pretrained.explain("I have 5 cats and 3 dogs. My cats love to play with my").ids;
    const auto check = [&](auto& mine, auto& right, const char* rules) {
        const SiteComparison found = compare_backends(mine.ctx, mine.model, right.ctx, right.model, cats);
        std::printf("mini, %s, %s against %s: largest deviation %.2g\n", rules, found.mine.c_str(), found.right.c_str(), found.largest());
        CHECK((found.mine == "eigen (float32)" && found.right == "reference (float64)"));
        CHECK(found.largest() > 0);
        CHECK(found.largest() < 1e-4);
    };
    Loaded<EigenBackend<float>> mine(mini());
    Loaded<ReferenceBackend<double>> right(mini());
    check(mine, right, "attnlrp");
    Loaded<EigenBackend<float>, CpLRP> cp_mine(mini());
    Loaded<ReferenceBackend<double>, CpLRP> cp_right(mini());
    check(cp_mine, cp_right, "cp-lrp");
}

TEST_CASE("one wrong activation is found, at its site and its op") {
    const SiteRecording right = record();
    SiteRecording mine = right;
    auto& values = mine.at(Site::act, 1).activation.values;
    double peak = 0;
    for (const double value : values) peak = std::max(peak, std::abs(value));
    values[7] += peak / 8;
    const SiteComparison found = compare_sites(mine, right);
    check_only(found, {Site::act, 1}, &SiteDeviation::activation);
    CHECK(found.at("SiLU").activation.value == Approx(0.125));
    CHECK(place(found.at("SiLU").activation.at) == "layers.1.act");
    CHECK(found.at("Linear").activation.value == 0);
    CHECK(place(found.first_forward(0.1)) == "layers.1.act");
    CHECK_FALSE(found.first_forward(0.2));
    // The relevance there is wrong too; the backward step that met it is Multiply's.
    CHECK(found.at("Multiply").relevance.value > 0);
    CHECK(place(found.at("Multiply").relevance.at) == "layers.1.act");
    CHECK(found.at("Multiply").coefficient.value == 0);
}

TEST_CASE("one wrong coefficient is found, at its site and the op whose backward step made it") {
    const SiteRecording right = record();
    SiteRecording mine = right;
    mine.at(Site::gate, 1).coefficient.values[3] *= 1.5;
    const SiteComparison found = compare_sites(mine, right);
    check_only(found, {Site::gate, 1}, &SiteDeviation::coefficient);
    CHECK(found.at("SiLU").coefficient.value > 0);
    CHECK(place(found.at("SiLU").coefficient.at) == "layers.1.gate");
    CHECK(place(found.at("SiLU").relevance.at) == "layers.1.gate");
    CHECK(found.at("SiLU").relevance.value > 0);
    CHECK((found.at("Linear").coefficient.value == 0 && found.at("Linear").relevance.value == 0));
    CHECK(place(found.first_backward(0)) == "layers.1.gate");
    CHECK_FALSE(found.first_forward(0));
    CHECK(found.largest() == std::max(found.at("SiLU").coefficient.value, found.at("SiLU").relevance.value));
}

TEST_CASE("the first site backward follows the backward pass, not the forward one") {
    const SiteRecording right = record();
    SiteRecording mine = right;
    for (const Site site : {Site::gate, Site::up}) mine.at(site, 0).coefficient.values[0] += 1;
    CHECK(place(compare_sites(mine, right).first_backward(0)) == "layers.0.up");
}

TEST_CASE("a NaN, an infinity or another shape is an infinite deviation on either side") {
    const SiteRecording right = record();
    for (const double bad : {std::numeric_limits<double>::quiet_NaN(), infinite}) {
        SiteRecording mine = right;
        mine.at(Site::probs, 0).activation.values[5] = bad;
        for (const auto& found : {compare_sites(mine, right), compare_sites(right, mine)}) {
            CHECK(found.largest() == infinite);
            CHECK(found.at("Softmax").activation.value == infinite);
            CHECK(place(found.at("Softmax").activation.at) == "layers.0.probs");
            CHECK(found.at("MatMul").relevance.value == infinite);
            CHECK(place(found.at("MatMul").relevance.at) == "layers.0.probs");
            CHECK(found.at("MatMul").activation.value == 0);
        }
        mine = right;
        mine.at(Site::q_pre, 1).coefficient.values[0] = bad;
        const SiteComparison found = compare_sites(mine, right);
        CHECK((found.at("Rope").coefficient.value == infinite && place(found.at("Rope").coefficient.at) == "layers.1.q_pre"));
    }
    SiteRecording shorter = right;
    auto& values = shorter.at(Site::mlp_out, 2).activation;
    values.values.resize(static_cast<std::size_t>(--values.rows * values.cols));
    CHECK(place(compare_sites(shorter, right).at("Linear").activation.at) == "layers.2.mlp_out");
    CHECK(compare_sites(shorter, right).at("Linear").activation.value == infinite);
}

TEST_CASE("where the right side is 0 throughout, nothing but 0 will do") {
    SiteRecording right = record();
    auto& values = right.at(Site::scores, 0).coefficient.values;
    std::fill(values.begin(), values.end(), 0.0);
    SiteRecording mine = right;
    CHECK(compare_sites(mine, right).largest() == 0);
    mine.at(Site::scores, 0).coefficient.values[0] = 1e-300;
    CHECK(compare_sites(mine, right).at("Softmax").coefficient.value == infinite);
    // What is 0 but for rounding is held against the layer.
    double largest = 0;
    for (const SiteRecord& one : right.sites)
        if (one.site.text().starts_with("layers.0."))
            for (const double value : one.coefficient.values) largest = std::max(largest, std::abs(value));
    right.at(Site::scores, 0).coefficient.values[0] = 1e-17 * largest;
    mine.at(Site::scores, 0).coefficient.values[0] = 1e-8 * largest;
    CHECK(compare_sites(mine, right).at("Softmax").coefficient.value < 2e-8);
    right.at(Site::scores, 0).coefficient.values[0] = 1e-5 * largest;
    mine.at(Site::scores, 0).coefficient.values[0] = 1.5e-5 * largest;
    CHECK(compare_sites(mine, right).at("Softmax").coefficient.value == Approx(0.5));
}

TEST_CASE("recordings of different questions are refused, with both numbers") {
    const SiteRecording right = record();
    const auto refused = [&](const SiteRecording& mine, const std::string& message) { CHECK_THROWS_WITH(compare_sites(mine, right), Contains(message)); };
    refused(record({0, 42, 38, 17}), "different prompts, by tokens: 4 and 5");
    refused(record({0, 42, 38, 18, 5}), "different prompts, by token 3: 18 and 17");
    AttributeOptions options;
    options.target = right.target + 1;
    refused(record(prompt, options), "different targets: " + std::to_string(right.target + 1) + " and " + std::to_string(right.target));
    options = {};
    options.contrast = 4;
    refused(record(prompt, options), "different contrasts: 4 and none");
    options = {};
    options.position = 2;
    options.target = right.target;
    refused(record(prompt, options), "different positions: 2 and 4");
    Loaded<ReferenceBackend<float>> other(golden_folder() / "models/plain");
    refused(record_sites(other.ctx, other.model, std::vector<std::int32_t>{1, 2, 3, 4, 5}), "different models, by layers: 2 and 3");
    SiteRecording fewer = right;
    fewer.sites.pop_back();
    refused(fewer, "different models, by sites: 59 and 60");
}

TEST_CASE("the right side settles the target, and the other explains the same") {
    Loaded<EigenBackend<float>> mine(mini());
    Loaded<ReferenceBackend<double>> right(mini());
    AttributeOptions options;
    options.target = 3;
    options.contrast = 4;
    CHECK(compare_backends(mine.ctx, mine.model, right.ctx, right.model, prompt, options).largest() < 1e-4);
    // Weights that favour another token: without the same target the two could not be compared at all.
    Loaded<EigenBackend<float>> other(golden_folder() / "models/plain");
    auto config = other.model.config();
    config.rms_norm_eps = 10;
    Loaded<ReferenceBackend<double>> damped(golden_folder() / "models/plain", config);
    const std::vector<std::int32_t> ids{1, 2, 3};
    REQUIRE(record_sites(other.ctx, other.model, ids).target != record_sites(damped.ctx, damped.model, ids).target);
    const SiteComparison found = compare_backends(other.ctx, other.model, damped.ctx, damped.model, ids);
    CHECK(found.largest() > 1e-2);
    CHECK(place(found.first_forward(1e-4)) == "layers.0.attn_norm");
}

TEST_CASE("logits that are not finite name the first site that was not") {
    Loaded<ReferenceBackend<float>> loaded(golden_folder() / "models/plain");
    struct Poison {
        SiteRecorder inner;
        void activation(ReferenceBackend<float>::context& ctx, SiteRef site, Activation<float> x) {
            if (site.site == Site::neuron && site.layer == 1) x(0, 0) = std::numeric_limits<float>::quiet_NaN();
            inner.activation(ctx, site, x);
        }
    };
    SiteRecording recording;
    Poison poison{SiteRecorder(recording)};
    CHECK_THROWS_WITH(ask(loaded.ctx, loaded.model, std::vector<std::int32_t>{1}, {}, poison),
                      Contains("a logit is not finite; the first such value is at site layers.1.neuron, made by Multiply"));
}

TEST_CASE("the largest deviation is that of an activation too, and of the explained values alone") {
    SiteComparison found;
    found.sites = {{{Site::gate, 0}, 0.5, 0.125, 0.25}};
    CHECK((found.largest() == 0.5 && found.sites[0].backward() == 0.25));
    found.sites.push_back({{Site::up, 0}, 0.125, 0.75, 0.5});
    CHECK(found.largest() == 0.75);
    const SiteRecording right = record();
    SiteRecording mine = right;
    REQUIRE(!mine.at(Site::logits).explained.values.empty());
    mine.at(Site::logits).explained.values[0] *= 1.5;
    CHECK(compare_sites(mine, right).at("Linear").activation.value == Approx(0.5));
}
