// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Whole models against transformers (logits, hidden states) and LXT (relevance): docs/math.md, section 9.
#include <cstdio>
#include <map>

#include <lrp/eigen/backend.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

using namespace lrp;
using namespace lrp::test;

namespace {

/// Keeps the residual stream of a forward pass: the embedding, then each layer's output.
template <Backend B>
struct HiddenReader {
    std::vector<std::vector<typename B::scalar>> stream;
    void activation(typename B::context& ctx, SiteRef site, Activation<typename B::scalar> x) {
        if (site.site == Site::embedding || site.site == Site::resid_post) stream.push_back(download(ctx, x));
    }
};

/// Largest deviation of each kind, relative to the largest magnitude (logits: absolute).
using Deviations = std::map<std::string, double>;

template <Backend B, Composite Rules>
void compare(const std::filesystem::path& folder, const SafeTensors& golden, const std::string& method, const Recompute& recompute, Deviations& worst) {
    const auto config = llama_config(read_hf_config(folder));
    typename B::context ctx;
    const LlamaModel<B, Rules> model(config, load_llama_weights<B>(ctx, config, Checkpoint::open(folder)));
    for (int k = 0; golden.find(std::to_string(k) + ".ids") != nullptr; ++k) {
        const std::string prefix = std::to_string(k) + ".";
        const auto numbers = [&](const std::string& name) { return values<double>(golden.at(prefix + name)); };
        const auto ids = values<std::int32_t>(golden.at(prefix + "ids"));
        AttributeOptions options;
        options.position = static_cast<std::size_t>(values<std::int32_t>(golden.at(prefix + "position")).front());
        options.target = values<std::int32_t>(golden.at(prefix + "target")).front();
        if (golden.find(prefix + "contrast") != nullptr) options.contrast = values<std::int32_t>(golden.at(prefix + "contrast")).front();
        options.sites = {true, true, true, true};
        options.recompute = recompute;
        HiddenReader<B> hidden;
        const Trace trace = attribute(ctx, model, ids, options, hidden);
        INFO(folder.filename().string() << ", prompt " << k << " of " << ids.size() << " tokens, " << method);

        const auto logits = numbers("logits");
        const double logit_gap = largest_difference(trace.logits, logits);
        worst["logits"] = std::max(worst["logits"], logit_gap);
        CHECK(logit_gap < 1e-4);
        CHECK(trace.predictions.front().id == std::max_element(logits.begin(), logits.end()) - logits.begin());

        // Hidden states: all rows, or the explained one.
        const auto expected_hidden = numbers("hidden");
        const auto width = static_cast<std::size_t>(config.hidden_size);
        const std::size_t rows = expected_hidden.size() / width / (trace.layers + 1);
        std::vector<double> own;
        for (const auto& layer : hidden.stream) {
            const auto first = rows == ids.size() ? layer.begin() : layer.begin() + static_cast<std::ptrdiff_t>(*options.position * width);
            own.insert(own.end(), first, first + static_cast<std::ptrdiff_t>(rows * width));
        }
        const double hidden_gap = largest_difference(own, expected_hidden) / largest_magnitude(expected_hidden);
        worst["hidden"] = std::max(worst["hidden"], hidden_gap);
        CHECK(hidden_gap < 1e-5);

        const auto relevance = [&](const char* site, std::vector<float> mine, std::size_t units) {
            const auto theirs = numbers(method + "." + site);
            if (theirs.size() != mine.size()) {  // long prompts: summed over the units
                REQUIRE(theirs.size() * units == mine.size());
                std::vector<float> sums(theirs.size());
                for (std::size_t i = 0; i < mine.size(); ++i) sums[i / units] += mine[i];
                mine = sums;
            }
            const double gap = largest_difference(mine, theirs) / largest_magnitude(theirs);
            worst[site] = std::max(worst[site], gap);
            INFO(site);
            CHECK(gap < 1e-4);
            CHECK(correlation(mine, theirs) > 0.9999995);
        };
        relevance("embedding", trace.embedding, 1);
        relevance("residual", trace.residual, 1);
        relevance("head", trace.head, trace.heads);
        relevance("neuron", trace.neuron, trace.neurons);
    }
}

template <Backend B>
Deviations compare_folder(const std::filesystem::path& folder, const std::filesystem::path& golden_file) {
    const SafeTensors golden = SafeTensors::open(golden_file);
    Deviations worst;
    compare<B, AttnLRP>(folder, golden, "attnlrp", Recompute::keep(), worst);
    compare<B, CpLRP>(folder, golden, "cp-lrp", Recompute::layer(), worst);
    return worst;
}

void print(const std::string& name, const char* backend, const Deviations& worst) {
    std::printf("%-18s %-10s", name.c_str(), backend);
    for (const char* kind : {"logits", "hidden", "embedding", "residual", "head", "neuron"}) std::printf(" %9.1e", worst.at(kind));
    std::printf("\n");
}

}  // namespace

TEST_CASE("random checkpoints agree with transformers and LXT") {
    REQUIRE(golden_models().size() >= 8);
    std::printf("largest deviation  backend       logits    hidden embedding  residual      head    neuron\n");
    for (const std::string& name : golden_models()) {
        const auto folder = golden_folder() / "models" / name;
        print(name, "eigen", compare_folder<EigenBackend<float>>(folder, folder / "expected.safetensors"));
        print(name, "reference", compare_folder<ReferenceBackend<float>>(folder, folder / "expected.safetensors"));
        print(name, "eigen f64", compare_folder<EigenBackend<double>>(folder, folder / "expected.safetensors"));
    }
}

TEST_CASE("the shipped checkpoint agrees with transformers and LXT") {
    const auto folder = std::filesystem::path(LRP_SOURCE_ROOT) / "examples/models/mini";
    print("mini", "eigen", compare_folder<EigenBackend<float>>(folder, golden_folder() / "mini/expected.safetensors"));
    const SafeTensors golden = SafeTensors::open(golden_folder() / "mini/expected.safetensors");
    const auto bytes = values<std::uint8_t>(golden.at("0.prompt"));
    const auto tokenizer = load_tokenizer(folder);
    REQUIRE(tokenizer);
    CHECK(tokenizer->encode(std::string(bytes.begin(), bytes.end())).ids == values<std::int32_t>(golden.at("0.ids")));
}
