// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What `lrp trace` is told, for one prompt and for many.
#pragma once

#include "common.hpp"
#include "memory_plan.hpp"

namespace lrp::cli {

struct TraceOptions {
    ModelOptions model;
    std::string file;  ///< of prompts; "-": standard input; empty: one prompt
    std::string html, svg, tex, json, npz, safetensors;
    std::string sites = "embedding,residual,head,neuron";
    std::string normalize = "layer";
    std::vector<std::string> through;
    std::string unit;
    std::size_t top = 5;
    bool include_embedding = false;
    /// Below a unit there may be nothing but the embedding.
    [[nodiscard]] bool shows_embedding() const { return include_embedding || !unit.empty(); }
    bool lxt_seed = false;
    bool timing = false;
    bool has_normalize = false;
};

/// "embedding,head" as sites; UsageError naming --sites.
[[nodiscard]] TraceSites parse_sites(const std::string& text);

/// What the options and the files say of where traces come from; the same for all, and reads all weights.
[[nodiscard]] std::map<std::string, std::string> trace_provenance(const TraceOptions& options, const Checkpoint& checkpoint);

/// What --timing says on standard error: before a pass, and after all.
void print_plan(const Engine& engine, std::size_t tokens, std::uint64_t peak, std::uint64_t files);
void print_timing(double load, const PassTimes& times);

/// `lrp trace --file`.
void trace_file_of_prompts(const TraceOptions& options);

}  // namespace lrp::cli
