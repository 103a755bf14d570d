// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <iostream>
#include <memory>

#include <lrp/core/config.hpp>
#include <lrp/view/label.hpp>
#include <lrp/view/progress.hpp>

#include "explained_output.hpp"
#include "generated_json.hpp"
#include "prompt_file.hpp"

namespace lrp::cli {

namespace {

struct FaithfulnessCommand {
    ModelOptions model;
    std::string file, json, units = "neurons", measure = "probability";
    double least = 0.5;
    FaithfulnessOptions options;
};

/// Numbers needed over all curves of one order: sorted, with `none` for those that never dropped so far.
struct Needed {
    std::vector<std::size_t> counts;
    std::size_t none = 0;

    [[nodiscard]] std::size_t all() const { return counts.size() + none; }
    /// The middle one; with an even number the larger of the two; unset where it never dropped.
    [[nodiscard]] std::optional<std::size_t> median() const { return all() / 2 < counts.size() ? std::optional(counts[all() / 2]) : std::nullopt; }
};

Needed needed(const std::vector<Faithfulness>& results, FlipOrder order, std::size_t drop) {
    Needed all;
    for (const Faithfulness& result : results)
        for (const FlipCurve& curve : result.curves) {
            if (curve.order != order) continue;
            if (curve.needed[drop]) {
                all.counts.push_back(*curve.needed[drop]);
            } else {
                ++all.none;
            }
        }
    std::sort(all.counts.begin(), all.counts.end());
    return all;
}

constexpr std::array orders{FlipOrder::most_relevant, FlipOrder::least_relevant, FlipOrder::most_active, FlipOrder::random};

nlohmann::json curve_json(const FlipCurve& curve) {
    nlohmann::json out{{"order", flip_order_name(curve.order)}, {"counts", curve.counts}, {"logit", curve.logit}, {"probability", curve.probability}, {"needed", nlohmann::json::array()}};
    for (const auto& count : curve.needed) out["needed"].push_back(count ? nlohmann::json(*count) : nlohmann::json());
    if (curve.order == FlipOrder::random) out["seed"] = curve.seed;
    return out;
}

void run(FaithfulnessCommand options) {
    options.options.site = options.units == "heads" ? Site::head : Site::neuron;
    options.options.measure = options.measure == "logit" ? FlipMeasure::logit : FlipMeasure::probability;
    if (!options.model.contrast.empty()) fail<UsageError>("--contrast: what drops is one token's ", options.measure, "; leave it out");
    const PromptList prompts = read_prompts(options.file, options.model);
    std::optional<Checkpoint> checkpoint;
    const auto engine = open_engine(options.model, prompts.longest, checkpoint);
    const Tokenizer* tokenizer = prompts.tokenizer ? &*prompts.tokenizer : nullptr;
    std::vector<Faithfulness> results;
    std::vector<std::size_t> which;
    Progress bar("flipping", "prompts", prompts.prompts.size());
    for (std::size_t i = 0; i < prompts.prompts.size(); ++i) {
        const Prompt prompt = prompts.prompt(i);
        const UnitReport report = engine->units(prompt.ids, attribute_options(options.model, prompt), 1, UnitScope::summed);
        const bool sure = std::exp(log_probability(report.trace.logits, report.trace.target)) >= options.least;
        if (sure) {
            results.push_back(engine->faithfulness(report, options.options));
            which.push_back(i);
        }
        bar.add();
    }
    bar.finish();
    require(!results.empty(), "faithfulness: of ", prompts.prompts.size(), " prompts none has a next token of probability ", options.least, " or more (--min-probability)");
    if (!options.json.empty()) {
        nlohmann::json list = nlohmann::json::array(), summary = nlohmann::json::array();
        for (std::size_t i = 0; i < results.size(); ++i) {
            const Faithfulness& r = results[i];
            nlohmann::json curves = nlohmann::json::array();
            for (const FlipCurve& curve : r.curves) curves.push_back(curve_json(curve));
            list.push_back({{"prompt", prompts.prompts[which[i]].text}, {"ids", r.ids}, {"position", r.position}, {"target", r.target}, {"target_token", token_name(tokenizer, r.target)},
                            {"logit", r.logit}, {"probability", r.probability}, {"curves", curves}});
        }
        for (const FlipOrder order : orders)
            for (std::size_t d = 0; d < options.options.drops.size(); ++d) {
                const Needed all = needed(results, order, d);
                summary.push_back({{"order", flip_order_name(order)}, {"drop", options.options.drops[d]}, {"reached", all.counts.size()}, {"of", all.all()}});
                summary.back()["median"] = all.median() ? nlohmann::json(*all.median()) : nlohmann::json();
            }
        const nlohmann::json out{{"format", "lrpxx-faithfulness"}, {"format_version", 1}, {"model", model_name(options.model.folder)}, {"model_hash", folder_hash(options.model.folder, *checkpoint)}, {"version", LRP_VERSION_STRING},
                                 {"rules", options.model.rules.label()}, {"units", options.units}, {"all_units", results.front().units}, {"measure", options.measure}, {"drops", options.options.drops},
                                 {"min_probability", options.least}, {"skipped", prompts.prompts.size() - results.size()}, {"summary", summary}, {"prompts", list}};
        write_result(options.json, json_text(out));
        if (options.json == "-") return;
    }
    std::cout.flush();
    std::printf("%s whose token has a probability of %g or more (%zu left out); %zu %s, rules %s\nUnits zeroed at all positions until the token's %s has dropped by so much: median (share of all)\n\n",
                counted(results.size(), "prompt").c_str(), options.least, prompts.prompts.size() - results.size(), results.front().units, options.units.c_str(), options.model.rules.label().c_str(), options.measure.c_str());
    std::printf("%-22s", "order");
    for (const double drop : options.options.drops) std::printf(" %18s", (number_text(100 * drop, 4) + " %").c_str());
    std::printf("\n");
    for (const FlipOrder order : orders) {
        if (order == FlipOrder::random && options.options.random_orders == 0) continue;
        std::printf("%-22s", flip_order_name(order));
        for (std::size_t d = 0; d < options.options.drops.size(); ++d) {
            const Needed all = needed(results, order, d);
            const auto middle = all.median();
            std::string text = "never";
            if (middle) {
                const double percent = 100.0 * static_cast<double>(*middle) / static_cast<double>(results.front().units);
                text = std::to_string(*middle) + " (" + number_text(percent, percent > 99.9 && percent < 100 ? 4 : 3) + " %)";
            }
            if (all.none > 0) text += "*";
            std::printf(" %18s", text.c_str());
        }
        std::printf("\n");
    }
    bool star = false;
    for (const FlipOrder order : orders)
        for (std::size_t d = 0; d < options.options.drops.size(); ++d) star = star || needed(results, order, d).none > 0;
    if (star) std::printf("* in some runs it does not drop so far with all of them zeroed; these count as the largest\n");
    std::fflush(stdout);
}

}  // namespace

void add_faithfulness_command(CLI::App& app) {
    auto* command = app.add_subcommand("faithfulness", "Is the ranking of neurons right? Zero them in its order and see how soon the explained token is gone");
    auto options = std::make_shared<FaithfulnessCommand>();
    add_model_options(*command, options->model);
    command->add_option("--file", options->file, "prompts: text, one a line, or JSONL with text, prompt or ids");
    command->add_option("--units", options->units, "what is zeroed")->check(CLI::IsMember({"neurons", "heads"}))->capture_default_str();
    command->add_option("--measure", options->measure, "what drops: the token's probability, or its logit (toward 0)")->check(CLI::IsMember({"probability", "logit"}))->capture_default_str();
    command->add_option("--min-probability", options->least, "leave out prompts whose token is less likely")->check(CLI::Range(0.0, 1.0))->capture_default_str();
    command->add_option("--random-orders", options->options.random_orders, "how many")->check(CLI::Range(0, 1000))->capture_default_str();
    add_seed_option(*command, options->options.seed, "of the first random order; each further one has the next");
    add_json_option(*command, options->json);
    command->footer("Drops of 50, 85, 90 and 95 %; the first number of zeroed units that reaches one is exact. Orders: relevance summed over positions, with its sign, largest first, and\n"
                    "the same backward; activation by magnitude, summed over positions (of the last layer, the explained one's); random.\nExamples:\n"
                    "  lrp faithfulness examples/models/mini \"I have 5 cats and 3 dogs. My cats love to play with my\"\n"
                    "  head -20 examples/models/heldout.jsonl | lrp faithfulness examples/models/mini --file - --json faithfulness.json");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
