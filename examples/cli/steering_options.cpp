// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "steering_options.hpp"

#include <set>

#include "label_edits.hpp"
#include "steering_arguments.hpp"

namespace lrp::cli {

namespace {
/// What one of the options for edits names.
std::vector<UnitEdit> parse_edits(const std::string& option, const std::string& text) {
    if (option == "--edits") return read_edits(text);
    if (option == "--zero") return {parse_zero(option, text)};
    if (option == "--head") return {parse_head(option, text)};
    return {parse_edit(option, text, option == "--set" ? UnitEdit::Kind::set : option == "--scale" ? UnitEdit::Kind::scale : UnitEdit::Kind::add)};
}
}  // namespace

void add_steering_options(CLI::App& command, SteeringOptions& options) {
    const auto several = [&](const char* name, std::vector<std::string>& into, const char* help) {
        command.add_option(name, into, std::string(help) + " (may be given several times)")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    };
    const auto edit = [&](const std::string& name, const char* help) {
        command.add_option_function<std::string>(name, [&options, name](const std::string& text) { options.edits.emplace_back(name, text); }, std::string(help) + " (may be given several times)")
            ->trigger_on_parse();
    };
    edit("--set", "LAYER/NEURON=VALUE: the neuron becomes this; heads as head:LAYER/HEAD, here and below. Edits of one unit take place in the order in which they are given");
    edit("--scale", "LAYER/NEURON=FACTOR: the neuron is multiplied");
    edit("--add", "LAYER/NEURON=VALUE: this is added to the neuron");
    edit("--zero", "LAYER/NEURON: the neuron becomes 0");
    edit("--head", "LAYER/HEAD=FACTOR: the head's output is multiplied; 0 switches it off");
    edit("--edits", "edits from a file, one a line: set 3/118=4, scale 2/40=0, add 1/7=0.5, zero 4/7, head 1/3=0");
    several("--add-direction", options.directions, "FILE or FILE*FACTOR: vectors added to the residual stream; .safetensors with tensors layers.L.resid_post, or JSON with such lists");
    several("--label", options.labels,
            "NAME*FACTOR: every neuron and head that has NAME in a label is multiplied, whichever of its poles the label is about. NAME is matched as `lrp show STORE --search` does: a word in "
            "any letter case, words that all must be there, fruit* for words that begin so (fruit**2), \"in this order\", cat OR dog; needs --store");
    command.add_option("--store", options.store, "the neuron store with the labels, made by `lrp collect` from this model and labelled by `lrp label`");
    command.add_option("--label-source", options.label_source, "only labels of this source: tokens (by activation), tokens-next (by relevance: what comes next where a unit matters most), or an import's name");
    command.add_option("--top-relevant", options.top_relevant, "N=FACTOR: multiply the N neurons that are most relevant for the next token, or for --target");
    command.add_option("--positions", options.positions, "change at these positions only, e.g. 0-3,7");
    command.add_option("--mode", options.mode, "new-tokens: only in the passes that choose new tokens, the prompt's cache is kept; all-positions: the prompt is read again")
        ->check(CLI::IsMember({"new-tokens", "all-positions"}))
        ->capture_default_str();
}

SteeringPlan named_plan(const SteeringOptions& options, bool factors) {
    SteeringPlan plan;
    for (const auto& [option, text] : options.edits)
        for (const UnitEdit& edit : parse_edits(option, text)) plan.units.push_back(edit);
    for (const auto& text : options.directions)
        for (DirectionEdit& direction : read_directions(text)) plan.directions.push_back(std::move(direction));
    if (!options.positions.empty()) plan.positions = parse_positions(options.positions);
    for (const auto& text : options.labels) (void)parse_label(text, factors);
    if (!options.labels.empty() && options.store.empty()) fail<UsageError>("--label: give the store that has the labels, with --store");
    if (!options.label_source.empty() && options.labels.empty()) fail<UsageError>("--label-source: there is no --label");
    if (!options.store.empty() && options.labels.empty()) fail<UsageError>("--store: nothing is asked of it; give a --label");
    if (!options.top_relevant.empty()) (void)parse_top("--top-relevant", options.top_relevant, factors);
    if (!options.adjust.empty()) (void)parse_top("--adjust", options.adjust, true);
    if (plan.empty() && options.top_relevant.empty() && options.labels.empty() && options.adjust.empty())
        fail<UsageError>(
            "steer: nothing is to be changed; give --set, --scale, --add, --zero, --head, --add-direction, --edits, --label, --top-relevant or --adjust");
    return plan;
}

void add_labelled(SteeringPlan& plan, const SteeringOptions& options, const std::string& hash, const std::string& folder, bool factors) {
#if defined(LRP_CLI_WITH_STORE)
    for (const std::string& text : options.labels) {
        const auto [name, factor] = parse_label(text, factors);
        for (const UnitEdit& edit : label_edits(options.store, name, options.label_source, factor, hash, folder)) plan.units.push_back(edit);
    }
#else
    (void)plan, (void)options, (void)hash, (void)folder, (void)factors;
    fail("--label: this program was built without the neuron store (SQLite)");
#endif
}

void check_label_options(const SteeringOptions& options, const std::string& hash, const std::string& folder) {
#if defined(LRP_CLI_WITH_STORE)
    check_labels(options.store, options.label_source, hash, folder);
#else
    (void)options, (void)hash, (void)folder;
    fail("--store: this program was built without the neuron store (SQLite)");
#endif
}

std::vector<UnitEdit> relevant_edits(const std::vector<UnitRelevance>& neurons, std::size_t count, double factor) {
    std::vector<UnitEdit> edits;
    std::set<std::pair<Index, Index>> seen;
    for (const UnitRelevance& unit : neurons) {
        if (edits.size() == count) break;
        if (seen.insert({unit.layer, unit.unit}).second) edits.push_back({Site::neuron, unit.layer, unit.unit, UnitEdit::Kind::scale, factor});
    }
    return edits;
}

}  // namespace lrp::cli
