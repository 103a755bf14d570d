// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/analysis/token_pairs.hpp>
#include <lrp/pipeline/trace_file.hpp>

namespace lrp {

/// Token-to-token relevance as named arrays (docs/formats.md): those of its trace; of a flow `cuts` [2] (int32: from, to), flow [T, T] (position below by position
/// above), above [T], below [T]; of edges edge [L, H, T, T] where they were kept head by head, and edge_sum [L, T, T] (query by key). Either may be null.
[[nodiscard]] inline DataFile flow_file(const Trace& trace, const RelevanceFlow* flow, const AttentionEdges* edges) {
    const auto wide = [](std::size_t value) { return static_cast<std::uint64_t>(value); };
    const std::uint64_t tokens = wide(trace.tokens_count);
    DataFile file = trace_file(trace, "lrpxx-flow");
    if (flow != nullptr) {
        file.arrays.push_back({"cuts", {2}, std::vector<std::int32_t>{static_cast<std::int32_t>(flow->cuts.from), static_cast<std::int32_t>(flow->cuts.to)}});
        file.arrays.push_back({"flow", {tokens, tokens}, flow->flow});
        file.arrays.push_back({"above", {tokens}, flow->above});
        file.arrays.push_back({"below", {tokens}, flow->below});
    }
    if (edges != nullptr) {
        if (!edges->head.empty()) file.arrays.push_back({"edge", {wide(edges->layers), wide(edges->heads), tokens, tokens}, edges->head});
        file.arrays.push_back({"edge_sum", {wide(edges->layers), tokens, tokens}, edges->summed});
    }
    return file;
}

}  // namespace lrp
