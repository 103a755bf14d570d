// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// How a backend declares that it computes a composed op in a better way of its own. Nothing is detected: what is listed is used, and
// must be there; what is not listed is composed of the primitives.
#pragma once

#include <array>
#include <string_view>

namespace lrp {

/// Ops that a backend may compute natively. A backend lists them as `static constexpr std::array native{Native::softmax, ...};` and
/// provides, for softmax: `softmax(ctx, View<const T> x, View<T> s, Index queries)`, the causal or full row softmax; for tiles:
/// `for_each_tile(ctx, Index n, Index scratch, f)`, which calls f(group, i, T* memory) for every i < n, each by one group of lanes that share
/// `scratch` scalars of fast memory. With tiles, attention needs no T x T matrix.
enum class Native { softmax, tiles };

inline constexpr std::array<std::string_view, 2> native_names{"softmax", "tiles"};

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
