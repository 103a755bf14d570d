// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <algorithm>
#include <cstdio>
#include <iostream>
#include <memory>

#include <lrp/core/config.hpp>
#include <lrp/io/npz.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/pipeline/units_file.hpp>
#include <lrp/view/label.hpp>

#include "common.hpp"
#include "generated_json.hpp"
#include "label_edits.hpp"

namespace lrp::cli {

namespace {

struct NeuronsCommand {
    ModelOptions model;
    std::string per = "summed", json, npz, store;
    std::size_t top = 20;
};

/// Of each unit its labels; empty without a store.
using UnitLabels = std::vector<std::vector<std::string>>;

UnitLabels labels_for(const std::string& store, const std::vector<UnitRelevance>& units, const std::string& model_hash, const std::string& folder) {
    if (store.empty()) return {};
#if defined(LRP_CLI_WITH_STORE)
    return labels_of_units(store, units, model_hash, folder);
#else
    (void)units, (void)model_hash, (void)folder;
    fail("--store: this program was built without the neuron store (SQLite)");
#endif
}

nlohmann::json units_json(const std::vector<UnitRelevance>& units, const Trace& trace, const UnitLabels& labels) {
    nlohmann::json list = nlohmann::json::array();
    for (const UnitRelevance& unit : units) {
        list.push_back({{"layer", unit.layer}, {"index", unit.unit}, {"position", unit.token}, {"token", trace.tokens[unit.token]}, {"sign", unit.sign() < 0 ? "-" : "+"},
                        {"activation", unit.activation}, {"relevance", unit.relevance}, {"share", unit.share}});
        if (!labels.empty()) list.back()["labels"] = labels[list.size() - 1];
    }
    return list;
}

void print_units(const char* title, const std::vector<UnitRelevance>& units, const Trace& trace, const char* activation, const UnitLabels& labels) {
    std::printf("%s\n%5s %6s %4s %9s  %-16s %11s %11s %8s%s\n", title, "layer", "index", "sign", "position", "token", activation, "relevance", "share",
                labels.empty() ? "" : "  labels (; between them)");
    for (std::size_t i = 0; i < units.size(); ++i) {
        const UnitRelevance& unit = units[i];
        std::printf("%5td %6td %4s %9zu  %s %11.4g %11.4g %7.2f%%", unit.layer, unit.unit, unit.sign() < 0 ? "-" : "+", unit.token,
                    fit_quoted(visible(trace.tokens[unit.token]), 16).c_str(), unit.activation, unit.relevance, 100 * unit.share);
        for (std::size_t j = 0; !labels.empty() && j < labels[i].size(); ++j) std::printf("%s%s", j == 0 ? "  " : "; ", visible(labels[i][j]).c_str());
        std::printf("\n");
    }
    std::printf("\n");
}

void run(const NeuronsCommand& options) {
    const bool quiet = takes_stdout({{"--json", options.json}, {"--npz", options.npz, false}});
    const UnitScope scope = parse_unit_scope(options.per);
    const Prompt prompt = read_prompt(options.model);
    const AttributeOptions attribute = attribute_options(options.model, prompt);
    std::optional<Checkpoint> checkpoint;
    const auto engine = open_engine(options.model, prompt.ids.size(), checkpoint);
    UnitReport report = engine->units(prompt.ids, attribute, options.top, scope);
    const bool writes_file = !options.npz.empty() || !options.json.empty();
    const std::string hash = writes_file || !options.store.empty() ? folder_hash(options.model.folder, *checkpoint) : "";
    const UnitLabels neuron_labels = labels_for(options.store, report.neurons, hash, options.model.folder);
    const UnitLabels head_labels = labels_for(options.store, report.heads, hash, options.model.folder);
    const auto unlabelled = [](const UnitLabels& labels) { return std::all_of(labels.begin(), labels.end(), [](const auto& own) { return own.empty(); }); };
    if (!options.store.empty() && unlabelled(neuron_labels) && unlabelled(head_labels))
        std::cerr << "lrp: note: " << options.store << " has no label of these units; `lrp label " << options.store << "` makes labels\n";
    Trace& trace = report.trace;
    trace.prompt = options.model.prompt;
    if (prompt.tokenizer) name_tokens(trace, *prompt.tokenizer, prompt.encoding ? &*prompt.encoding : nullptr);
    if (writes_file) {
        trace.provenance.merge(provenance_of(options.model, hash));
        trace.provenance.insert({{"target", std::to_string(trace.target)}, {"per", options.per}});
    }
    if (!options.npz.empty()) write_result(options.npz, to_npz(units_file(report)));
    if (!options.json.empty()) {
        nlohmann::json out{{"format", "lrpxx-units"}, {"format_version", 1}, {"prompt", trace.prompt}, {"ids", trace.ids}, {"tokens", trace.tokens},
                                 {"position", trace.position}, {"target", trace.target}, {"target_token", trace.target_token}, {"explained", trace.explained}, {"per", options.per},
                                 {"neurons", units_json(report.neurons, trace, neuron_labels)}, {"heads", units_json(report.heads, trace, head_labels)}, {"metadata", trace.provenance}};
        if (trace.contrast) {
            out["contrast"] = *trace.contrast;
            out["contrast_token"] = trace.contrast_token;
        }
        write_result(options.json, json_text(out));
    }
    if (quiet) return;
    std::cout.flush();
    std::printf("%s\n\n", what_is_explained(trace, options.model.rules).c_str());
    print_units("Neurons (inputs of down_proj; activation at the position)", report.neurons, trace, "activation", neuron_labels);
    print_units("Heads (before o_proj; norm of the output at the position)", report.heads, trace, "norm", head_labels);
    std::fflush(stdout);
}

}  // namespace

void add_neurons_command(CLI::App& app) {
    auto* command = app.add_subcommand("neurons", "The neurons and heads that the explained logit came through");
    auto options = std::make_shared<NeuronsCommand>();
    add_model_options(*command, options->model);
    command->add_option("--top", options->top, "how many neurons, and how many heads")->check(CLI::Range(1, 1 << 20))->capture_default_str();
    command->add_option("--per", options->per, "summed: a unit's relevance over all positions at which it has the same sign; token: every position by itself; layer: summed, a list for each layer")
        ->check(CLI::IsMember({"summed", "token", "layer"}))
        ->capture_default_str();
    command->add_option("--store", options->store, "show what a neuron store's labels say that each stands for (made by `lrp collect` from this model, labelled by `lrp label`)");
    add_json_option(*command, options->json);
    command->add_option("--npz", options->npz, "write all values and the ranking for numpy (FILE)");
    command->footer("Layers, indexes and positions count from 0. The position of a summed unit is where it is most relevant.\nExamples:\n"
                    "  lrp neurons examples/models/mini \"I have 5 cats and 3 dogs. My cats love to play with my\"\n"
                    "  lrp neurons examples/models/mini \"The soup is hot\" --per layer --top 3 --json units.json --npz units.npz");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
