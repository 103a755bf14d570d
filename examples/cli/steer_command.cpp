// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <cstdio>
#include <iostream>
#include <memory>
#include <set>

#include "common.hpp"
#include "generated_json.hpp"
#include "steering_arguments.hpp"

namespace lrp::cli {

namespace {

struct SteerCommand {
    ModelOptions model;
    GenerationOptions generation;
    std::vector<std::string> set, scale, add, zero, head, directions;
    std::string from, positions, top_relevant, json;
    std::string mode = "all-positions";
};

/// What the options name, but for what depends on relevance.
SteeringPlan plan_of(const SteerCommand& options) {
    SteeringPlan plan;
    if (!options.from.empty()) plan.units = read_edits(options.from);
    for (const auto& text : options.set) plan.units.push_back(parse_edit("--set", text, UnitEdit::Kind::set));
    for (const auto& text : options.scale) plan.units.push_back(parse_edit("--scale", text, UnitEdit::Kind::scale));
    for (const auto& text : options.add) plan.units.push_back(parse_edit("--add", text, UnitEdit::Kind::add));
    for (const auto& text : options.zero) plan.units.push_back(parse_zero("--zero", text));
    for (const auto& text : options.head) plan.units.push_back(parse_head("--head", text));
    for (const auto& text : options.directions)
        for (DirectionEdit& direction : read_directions(text)) plan.directions.push_back(std::move(direction));
    if (!options.positions.empty()) plan.positions = parse_positions(options.positions);
    if (plan.empty() && options.top_relevant.empty())
        fail<UsageError>("steer: nothing is to be changed; give --set, --scale, --add, --zero, --head, --add-direction, --edits or --top-relevant");
    return plan;
}

/// The prompt's most relevant neurons; a neuron whose two poles are both among them counts once.
void add_relevant(SteeringPlan& plan, Engine& engine, const Prompt& prompt, const AttributeOptions& attribute, const std::string& text) {
    const auto [count, factor] = parse_top(text);
    std::size_t added = 0;
    std::set<std::pair<Index, Index>> seen;
    for (const UnitRelevance& unit : engine.units(prompt.ids, attribute, 2 * count, UnitScope::summed).neurons) {
        if (added == count) break;
        if (!seen.insert({unit.layer, unit.unit}).second) continue;
        plan.units.push_back({Site::neuron, unit.layer, unit.unit, UnitEdit::Kind::scale, factor});
        ++added;
    }
}

std::string token_name(const Prompt& prompt, std::int32_t id) {
    const bool known = prompt.tokenizer && id >= 0 && static_cast<std::size_t>(id) < prompt.tokenizer->vocab_size();
    return known ? prompt.tokenizer->token_text(id) : std::to_string(id);
}

nlohmann::json side_json(const Generated& generated, const TextStream& stream, const Prompt& prompt) {
    nlohmann::json out = generated_json(generated, stream, prompt.tokenizer.has_value());
    out["logits"] = generated.logits;
    out["predictions"] = nlohmann::json::array();
    for (const Prediction& p : top_predictions(generated.logits, 5))
        out["predictions"].push_back({{"id", p.id}, {"token", token_name(prompt, p.id)}, {"logit", p.logit}, {"probability", p.probability}});
    return out;
}

void print_side(const char* title, const Generated& generated, const TextStream& stream, const Prompt& prompt) {
    std::string ids;
    for (const auto id : generated.new_ids) ids += (ids.empty() ? "" : ",") + std::to_string(id);
    std::printf("%s%s\n  next:", title, prompt.tokenizer ? stream.text().c_str() : ids.c_str());
    for (const Prediction& p : top_predictions(generated.logits, 5)) std::printf("  '%s' %.3f", token_name(prompt, p.id).c_str(), p.logit);
    std::printf("\n");
}

void run(const SteerCommand& options) {
    SteeringPlan plan = plan_of(options);
    const SteeringMode mode = options.mode == "new-tokens" ? SteeringMode::new_tokens : SteeringMode::all_positions;
    if (!options.top_relevant.empty()) (void)parse_top(options.top_relevant);
    const Prompt prompt = read_prompt(options.model);
    const AttributeOptions attribute = attribute_options(options.model, prompt);
    const GenerateOptions choice = generate_options(options.generation, options.model, prompt);
    std::optional<Checkpoint> checkpoint;
    const auto engine = open_engine(options.model, prompt.ids.size(), checkpoint);
    if (!options.top_relevant.empty()) add_relevant(plan, *engine, prompt, attribute, options.top_relevant);
    const auto stream = [&] { return TextStream(prompt.tokenizer ? &*prompt.tokenizer : nullptr, prompt.ids, options.generation.stop); };
    TextStream before = stream(), after = stream();
    const Steered result = engine->steer(
        prompt.ids, plan, mode, choice, [&](std::int32_t id) { return before.push(id); }, [&](std::int32_t id) { return after.push(id); });
    if (!options.json.empty()) {
        const nlohmann::json out{{"prompt", options.model.prompt}, {"ids", prompt.ids}, {"mode", options.mode}, {"asked", result.asked}, {"changed", result.changed},
                                 {"before", side_json(result.before, before, prompt)}, {"after", side_json(result.after, after, prompt)}};
        return write_result(options.json, json_text(out));
    }
    std::cout.flush();
    std::printf("Changed %zu of %zu units (%s)\n", result.changed, result.asked, options.mode.c_str());
    print_side("Before:", result.before, before, prompt);
    print_side("After: ", result.after, after, prompt);
    std::fflush(stdout);
}

}  // namespace

void add_steer_command(CLI::App& app) {
    auto* command = app.add_subcommand("steer", "Change neurons, heads or the residual stream while the model continues a prompt");
    auto options = std::make_shared<SteerCommand>();
    add_model_options(*command, options->model);
    const auto several = [&](const char* name, std::vector<std::string>& into, const char* help) {
        command->add_option(name, into, std::string(help) + " (may be given several times)")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    };
    several("--set", options->set, "LAYER/NEURON=VALUE: the neuron becomes this; heads as head:LAYER/HEAD, here and below");
    several("--scale", options->scale, "LAYER/NEURON=FACTOR: the neuron is multiplied");
    several("--add", options->add, "LAYER/NEURON=VALUE: this is added to the neuron");
    several("--zero", options->zero, "LAYER/NEURON: the neuron becomes 0");
    several("--head", options->head, "LAYER/HEAD=FACTOR: the head's output is multiplied; 0 switches it off");
    several("--add-direction", options->directions, "FILE or FILE*FACTOR: vectors added to the residual stream; .safetensors with tensors layers.L.resid_post, or JSON with such lists");
    command->add_option("--edits", options->from, "edits from a file, one a line: set 3/118=4, scale 2/40=0, add 1/7=0.5, zero 4/7, head 1/3=0");
    command->add_option("--top-relevant", options->top_relevant, "N=FACTOR: multiply the N neurons that are most relevant for the next token, or for --target");
    command->add_option("--positions", options->positions, "change at these positions only, e.g. 0-3,7");
    command->add_option("--mode", options->mode, "new-tokens: only in the passes that choose new tokens, the prompt's cache is kept; all-positions: the prompt is read again")
        ->check(CLI::IsMember({"new-tokens", "all-positions"}))
        ->capture_default_str();
    add_generation_options(*command, options->generation);
    add_json_option(*command, options->json);
    command->footer("Layers, neurons, heads and positions count from 0. Nothing changed is an error.\nExamples:\n"
                    "  lrp steer examples/models/mini \"On Sunday there is a lot of snow.\" --set 3/118=4.0 --scale 2/40=0 --head 1/3=0\n"
                    "  lrp steer examples/models/mini \"Ben paints the chair\" --top-relevant 20=0 --mode new-tokens --json steered.json\n"
                    "  lrp steer examples/models/mini \"Ben paints the chair\" --add-direction 'direction.safetensors*2'");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
