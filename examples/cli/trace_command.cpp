// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <unistd.h>

#include <chrono>
#include <iostream>
#include <memory>

#include <lrp/core/config.hpp>
#include <lrp/io/npz.hpp>
#include <lrp/io/safetensors_write.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/pipeline/trace_file.hpp>
#include <lrp/view/ansi.hpp>
#include <lrp/view/html.hpp>
#include <lrp/view/json.hpp>
#include <lrp/view/svg.hpp>
#include <lrp/view/tex.hpp>

#include "peak_memory.hpp"
#include "steering_arguments.hpp"
#include "trace_options.hpp"

namespace lrp::cli {

TraceSites parse_sites(const std::string& text) {
    TraceSites sites{false, false, false, false};
    for (const std::string& name : split_list(text)) {
        if (name == "embedding") {
            sites.embedding = true;
        } else if (name == "residual") {
            sites.residual = true;
        } else if (name == "head") {
            sites.head = true;
        } else if (name == "neuron") {
            sites.neuron = true;
        } else {
            fail<UsageError>("--sites: expected some of embedding,residual,head,neuron, found '", name, "'");
        }
    }
    return sites;
}

std::map<std::string, std::string> trace_provenance(const TraceOptions& options, const Checkpoint& checkpoint) {
    auto provenance = provenance_of(options.model, folder_hash(options.model.folder, checkpoint));
    provenance["seed"] = options.lxt_seed ? "logit" : "1";
    return provenance;
}

namespace {

bool writes_file(const TraceOptions& options) {
    for (const auto* name : {&options.html, &options.svg, &options.tex, &options.json, &options.npz, &options.safetensors})
        if (!name->empty()) return true;
    return false;
}

/// The paths that the options restrict relevance to.
RelevanceCondition condition_of(const TraceOptions& options, const LlamaConfig& config) {
    const auto unit = [&](const std::string& option, const std::string& text) {
        const UnitRef named = parse_unit(option, text);
        require_unit(config, named, option + " " + text);
        return named;
    };
    RelevanceCondition condition;
    for (const std::string& text : options.through) condition.through.push_back(unit("--through", text));
    if (options.unit.empty()) return condition;
    if (!options.model.target.empty() || !options.model.contrast.empty() || options.lxt_seed) fail<UsageError>("--unit explains a unit's activation: --target, --contrast and --lxt-seed do not go with it");
    condition.begin = unit("--unit", options.unit);
    return condition;
}

/// The trace with only the sites the user asked for in data files.
Trace restrict_to(const Trace& trace, const TraceSites& sites) {
    Trace result = trace;
    if (!sites.embedding) result.embedding.clear();
    if (!sites.residual) result.residual.clear();
    return result;
}

void write_files(const Trace& trace, const TraceOptions& options, const TraceSites& sites) {
    const Normalize how = parse_normalize(options.normalize);
    if (!options.html.empty()) write_result(options.html, html_page(trace, how));
    if (!options.svg.empty()) write_result(options.svg, svg_heatmap(trace, how, options.shows_embedding()));
    if (!options.tex.empty()) write_result(options.tex, tex_tokens(trace));
    if (!options.json.empty()) write_result(options.json, trace_json(trace, split_list(options.sites)));
    if (options.npz.empty() && options.safetensors.empty()) return;
    const DataFile file = trace_file(restrict_to(trace, sites));
    if (!options.npz.empty()) write_result(options.npz, to_npz(file));
    if (!options.safetensors.empty()) write_result(options.safetensors, to_safetensors(file));
}

void print(const Trace& trace, const TraceOptions& options) {
    const TerminalStyle style = detect_terminal(STDOUT_FILENO);
    std::cout << ansi_predictions(trace, style) << '\n';
    std::cout << wrapped(what_is_explained(trace, options.model.rules), style.width) << "\n\n";
    std::cout << ansi_prompt(trace, style) << '\n' << ansi_heatmap(trace, style, parse_normalize(options.normalize), options.shows_embedding());
    std::cout.flush();
}

/// The data that files hold, once more in memory for every form it takes on its way to one.
std::uint64_t bytes_of_files(const TraceOptions& options, const EngineRequest& request, const PassShape& shape, const TraceSites& sites) {
    return writes_file(options) ? 7 * trace_bytes(request.config, shape, sites) : 0;
}

void run(const TraceOptions& options) {
    if (!options.file.empty()) return trace_file_of_prompts(options);
    const bool quiet = takes_stdout({{"--html", options.html}, {"--svg", options.svg}, {"--tex", options.tex}, {"--json", options.json}, {"--npz", options.npz, false}, {"--safetensors", options.safetensors, false}});
    const TraceSites sites = parse_sites(options.sites);
    (void)parse_normalize(options.normalize);
    const auto start = std::chrono::steady_clock::now();
    const Prompt prompt = read_prompt(options.model);
    AttributeOptions attribute = attribute_options(options.model, prompt);
    attribute.top = options.top;
    attribute.seed_with_logit = options.lxt_seed;
    const bool details = writes_file(options);  // the screen shows neither heads nor neurons
    attribute.sites = {true, true, details && sites.head, details && sites.neuron};
    std::optional<Checkpoint> checkpoint;
    const EngineRequest request = open_files(options.model, prompt.ids.size(), checkpoint);
    const RelevanceCondition condition = condition_of(options, request.config);
    const auto engine = make_engine(options.model.backend, request);
    const double load = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

    const PassShape shape{static_cast<Index>(attribute.position.value_or(prompt.ids.size() - 1)) + 1};
    const std::uint64_t peak = plan_memory(*engine, shape, options.model.recompute, attribute, checkpoint->bytes(), bytes_of_files(options, request, shape, attribute.sites));
    if (options.timing) print_plan(*engine, prompt.ids.size(), peak, checkpoint->bytes());
    PassTimes times;
    Trace trace = engine->trace(prompt.ids, attribute, &times, condition);
    trace.prompt = options.model.prompt;
    if (prompt.tokenizer) name_tokens(trace, *prompt.tokenizer, prompt.encoding ? &*prompt.encoding : nullptr);
    if (writes_file(options)) trace.provenance.merge(trace_provenance(options, *checkpoint));
    write_files(trace, options, sites);
    if (!quiet) print(trace, options);
    if (options.timing) print_timing(load, times);
}

}  // namespace

void print_plan(const Engine& engine, std::size_t tokens, std::uint64_t peak, std::uint64_t files) {
    const std::string code = engine.product_code(tokens);
    std::cerr << "expected peak memory: " << peak_text(peak, files) << (code.empty() ? "" : "; products by " + code) << '\n';
}

void print_timing(double load, const PassTimes& times) {
    std::cerr << "load " << load << " s, forward " << times.forward << " s, relevance " << times.relevance << " s, peak memory " << human_bytes(peak_memory()) << '\n';
}

void add_trace_command(CLI::App& app) {
    auto* command = app.add_subcommand("trace", "Explain the model's next token: predictions, relevance of the prompt, and its way through the layers");
    auto options = std::make_shared<TraceOptions>();
    add_model_options(*command, options->model);
    command->add_option("--file", options->file, "explain many prompts, one a line (FILE, or - for standard input; blank lines are left out), in few passes, each exactly as by itself");
    const std::string text = " (FILE, or - for standard output)";
    command->add_option("--html", options->html, "write one self-contained page with the heatmap" + text);
    command->add_option("--svg", options->svg, "write the heatmap as SVG" + text);
    command->add_option("--tex", options->tex, "write the coloured prompt for xelatex" + text);
    command->add_option("--json", options->json, "write all data as JSON; with --file one object a line" + text);
    command->add_option("--npz", options->npz, "write all data for numpy (FILE)");
    command->add_option("--safetensors", options->safetensors, "write all data as safetensors (FILE)");
    command->add_option("--sites", options->sites, "what data files hold; neuron is the largest, layers x tokens x intermediate size")->capture_default_str();
    command->add_option("--normalize", options->normalize, "scale of the heatmap: layer, global or none")
        ->check(CLI::IsMember({"layer", "global", "none"}))
        ->capture_default_str();
    command->add_option("--top", options->top, "how many predictions to list")->check(CLI::Range(1, 1000))->capture_default_str();
    command->add_option("--through", options->through, "LAYER/NEURON or head:LAYER/HEAD: only relevance that comes through this unit; of several in one layer through any, of several layers through "
                                                       "each (may be given several times)")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command->add_option("--unit", options->unit, "LAYER/NEURON or head:LAYER/HEAD: explain this unit's activation (a head's norm) at the position, not a logit");
    command->add_flag("--include-embedding", options->include_embedding, "show the embedding as a row of the heatmap on screen and in SVG (with --unit it always is; the page has a switch)");
    command->add_flag("--lxt-seed", options->lxt_seed, "seed with the logit instead of 1, as LXT's latent attribution page does");
    command->add_flag("--timing", options->timing, "print expected and real peak memory, what forms products, and load, forward and relevance time on standard error");
    command->footer("Examples:\n"
                    "  lrp trace examples/models/mini \"I have 5 cats and 3 dogs. My cats love to play with my\"\n"
                    "  lrp trace examples/models/mini \"The soup is hot\" --html trace.html --npz trace.npz\n"
                    "  lrp trace examples/models/mini \"I have 5 cats and 3 dogs. My cats love to play with my\" --target \" dogs\" --contrast \" horses\" --rules cp-lrp\n"
                    "  lrp trace examples/models/mini \"The soup is hot\" --unit 3/118\n"
                    "  lrp trace examples/models/mini \"The soup is hot\" --through head:0/4\n"
                    "  lrp trace examples/models/mini --ids 0,17,23 --json - --sites residual\n"
                    "  lrp trace examples/models/mini --file prompts.txt --npz traces.npz --sites embedding,residual");
    command->callback([options, command] {
        options->has_normalize = command->count("--normalize") > 0;
        run(*options);
    });
}

}  // namespace lrp::cli
