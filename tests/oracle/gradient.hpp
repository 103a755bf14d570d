// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Input x gradient, from Jacobians written down element by element: R_x,i = x_i sum_o (dy_o / dx_i) R_o / y_o.
#pragma once

#include "oracle/forward.hpp"

namespace lrp::oracle {

inline Rows gradient_linear(const Rows& x, const Rows& W, const Row& b, const Rows& R) {
    const Rows z = linear(x, W, b);
    Rows out;
    for (std::size_t t = 0; t < x.size(); ++t) out.push_back(shared(x[t], W, z[t], R[t], 0));
    return out;
}

inline Rows gradient_rope(const Rows& x, const Rows& cosines, const Rows& sines, const Rows& R) {
    const Rows y = rope(x, cosines, sines);
    Rows out;
    for (std::size_t t = 0; t < x.size(); ++t) out.push_back(shared(x[t], rotation(x[t].size(), cosines[t], sines[t]), y[t], R[t], 0));
    return out;
}

inline Rows gradient_pointwise(const Rows& x, const Pointwise& f, const Rows& R) {
    Rows out = x;
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t j = 0; j < x[t].size(); ++j) out[t][j] = x[t][j] * f.slope(x[t][j]) * share(R[t][j], f.value(x[t][j]), 0);
    return out;
}

inline Rows gradient_softmax(const Rows& x, std::size_t queries, const Rows& R) {
    const Rows s = softmax(x, queries);
    Rows out;
    for (std::size_t t = 0; t < x.size(); ++t) {
        const std::size_t n = visible(t, x[t].size(), queries);
        Rows J(x[t].size(), Row(x[t].size(), 0.0));
        for (std::size_t o = 0; o < n; ++o)
            for (std::size_t i = 0; i < n; ++i) J[o][i] = s[t][o] * ((o == i ? 1.0 : 0.0) - s[t][i]);
        out.push_back(shared(x[t], J, s[t], R[t], 0));
    }
    return out;
}

inline Rows gradient_rms_norm(const Rows& x, const Row& w, double eps, const Rows& R) {
    const Rows y = rms_norm(x, w, eps);
    Rows out;
    for (std::size_t t = 0; t < x.size(); ++t) {
        const std::size_t n = x[t].size();
        const double r = inverse_rms(x[t], eps);
        Rows J(n, Row(n));
        for (std::size_t o = 0; o < n; ++o)
            for (std::size_t i = 0; i < n; ++i)
                J[o][i] = w[o] * ((o == i ? r : 0.0) - x[t][o] * x[t][i] * r * r * r / static_cast<double>(n));
        out.push_back(shared(x[t], J, y[t], R[t], 0));
    }
    return out;
}

inline Rows gradient_layer_norm(const Rows& x, const Row& w, const Row& b, double eps, const Rows& R) {
    const Rows y = layer_norm(x, w, b, eps);
    Rows out;
    for (std::size_t t = 0; t < x.size(); ++t) {
        const std::size_t n = x[t].size();
        const auto count = static_cast<double>(n);
        const Moments m = moments(x[t], eps);
        Rows J(n, Row(n));
        for (std::size_t o = 0; o < n; ++o)
            for (std::size_t i = 0; i < n; ++i) {
                const double normal_o = (x[t][o] - m.mean) / m.sigma, normal_i = (x[t][i] - m.mean) / m.sigma;
                J[o][i] = w[o] / m.sigma * ((o == i ? 1.0 : 0.0) - 1 / count - normal_o * normal_i / count);
            }
        out.push_back(shared(x[t], J, y[t], R[t], 0));
    }
    return out;
}

/// d(a + b)/da = 1.
inline Rows gradient_add(const Rows& a, const Rows& b, const Rows& R) {
    Rows out = a;
    for (std::size_t t = 0; t < a.size(); ++t)
        for (std::size_t j = 0; j < a[t].size(); ++j) out[t][j] = a[t][j] * share(R[t][j], a[t][j] + b[t][j], 0);
    return out;
}

/// a d(ab)/da = ab: either factor gets the product's relevance whole, so that together they hold it twice.
inline Rows gradient_multiply(const Rows& R) { return R; }

/// Either factor gets all of A_ik B_kj / Z_ij R_ij.
inline void gradient_matmul(const Rows& A, const Rows& B, const Rows& R, Rows& RA, Rows& RB) {
    const Rows Z = matmul(A, B);
    RA = zeros_like(A);
    RB = zeros_like(B);
    for (std::size_t i = 0; i < A.size(); ++i)
        for (std::size_t j = 0; j < B[0].size(); ++j)
            for (std::size_t k = 0; k < B.size(); ++k) {
                const double part = A[i][k] * B[k][j] * share(R[i][j], Z[i][j], 0);
                RA[i][k] += part;
                RB[k][j] += part;
            }
}

/// A row of the table gets what all its tokens have.
inline Rows gradient_embedding(const Rows& table, const std::vector<std::int32_t>& ids, const Rows& R) {
    Rows out = zeros_like(table);
    for (std::size_t t = 0; t < ids.size(); ++t)
        for (std::size_t j = 0; j < R[t].size(); ++j) out[static_cast<std::size_t>(ids[t])][j] += R[t][j];
    return out;
}

}  // namespace lrp::oracle
