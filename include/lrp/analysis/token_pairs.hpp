// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Relevance from token to token, on the host and free of any backend: along attention's edges, and between cuts of the residual stream.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

#include <lrp/core/scalar.hpp>

namespace lrp {

/// Relevance of the edges of attention. A head's output at query q is the sum z_q = sum_k A_qk v_k, so its relevance before o_proj falls into one part a key:
///     E_qk = A_qk (v_k . c_z,q),    sum_k E_qk = z_q . c_z,q = the head's relevance at q (Trace::head), exactly, whatever the rules.
/// E is taken before the rule of the product A V divides it: AttnLRP's UniformRule<MatMul> hands E/2 to the weight A_qk and E/2 to the value v_k, CP-LRP all of it
/// to the value. It is the term of Achtibat et al. 2024's rule for matrix products (A_qk v_kd R_qd / 2 z_qd), summed over the head's width d, without its 1/2.
/// T tokens; entries with k > q, and those of queries that carry nothing (behind the explained position; in the last layer all but that one), are 0.
struct AttentionEdges {
    std::size_t layers = 0, heads = 0, tokens = 0;
    std::vector<float> head;    ///< [L, H, T, T] a head's query by key; empty unless asked for
    std::vector<float> summed;  ///< [L, T, T] over the heads
};

/// One edge of one head.
struct EdgeRelevance {
    std::size_t layer = 0, head = 0, query = 0, key = 0;
    double relevance = 0;
};

/// The `count` edges of largest magnitude of all layers and heads, best first; earlier ones first among equals; none that is 0. Needs `edges.head`.
[[nodiscard]] inline std::vector<EdgeRelevance> strongest_edges(const AttentionEdges& edges, std::size_t count) {
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < edges.head.size(); ++i)
        if (edges.head[i] != 0) order.push_back(i);
    count = std::min(count, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), [&](std::size_t a, std::size_t b) {
        const float x = std::abs(edges.head[a]), y = std::abs(edges.head[b]);
        return x != y ? x > y : a < b;
    });
    std::vector<EdgeRelevance> result;
    for (std::size_t n = 0; n < count; ++n) {
        const std::size_t i = order[n], pair = edges.tokens * edges.tokens;
        result.push_back({i / pair / edges.heads, i / pair % edges.heads, i / edges.tokens % edges.tokens, i % edges.tokens, static_cast<double>(edges.head[i])});
    }
    return result;
}

/// Two cuts of the residual stream, counted in layers passed: 0 the embedding, l the output of layer l - 1, L that of the last layer; 0 <= from < to <= L.
struct FlowCuts {
    Index from = 0;
    Index to = 1;
    bool operator==(const FlowCuts&) const = default;
};

/// Relevance flow F between two cuts for every pair of T tokens: F_ij is the relevance at position i of cut `from` that arrives when of the coefficient
/// C at cut `to` the row of position j alone is let through,
///     F_ij = x_i . (J_j^T C_j),    sum_j F_ij = below_i (the backward pass is linear in C);    F_ij = 0 for i > j (nothing looks ahead).
/// sum_i F_ij is above_j less what the layers between absorb of it (docs/math.md, section 7): under CP-LRP without biases nothing.
/// Restricting the start of relevance to chosen places is Achtibat et al. 2023 (CRP); here every place at once.
struct RelevanceFlow {
    FlowCuts cuts;
    std::size_t tokens = 0;
    std::vector<float> flow;   ///< [T, T] position below by position above
    std::vector<float> above;  ///< [T] relevance at cut `to`
    std::vector<float> below;  ///< [T] relevance at cut `from`
};

}  // namespace lrp
