// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "oracle/forward.hpp"

namespace lrp::oracle {

/// R_x = x * W^T (R_z / stab(z)), z with the bias.
inline Rows epsilon_linear(const Rows& x, const Rows& W, const Row& b, const Rows& R, double eps) {
    const Rows z = linear(x, W, b);
    Rows out;
    for (std::size_t t = 0; t < x.size(); ++t) out.push_back(shared(x[t], W, z[t], R[t], eps));
    return out;
}

/// The same with each row's rotation for W.
inline Rows epsilon_rope(const Rows& x, const Rows& cosines, const Rows& sines, const Rows& R, double eps) {
    const Rows y = rope(x, cosines, sines);
    Rows out;
    for (std::size_t t = 0; t < x.size(); ++t) out.push_back(shared(x[t], rotation(x[t].size(), cosines[t], sines[t]), y[t], R[t], eps));
    return out;
}

/// a R / stab(a + b): the share of the first addend. Exchange a and b for the other.
inline Rows epsilon_add(const Rows& a, const Rows& b, const Rows& R, double eps) {
    Rows out = a;
    for (std::size_t t = 0; t < a.size(); ++t)
        for (std::size_t j = 0; j < a[t].size(); ++j) out[t][j] = a[t][j] * share(R[t][j], a[t][j] + b[t][j], eps);
    return out;
}

/// Z = A B with A held constant: B gets everything.
inline Rows epsilon_matmul_second(const Rows& A, const Rows& B, const Rows& R, double eps) {
    const Rows Z = matmul(A, B);
    Rows out = zeros_like(B);
    for (std::size_t i = 0; i < A.size(); ++i)
        for (std::size_t j = 0; j < B[0].size(); ++j)
            for (std::size_t k = 0; k < B.size(); ++k) out[k][j] += A[i][k] * B[k][j] * share(R[i][j], Z[i][j], eps);
    return out;
}

/// y = a * b with a held constant.
inline Rows epsilon_multiply_second(const Rows& a, const Rows& b, const Rows& R, double eps) {
    Rows out = b;
    for (std::size_t t = 0; t < a.size(); ++t)
        for (std::size_t j = 0; j < a[t].size(); ++j) {
            const double y = a[t][j] * b[t][j];
            out[t][j] = y * share(R[t][j], y, eps);
        }
    return out;
}

}  // namespace lrp::oracle
