// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <iostream>
#include <memory>

#include "explained_output.hpp"
#include "generated_json.hpp"
#include "steer_report.hpp"
#include "steering_arguments.hpp"

namespace lrp::cli {

namespace {

struct SteerCommand {
    ModelOptions model;
    GenerationOptions generation;
    SteeringOptions steering;
    ReportCommand report;
    std::string json;
};

std::string name_of(const Prompt& prompt, std::int32_t id) { return token_name(prompt.tokenizer ? &*prompt.tokenizer : nullptr, id); }

nlohmann::json side_json(const Generated& generated, const TextStream& stream, const Prompt& prompt) {
    nlohmann::json out = generated_json(generated, stream, prompt.tokenizer.has_value());
    out["logits"] = generated.logits;
    out["predictions"] = nlohmann::json::array();
    for (const Prediction& p : top_predictions(generated.logits, 5))
        out["predictions"].push_back({{"id", p.id}, {"token", name_of(prompt, p.id)}, {"logit", p.logit}, {"probability", p.probability}});
    return out;
}

void print_side(const char* title, const Generated& generated, const TextStream& stream, const Prompt& prompt) {
    std::string ids;
    for (const auto id : generated.new_ids) ids += (ids.empty() ? "" : ",") + std::to_string(id);
    const std::string text = prompt.tokenizer ? stream.text() : ids;
    std::printf("%s%s%s\n  next:", title, text.starts_with(' ') ? "" : " ", text.c_str());
    for (const Prediction& p : top_predictions(generated.logits, 5)) std::printf("  '%s' %.3f", name_of(prompt, p.id).c_str(), p.logit);
    std::printf("\n");
}

void print_steered(const Steered& result, const SteerCommand& options, const Prompt& prompt, const TextStream& before, const TextStream& after) {
    std::cout.flush();
    std::printf("Changed %zu of %s (%s)\n", result.changed, counted(result.asked, "unit").c_str(), options.steering.mode.c_str());
    print_side("Before:", result.before, before, prompt);
    print_side("After: ", result.after, after, prompt);
    std::fflush(stdout);
}

/// The loop: after each new token the neurons most relevant for it (or for --target) are multiplied, until the next token says which these are.
Steered adjusted(Engine& engine, const SteerCommand& options, const Prompt& prompt, const SteeringPlan& plan, const GenerateOptions& choice, const TokenCallback& before,
                 const TokenCallback& after, Explained& explained) {
    const auto [count, factor] = parse_top("--adjust", options.steering.adjust);
    Steered result;
    result.before = engine.generate(prompt.ids, choice, before);
    ExplainedOptions how;
    how.generate = choice;
    how.attribute = attribute_options(options.model, prompt);
    how.plan = plan;
    how.mode = options.steering.steering_mode();
    how.units = 2 * count;
    explained = engine.generate_explained(prompt.ids, how, [&, n = count, f = factor](const ExplainedToken& token, SteeringPlan& next) {
        next = plan;
        for (const UnitEdit& edit : relevant_edits(token.neurons, n, f)) next.units.push_back(edit);
        if (options.json != "-") std::cout << explained_line(token, prompt.tokenizer ? &*prompt.tokenizer : nullptr) << std::endl;
        return after(token.id);
    });
    result.after.new_ids = explained.new_ids();
    result.after.end = explained.end;
    result.after.logits = explained.tokens.front().trace.logits;
    for (const ExplainedToken& token : explained.tokens) result.after.token_logits.push_back(token.logit);
    result.asked = explained.asked;
    result.changed = explained.changed;
    if (result.changed == 0)
        fail<NothingChanged>("steering: nothing was changed by the edits of ", counted(result.asked, "unit"),
                             ": these values were there already, or generation ended with the first token");
    return result;
}

void run(const SteerCommand& options) {
    if (options.report.report) {
        ReportCommand report = options.report;
        report.json = options.json;
        return run_report(options.model, options.steering, options.generation, report);
    }
    check_no_report(options.report);
    if (options.steering.top_relevant.empty() && options.steering.adjust.empty()) refuse_explanation(options.model, "--top-relevant or --adjust");
    SteeringPlan plan = named_plan(options.steering);
    const Prompt prompt = read_prompt(options.model);
    const AttributeOptions attribute = attribute_options(options.model, prompt);
    const GenerateOptions choice = generate_options(options.generation, options.model, prompt);
    std::optional<Checkpoint> checkpoint;
    const EngineRequest request = open_files(options.model, prompt.ids.size(), checkpoint);
    if (!options.steering.labels.empty()) add_labelled(plan, options.steering, folder_hash(options.model.folder, *checkpoint), options.model.folder);
    const auto engine = make_engine(options.model.backend, request);
    const auto top = [&](const char* option, const std::string& text) {
        const auto named = parse_top(option, text);
        if (const Index all = request.config.layers * request.config.intermediate_size; named.first > static_cast<std::size_t>(all)) fail<UsageError>(option, ": the model has ", all, " neurons, found ", named.first);
        return named;
    };
    if (!options.steering.adjust.empty()) {
        (void)top("--adjust", options.steering.adjust);
        if (choice.max_new_tokens < 2 && plan.empty()) fail<UsageError>("--adjust: acts from the second new token on; expected --max-new-tokens 2 or more, found ", choice.max_new_tokens);
    }
    if (!options.steering.top_relevant.empty()) {
        const auto [count, factor] = top("--top-relevant", options.steering.top_relevant);
        for (const UnitEdit& edit : relevant_edits(engine->units(prompt.ids, attribute, 2 * count, UnitScope::summed).neurons, count, factor)) plan.units.push_back(edit);
    }
    const auto stream = [&] { return TextStream(prompt.tokenizer ? &*prompt.tokenizer : nullptr, prompt.ids, options.generation.stop); };
    TextStream before = stream(), after = stream();
    const TokenCallback take_before = [&](std::int32_t id) { return before.push(id); }, take_after = [&](std::int32_t id) { return after.push(id); };
    Explained explained;
    const Steered result = options.steering.adjust.empty() ? engine->steer(prompt.ids, plan, options.steering.steering_mode(), choice, take_before, take_after)
                                                           : adjusted(*engine, options, prompt, plan, choice, take_before, take_after, explained);
    if (!options.json.empty()) {
        nlohmann::json out{{"prompt", options.model.prompt}, {"ids", prompt.ids}, {"mode", options.steering.mode}, {"asked", result.asked}, {"changed", result.changed},
                           {"before", side_json(result.before, before, prompt)}, {"after", side_json(result.after, after, prompt)}};
        if (!options.steering.adjust.empty()) {
            const Tokenizer* tokenizer = prompt.tokenizer ? &*prompt.tokenizer : nullptr;
            out["tokens"] = token_names(prompt.ids, explained, tokenizer);
            out["explained"] = explained_json(explained, tokenizer);
        }
        write_result(options.json, json_text(out));
    }
    if (options.json != "-") print_steered(result, options, prompt, before, after);
}

}  // namespace

void add_steer_command(CLI::App& app) {
    auto* command = app.add_subcommand("steer", "Change neurons, heads or the residual stream while the model continues a prompt");
    auto options = std::make_shared<SteerCommand>();
    add_model_options(*command, options->model);
    add_steering_options(*command, options->steering);
    command->add_option("--adjust", options->steering.adjust,
                        "N=FACTOR: after each new token, attribute it (or --target) and multiply the N neurons most relevant for it, until the next token chooses anew");
    add_generation_options(*command, options->generation);
    add_json_option(*command, options->json);
    add_report_options(*command, options->report);
    command->footer("Layers, neurons, heads and positions count from 0. Nothing changed is an error.\nExamples:\n"
                    "  lrp steer examples/models/mini \"On Sunday there is a lot of snow.\" --set 3/118=4.0 --scale 2/40=0 --head 1/3=0\n"
                    "  lrp steer examples/models/mini \"Ben paints the chair\" --top-relevant 20=0 --mode new-tokens --json steered.json\n"
                    "  lrp steer examples/models/mini \"Ben paints the chair\" --add-direction 'direction.safetensors*2'\n"
                    "  lrp steer examples/models/mini \"Ben paints the chair\" --store mini.store --label 'red*0'\n"
                    "  lrp steer examples/models/mini \"Emma takes the\" --adjust 20=1.5 --target \" bread\"\n"
                    "  lrp steer examples/models/mini --report --file prompts.txt --store mini.store --label rain --target-words rain,umbrella --svg rain.svg");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
