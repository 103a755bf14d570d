// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Units by what a store says that they stand for.
#pragma once

#include <string>
#include <vector>

#include <lrp/analysis/neurons.hpp>
#include <lrp/analysis/steering.hpp>

namespace lrp::cli {

/// Every neuron and head of a store with a label (of one source, if that is not empty) that matches a full-text query, multiplied; each once, by site, layer and unit. Error: a store of another
/// model than the one of this hash, a query that is none, a label that no unit has.
[[nodiscard]] std::vector<UnitEdit> label_edits(const std::string& store, const std::string& name, const std::string& source, double factor, const std::string& model_hash, const std::string& model);

/// Error for a store of another model, UsageError if a source is named of which the store has no label.
void check_labels(const std::string& store, const std::string& source, const std::string& model_hash, const std::string& model);

/// For each unit the labels that a store has for it and for the pole that it shows (of a head the pole max), by source. Error: a
/// store of another model.
[[nodiscard]] std::vector<std::vector<std::string>> labels_of_units(const std::string& store, const std::vector<UnitRelevance>& units, const std::string& model_hash,
                                                                    const std::string& model);

}  // namespace lrp::cli
