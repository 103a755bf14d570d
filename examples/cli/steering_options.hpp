// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Which units a user wants changed: by name, from a file, by label, by relevance.
#pragma once

#include <string>
#include <vector>

#include "common.hpp"

namespace lrp::cli {

struct SteeringOptions {
    std::vector<std::pair<std::string, std::string>> edits;  ///< --set, --scale, --add, --zero, --head, --edits and what was given with each, as they came
    std::vector<std::string> directions, labels;
    std::string positions, top_relevant, adjust, store, label_source;
    std::string mode = "all-positions";

    [[nodiscard]] SteeringMode steering_mode() const { return mode == "new-tokens" ? SteeringMode::new_tokens : SteeringMode::all_positions; }
};
void add_steering_options(CLI::App& command, SteeringOptions& options);

/// What the options name, but for what depends on relevance or a store. UsageError where they name nothing at all. `factors`: whether labels and the most
/// relevant need a factor.
[[nodiscard]] SteeringPlan named_plan(const SteeringOptions& options, bool factors = true);

/// Adds the neurons and heads whose label matches, each once. Error: a store of another model than the one of this hash (folder_hash), a label that no unit has.
void add_labelled(SteeringPlan& plan, const SteeringOptions& options, const std::string& hash, const std::string& folder, bool factors = true);
/// For labels that will be asked for later: Error or UsageError where --store and --label-source cannot give any.
void check_label_options(const SteeringOptions& options, const std::string& hash, const std::string& folder);

/// The most relevant neurons by magnitude, best first; a neuron whose two poles are both among them counts once.
[[nodiscard]] std::vector<UnitEdit> relevant_edits(const std::vector<UnitRelevance>& neurons, std::size_t count, double factor);

}  // namespace lrp::cli
