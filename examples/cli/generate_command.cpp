// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <iostream>
#include <memory>

#include "common.hpp"
#include "explained_output.hpp"
#include "generated_json.hpp"

namespace lrp::cli {

namespace {

struct GenerateCommand {
    ModelOptions model;
    GenerationOptions generation;
    std::string json;
    bool explain = false;
    std::size_t units = 0;
};

/// Each new token with the relevance of those before it.
void run_explained(const GenerateCommand& options, const Prompt& prompt, const GenerateOptions& choice, Engine& engine) {
    const Tokenizer* tokenizer = prompt.tokenizer ? &*prompt.tokenizer : nullptr;
    ExplainedOptions how;
    how.generate = choice;
    how.attribute = attribute_options(options.model, prompt);
    how.units = options.units;
    TextStream stream(tokenizer, prompt.ids, options.generation.stop);
    const Explained result = engine.generate_explained(prompt.ids, how, [&](const ExplainedToken& token, SteeringPlan&) {
        if (options.json != "-") std::cout << explained_line(token, tokenizer) << std::endl;
        return stream.push(token.id);
    });
    if (!options.json.empty()) {
        nlohmann::json logits = nlohmann::json::array();
        for (const ExplainedToken& token : result.tokens) logits.push_back(token.logit);
        const nlohmann::json out{{"ids", prompt.ids}, {"prompt", options.model.prompt}, {"new_ids", result.new_ids()}, {"token_logits", logits},
                                 {"text", tokenizer != nullptr ? nlohmann::json(stream.text()) : nlohmann::json()}, {"end", stream.stopped() ? "stop_string" : end_name(result.end)},
                                 {"tokens", token_names(prompt.ids, result, tokenizer)}, {"rules", options.model.rules.label()}, {"explained", explained_json(result, tokenizer)}};
        write_result(options.json, json_text(out));
    }
}

void run(const GenerateCommand& options) {
    if (!options.explain) {
        refuse_explanation(options.model, "--explain");
        for (const auto& [name, given] : {std::pair("--units", options.units > 0), std::pair("--recompute", options.model.recompute != ModelOptions().recompute)})
            if (given) fail<UsageError>(name, ": nothing is explained without --explain");
    }
    const Prompt prompt = read_prompt(options.model);
    const GenerateOptions choice = generate_options(options.generation, options.model, prompt);
    std::optional<Checkpoint> checkpoint;
    const auto engine = open_engine(options.model, prompt.ids.size(), checkpoint);
    if (options.explain) return run_explained(options, prompt, choice, *engine);
    const bool quiet = options.json == "-";
    const auto show = [&](const std::string& text) {
        if (!quiet) std::cout << text << std::flush;
    };
    TextStream stream(prompt.tokenizer ? &*prompt.tokenizer : nullptr, prompt.ids, options.generation.stop, show);
    bool first = true;
    const Generated result = engine->generate(prompt.ids, choice, [&](std::int32_t id) {
        if (!prompt.tokenizer) show((first ? "" : ",") + std::to_string(id));
        first = false;
        return stream.push(id);
    });
    stream.finish();
    show("\n");
    if (!options.json.empty()) {
        nlohmann::json out = generated_json(result, stream, prompt.tokenizer.has_value());
        out["ids"] = prompt.ids;
        out["prompt"] = options.model.prompt;
        write_result(options.json, json_text(out));
    }
}

}  // namespace

void add_generate_command(CLI::App& app) {
    auto* command = app.add_subcommand("generate", "Let the model continue a prompt; the new text is shown as it comes");
    auto options = std::make_shared<GenerateCommand>();
    add_prompt_options(*command, options->model, "the prompt to be continued");
    add_compute_options(*command, options->model);
    add_generation_options(*command, options->generation);
    command->add_flag("--explain", options->explain, "attribute each new token as `lrp trace` would: the relevance of every token before it; a forward and a backward pass each");
    command->add_option("--target", options->model.target, "with --explain: explain this token, as text or id, at every step instead of the one chosen");
    command->add_option("--units", options->units, "with --explain: list so many neurons and heads for each token")->check(CLI::Range(1, 1 << 20));
    add_json_option(*command, options->json);
    command->footer("Without a temperature the most likely token is taken each time. With --ids and no tokenizer, ids are shown. JSON holds new_ids, text (null without a\n"
                    "tokenizer), end (length, stop_id or stop_string), token_logits, ids and prompt; with --explain also tokens, rules and explained, an entry each new token.\nExamples:\n"
                    "  lrp generate examples/models/mini \"On Sunday there is a lot of snow.\"\n"
                    "  lrp generate examples/models/mini \"Ben paints the chair\" --temperature 0.8 --top-p 0.9 --seed 1 --stop .\n"
                    "  lrp generate examples/models/mini \"On Sunday there is a lot of snow.\" --explain\n"
                    "  lrp generate examples/models/mini --ids 0,265 --max-new-tokens 8 --ignore-eos --json");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
