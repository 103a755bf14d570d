// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "oracle/forward.hpp"

namespace lrp::oracle {

/// A * (R / (2 stab(Z))) B^T and its mirror.
inline void uniform_matmul(const Rows& A, const Rows& B, const Rows& R, double eps, Rows& RA, Rows& RB) {
    const Rows Z = matmul(A, B);
    RA = zeros_like(A);
    RB = zeros_like(B);
    for (std::size_t i = 0; i < A.size(); ++i)
        for (std::size_t j = 0; j < B[0].size(); ++j)
            for (std::size_t k = 0; k < B.size(); ++k) {
                const double part = A[i][k] * B[k][j] * share(R[i][j], Z[i][j], eps) / 2;
                RA[i][k] += part;
                RB[k][j] += part;
            }
}

/// R_a = R_b = R / 2, damped by y / stab(y).
inline Rows uniform_multiply(const Rows& a, const Rows& b, const Rows& R, double eps) {
    Rows out = R;
    for (std::size_t t = 0; t < a.size(); ++t)
        for (std::size_t j = 0; j < a[t].size(); ++j) {
            const double y = a[t][j] * b[t][j];
            out[t][j] = y * share(R[t][j], y, eps) / 2;
        }
    return out;
}

/// Section 3: R_in = (1/n) sum R_out for every visible input, damped where it is near 0 (R = x c with c = R_in / stab(x)).
inline Rows uniform_softmax(const Rows& x, std::size_t queries, const Rows& R, double eps) {
    Rows out = zeros_like(x);
    for (std::size_t t = 0; t < x.size(); ++t) {
        const std::size_t n = visible(t, x[t].size(), queries);
        double total = 0;
        for (std::size_t j = 0; j < n; ++j) total += R[t][j];
        for (std::size_t j = 0; j < n; ++j) out[t][j] = x[t][j] * share(total / static_cast<double>(n), x[t][j], eps);
    }
    return out;
}

}  // namespace lrp::oracle
