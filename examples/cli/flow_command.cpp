// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <memory>

#include <lrp/core/config.hpp>
#include <lrp/io/npz.hpp>
#include <lrp/pipeline/flow_file.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/view/json.hpp>
#include <lrp/view/html_token_maps.hpp>
#include <lrp/view/token_map.hpp>

#include "common.hpp"

namespace lrp::cli {

namespace {

struct FlowCommand {
    ModelOptions model;
    std::optional<Index> from, to;
    bool edges = false;
    std::string show, json, npz, svg, html, normalize = "global";
    std::size_t top = 15;
};

/// What --show asks for: a layer's edges, or one head's.
struct Shown {
    std::size_t layer = 0;
    std::optional<std::size_t> head;
};

std::optional<Shown> parse_show(const std::string& text, const LlamaConfig& config) {
    if (text.empty()) return std::nullopt;
    const char* at = text.data();
    const char* const last = at + text.size();
    const auto number = [&](std::size_t& value) {
        const auto [end, code] = std::from_chars(at, last, value);
        at = end;
        return code == std::errc();
    };
    Shown shown;
    std::size_t head = 0;
    bool good = number(shown.layer);
    if (good && at != last) {
        good = *at++ == '/' && number(head) && at == last;
        shown.head = head;
    }
    if (!good) fail<UsageError>("--show: expected LAYER or LAYER/HEAD such as 2 or 2/5, found '", text, "'");
    require_unit(config, {Site::head, static_cast<Index>(shown.layer), static_cast<Index>(shown.head.value_or(0))}, "--show " + text);
    return shown;
}

std::string flow_json(const Trace& trace, const RelevanceFlow& flow, const AttentionEdges* edges) {
    lrp::detail::JsonWriter json;
    const std::size_t tokens = trace.tokens_count;
    json.text("format", "lrpxx-flow");
    json.raw("format_version", "1");
    json.text("prompt", trace.prompt);
    json.raw("ids", json.array(trace.ids, {tokens}, "ids"));
    std::string names;
    for (const std::string& token : trace.tokens) names += (names.empty() ? "[" : ", ") + json.quoted(token);
    json.raw("tokens", names + "]");
    json.raw("position", std::to_string(trace.position));
    json.raw("target", std::to_string(trace.target));
    json.text("target_token", trace.target_token);
    if (trace.contrast) {
        json.raw("contrast", std::to_string(*trace.contrast));
        json.text("contrast_token", trace.contrast_token);
    }
    json.raw("explained", number_text(trace.explained));
    json.raw("from", std::to_string(flow.cuts.from));
    json.raw("to", std::to_string(flow.cuts.to));
    json.raw("flow", json.array(flow.flow, {tokens, tokens}, "flow"));
    json.raw("above", json.array(flow.above, {tokens}, "above"));
    json.raw("below", json.array(flow.below, {tokens}, "below"));
    if (edges != nullptr) {
        json.raw("edge_sum", json.array(edges->summed, {edges->layers, tokens, tokens}, "edge_sum"));
        json.raw("edge", json.array(edges->head, {edges->layers, edges->heads, tokens, tokens}, "edge"));
    }
    json.raw("metadata", nlohmann::json(trace_metadata(trace, "lrpxx-flow")).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return json.finish();
}

/// The flow and each layer's edges, where there are any; opens with what is shown.
std::string page(const Trace& trace, const RelevanceFlow& flow, const AttentionEdges* edges, const TokenMap* shown, Normalize how) {
    std::vector<TokenMap> maps{token_map(trace, flow)};
    for (std::size_t layer = 0; edges != nullptr && layer < edges->layers; ++layer) maps.push_back(token_map(trace, *edges, layer));
    std::size_t first = 0;
    if (shown != nullptr) {
        first = static_cast<std::size_t>(std::ranges::find(maps, shown->name, &TokenMap::name) - maps.begin());
        if (first == maps.size()) maps.push_back(*shown);
    }
    return html_token_maps(trace, maps, first, how);
}

void print_edges(const EdgeReport& report, const Trace& trace, std::size_t top) {
    std::printf("Edges of attention, strongest first (relevance that a head's output at the query has from the value at the key)\n%5s %5s  %-20s %-20s %11s %8s\n", "layer", "head", "query", "key",
                "relevance", "share");
    const auto name = [&](std::size_t at) {
        const std::string number = std::to_string(at) + ' ';
        return number + fit_quoted(visible(trace.tokens[at]), 20 - static_cast<int>(number.size()));
    };
    for (const EdgeRelevance& edge : strongest_edges(report.edges, top))
        std::printf("%5zu %5zu  %s %s %11.4g %7.2f%%\n", edge.layer, edge.head, name(edge.query).c_str(), name(edge.key).c_str(), edge.relevance,
                    trace.explained != 0 ? 100 * edge.relevance / trace.explained : 0.0);
    std::printf("\n");
}

void run(const FlowCommand& options) {
    const bool quiet = takes_stdout({{"--json", options.json}, {"--svg", options.svg}, {"--html", options.html}, {"--npz", options.npz, false}});
    const Normalize how = options.normalize == "row" ? Normalize::layer : Normalize::global;
    const Prompt prompt = read_prompt(options.model);
    const AttributeOptions attribute = attribute_options(options.model, prompt);
    std::optional<Checkpoint> checkpoint;
    const EngineRequest request = open_files(options.model, prompt.ids.size(), checkpoint);
    const std::optional<Shown> shown = parse_show(options.show, request.config);
    const FlowCuts cuts{options.from.value_or(0), options.to.value_or(std::max<Index>(request.config.layers - 1, 1))};
    const auto engine = make_engine(options.model.backend, request);
    FlowReport report = engine->flow(prompt.ids, std::array{cuts}, attribute);
    Trace& trace = report.trace;
    const RelevanceFlow& flow = report.flows.front();
    std::optional<EdgeReport> edges;
    if (options.edges || shown) {
        edges = engine->edges(prompt.ids, attribute);
        trace.head = edges->trace.head;
    }
    trace.prompt = options.model.prompt;
    if (prompt.tokenizer) name_tokens(trace, *prompt.tokenizer, prompt.encoding ? &*prompt.encoding : nullptr);
    if (!options.npz.empty() || !options.json.empty() || !options.html.empty()) {
        trace.provenance.merge(provenance_of(options.model, folder_hash(options.model.folder, *checkpoint)));
        trace.provenance.insert({{"from", std::to_string(cuts.from)}, {"to", std::to_string(cuts.to)}});
    }
    const AttentionEdges* const of_attention = edges ? &edges->edges : nullptr;
    const TokenMap picture = shown ? token_map(trace, edges->edges, shown->layer, shown->head) : token_map(trace, flow);
    if (!options.npz.empty()) write_result(options.npz, to_npz(flow_file(trace, &flow, of_attention)));
    if (!options.svg.empty()) write_result(options.svg, svg_token_map(picture, how));
    if (!options.html.empty()) write_result(options.html, page(trace, flow, of_attention, shown ? &picture : nullptr, how));
    if (!options.json.empty()) write_result(options.json, flow_json(trace, flow, of_attention));
    if (quiet) return;
    const TerminalStyle style = detect_terminal(STDOUT_FILENO);
    std::cout.flush();
    std::printf("%s\n\n", what_is_explained(trace, options.model.rules).c_str());
    if (edges) print_edges(*edges, trace, options.top);
    std::fflush(stdout);
    std::cout << ansi_token_map(picture, style, how);
    std::cout.flush();
}

}  // namespace

void add_flow_command(CLI::App& app) {
    auto* command = app.add_subcommand("flow", "Relevance from token to token: between two layers of the residual stream, and along the edges of attention");
    auto options = std::make_shared<FlowCommand>();
    add_model_options(*command, options->model);
    command->add_option("--from", options->from, "the cut below, in layers passed: 0 is the embedding, 1 the output of layer 0, the first ... [0]")->type_name("INT");
    command->add_option("--to", options->to, "the cut above; behind the last layer only the explained position has relevance [the last but one]")->type_name("INT");
    command->add_flag("--edges", options->edges, "also the relevance of attention's edges, for every layer and head: the strongest as a list, all of them in --json and --npz");
    command->add_option("--show", options->show, "LAYER or LAYER/HEAD, counted from 0: draw these edges in place of the flow (implies --edges)");
    command->add_option("--top", options->top, "how many edges to list")->check(CLI::Range(1, 1 << 20))->capture_default_str();
    command->add_option("--normalize", options->normalize, "scale of the picture: global, or row (each position above by its largest)")
        ->check(CLI::IsMember({"global", "row"}))
        ->capture_default_str();
    command->add_option("--svg", options->svg, "write the picture as SVG (FILE, or - for standard output)");
    command->add_option("--html", options->html, "write one self-contained page: the flow, with --edges each layer's edges as well, and for each position where its relevance comes from "
                                                 "(FILE, or - for standard output)");
    add_json_option(*command, options->json);
    command->add_option("--npz", options->npz, "write all data for numpy (FILE)");
    command->footer("Examples:\n"
                    "  lrp flow examples/models/mini \"I have 5 cats and 3 dogs. My cats love to play with my\"\n"
                    "  lrp flow examples/models/mini \"The soup is hot\" --from 2 --to 4 --svg flow.svg --npz flow.npz\n"
                    "  lrp flow examples/models/mini \"The soup is hot\" --edges --html flow.html\n"
                    "  lrp flow examples/models/mini \"The soup is hot\" --edges --json edges.json\n"
                    "  lrp flow examples/models/mini \"The soup is hot\" --show 3/1 --normalize row");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
