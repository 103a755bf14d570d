// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <iostream>
#include <memory>

#include "common.hpp"
#include "generated_json.hpp"

namespace lrp::cli {

namespace {

struct GenerateCommand {
    ModelOptions model;
    GenerationOptions generation;
    std::string json;
};

void run(const GenerateCommand& options) {
    const Prompt prompt = read_prompt(options.model);
    const GenerateOptions choice = generate_options(options.generation, options.model, prompt);
    std::optional<Checkpoint> checkpoint;
    const auto engine = open_engine(options.model, prompt.ids.size(), checkpoint);
    const bool quiet = !options.json.empty();
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
    if (quiet) {
        nlohmann::json out = generated_json(result, stream, prompt.tokenizer.has_value());
        out["ids"] = prompt.ids;
        out["prompt"] = options.model.prompt;
        return write_result(options.json, json_text(out));
    }
    std::cout << '\n';
    std::cout.flush();
    require(std::cout.good(), "standard output: the result could not be written");
}

}  // namespace

void add_generate_command(CLI::App& app) {
    auto* command = app.add_subcommand("generate", "Let the model continue a prompt; the new text is shown as it comes");
    auto options = std::make_shared<GenerateCommand>();
    add_prompt_options(*command, options->model, "the prompt to be continued");
    add_backend_options(*command, options->model);
    add_generation_options(*command, options->generation);
    add_json_option(*command, options->json);
    command->footer("Without a temperature the most likely token is taken each time. With --ids and no tokenizer, ids are shown. JSON holds new_ids, text (null without a\n"
                    "tokenizer), end (length, stop_id or stop_string), token_logits, ids and prompt.\nExamples:\n"
                    "  lrp generate examples/models/mini \"On Sunday there is a lot of snow.\"\n"
                    "  lrp generate examples/models/mini \"Ben paints the chair\" --temperature 0.8 --top-p 0.9 --seed 1 --stop .\n"
                    "  lrp generate examples/models/mini --ids 0,265 --max-new-tokens 8 --ignore-eos --json");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
