// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// How a backend declares that it computes a composed op in a better way of its own. Nothing is detected: what is listed is used, and
// must be there; what is not listed is composed of the primitives.
#pragma once

#include <array>
#include <string_view>

#include <lrp/core/tensor.hpp>

namespace lrp {

/// Ops that a backend may compute natively. A backend lists them as `static constexpr std::array native{Native::softmax, ...};` and
/// provides, for softmax: `softmax(ctx, View<const T> x, View<T> s, Index queries)`, the causal or full row softmax; for tiles:
/// `for_each_tile(ctx, Index n, Index scratch, f)`, which calls f(group, i, T* memory) for every i < n, each by one group of lanes that share
/// `scratch` scalars of fast memory (`static constexpr Index tile_bytes`, if there: no more bytes than this); for attention: `attention_forward(ctx, AttentionForward<T>)` and `attention_backward(ctx, AttentionBackward<T>)`.
/// With tiles or attention, no T x T matrix is needed.
enum class Native { softmax, tiles, attention };

inline constexpr std::array<std::string_view, 3> native_names{"softmax", "tiles", "attention"};

/// H query heads over K key and value heads, each of width D; scores are multiplied by `scale`.
struct AttentionSizes {
    Index heads = 1;
    Index kv_heads = 1;
    Index head_dim = 1;
    double scale = 1;
};

/// Causal attention Z_h = softmax(scale Q_h K_h^T) V_h. The Q queries are the last of the S positions that have keys: query i sees the keys
/// 0 .. S - Q + i. Also to be written, for P to be formed again: m_hi = max_j score_ij and r_hi = 1 / sum_j exp(score_ij - m_i), so that
/// P_ij = r_i exp(score_ij - m_i); as one logarithm they would be rounded to a share of the score.
template <class T>
struct AttentionForward {
    AttentionSizes sizes;
    View<const T> q, k, v;  ///< [Q, H*D], [S, K*D], [S, K*D]
    View<T> z;              ///< [Q, H*D]
    T* rows = nullptr;      ///< [H * Q, 2]: m and r
};

/// Its backward pass, with factors a, b, c: e_ij = P_ij (c_z,i . v_j - c_z,i . z_i); c_q = a scale e K,
/// c_k = b scale e^T Q, c_v = c P^T c_z; k and v get the sum over the heads that share them.
template <class T>
struct AttentionBackward {
    AttentionSizes sizes;
    View<const T> q, k, v, z;
    const T* rows = nullptr;
    View<const T> c_z;
    double factor_q = 1, factor_k = 1, factor_v = 1;
    View<T> c_q, c_k, c_v;
};

/// Whether backend B lists the op.
template <class B>
consteval bool is_native(Native op) {
    if constexpr (requires { B::native; }) {
        for (const Native listed : B::native)
            if (listed == op) return true;
    }
    return false;
}

}  // namespace lrp
