// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "oracle/forward.hpp"

namespace lrp::oracle {

/// R_x = x (R_s - s sum R_s) over the visible columns.
inline Rows taylor_softmax(const Rows& x, std::size_t queries, const Rows& R) {
    const Rows s = softmax(x, queries);
    Rows out = zeros_like(x);
    for (std::size_t t = 0; t < x.size(); ++t) {
        const std::size_t n = visible(t, x[t].size(), queries);
        double total = 0;
        for (std::size_t j = 0; j < n; ++j) total += R[t][j];
        for (std::size_t j = 0; j < n; ++j) out[t][j] = x[t][j] * (R[t][j] - s[t][j] * total);
    }
    return out;
}

}  // namespace lrp::oracle
