// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The rules written out from docs/math.md in relevance form, in double, as plain loops over lists of rows. Slow and obvious; shares
// nothing with what it checks.
#pragma once

#include <cmath>
#include <cstddef>
#include <functional>
#include <vector>

namespace lrp::oracle {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

inline double stab(double z, double eps) { return z >= 0 ? z + eps : z - eps; }
/// R / stab(z); nothing comes from an output that is exactly 0.
inline double share(double R, double z, double eps) { return z == 0 ? 0 : R / stab(z, eps); }

// ---------------------------------------------------------------------------------------------------------------- forward

inline Rows linear(const Rows& x, const Rows& W, const Row& b) {
    Rows z(x.size(), Row(W.size()));
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t o = 0; o < W.size(); ++o) {
            z[t][o] = b.empty() ? 0 : b[o];
            for (std::size_t i = 0; i < x[t].size(); ++i) z[t][o] += W[o][i] * x[t][i];
        }
    return z;
}
inline Rows softmax(const Rows& x, bool causal) {
    Rows s(x.size(), Row(x[0].size(), 0.0));
    for (std::size_t t = 0; t < x.size(); ++t) {
        const std::size_t n = causal ? t + 1 : x[t].size();
        double total = 0;
        for (std::size_t j = 0; j < n; ++j) total += std::exp(x[t][j]);
        for (std::size_t j = 0; j < n; ++j) s[t][j] = std::exp(x[t][j]) / total;
    }
    return s;
}
inline Rows matmul(const Rows& A, const Rows& B) {
    Rows Z(A.size(), Row(B[0].size(), 0.0));
    for (std::size_t i = 0; i < A.size(); ++i)
        for (std::size_t j = 0; j < B[0].size(); ++j)
            for (std::size_t k = 0; k < B.size(); ++k) Z[i][j] += A[i][k] * B[k][j];
    return Z;
}
inline Rows transpose(const Rows& A) {
    Rows T(A[0].size(), Row(A.size()));
    for (std::size_t i = 0; i < A.size(); ++i)
        for (std::size_t j = 0; j < A[0].size(); ++j) T[j][i] = A[i][j];
    return T;
}
inline Rows pointwise(const Rows& x, const std::function<double(double)>& f) {
    Rows y = x;
    for (Row& row : y)
        for (double& v : row) v = f(v);
    return y;
}
inline double silu(double x) { return x / (1 + std::exp(-x)); }
inline double gelu(double x) { return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0))); }
inline double tanh_gelu(double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x))); }
inline double relu(double x) { return x > 0 ? x : 0; }

// ---------------------------------------------------------------------------------------------------------- relevance form

/// x * W^T (R / stab(z)), z with the bias.
inline Rows epsilon_linear(const Rows& x, const Rows& W, const Row& b, const Rows& R, double eps) {
    const Rows z = linear(x, W, b);
    Rows out(x.size(), Row(x[0].size(), 0.0));
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t i = 0; i < x[t].size(); ++i)
            for (std::size_t o = 0; o < W.size(); ++o) out[t][i] += x[t][i] * W[o][i] * share(R[t][o], z[t][o], eps);
    return out;
}

/// Generalised gamma: an output's sign decides which contributions are favoured.
inline Rows gamma_linear(const Rows& x, const Rows& W, const Row& b, const Rows& R, double gamma, double eps) {
    const Rows z = linear(x, W, b);
    Rows out(x.size(), Row(x[0].size(), 0.0));
    const auto favoured = [gamma](double v, bool positive) { return positive ? v + gamma * std::max(v, 0.0) : v + gamma * std::min(v, 0.0); };
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t o = 0; o < W.size(); ++o) {
            if (z[t][o] == 0) continue;
            const bool positive = z[t][o] > 0;
            const auto contribution = [&](std::size_t i) { return x[t][i] * favoured(W[o][i], x[t][i] >= 0 ? positive : !positive); };
            double sum = b.empty() ? 0 : favoured(b[o], positive);
            for (std::size_t i = 0; i < x[t].size(); ++i) sum += contribution(i);
            for (std::size_t i = 0; i < x[t].size(); ++i) out[t][i] += contribution(i) / stab(sum, eps) * R[t][o];
        }
    return out;
}

/// A * (R / (2 stab(Z))) B^T and its mirror.
inline void uniform_matmul(const Rows& A, const Rows& B, const Rows& R, double eps, Rows& RA, Rows& RB) {
    const Rows Z = matmul(A, B);
    RA.assign(A.size(), Row(A[0].size(), 0.0));
    RB.assign(B.size(), Row(B[0].size(), 0.0));
    for (std::size_t i = 0; i < A.size(); ++i)
        for (std::size_t j = 0; j < B[0].size(); ++j)
            for (std::size_t k = 0; k < B.size(); ++k) {
                const double part = A[i][k] * B[k][j] * share(R[i][j], Z[i][j], eps) / 2;
                RA[i][k] += part;
                RB[k][j] += part;
            }
}

/// x (R_s - s sum R_s) over the visible columns.
inline Rows taylor_softmax(const Rows& x, const Rows& s, const Rows& R, bool causal) {
    Rows out(x.size(), Row(x[0].size(), 0.0));
    for (std::size_t t = 0; t < x.size(); ++t) {
        const std::size_t n = causal ? t + 1 : x[t].size();
        double total = 0;
        for (std::size_t j = 0; j < n; ++j) total += R[t][j];
        for (std::size_t j = 0; j < n; ++j) out[t][j] = x[t][j] * (R[t][j] - s[t][j] * total);
    }
    return out;
}
/// Every visible input gets the same share, damped where it is near 0.
inline Rows uniform_softmax(const Rows& x, const Rows& R, bool causal, double eps) {
    Rows out(x.size(), Row(x[0].size(), 0.0));
    for (std::size_t t = 0; t < x.size(); ++t) {
        const std::size_t n = causal ? t + 1 : x[t].size();
        double total = 0;
        for (std::size_t j = 0; j < n; ++j) total += R[t][j];
        for (std::size_t j = 0; j < n; ++j) out[t][j] = x[t][j] == 0 ? 0 : total / static_cast<double>(n) * x[t][j] / stab(x[t][j], eps);
    }
    return out;
}
/// x - mean(x) as a linear map, shared in proportion: R_i = x_i sum_o (d_io - 1/n) w_o / sigma * R_o / y_o; bias apart.
inline Rows identity_layer_norm(const Rows& x, const Row& w, const Row& b, double norm_eps, const Rows& R) {
    Rows out(x.size(), Row(x[0].size(), 0.0));
    for (std::size_t t = 0; t < x.size(); ++t) {
        const auto n = static_cast<double>(x[t].size());
        double mean = 0, var = 0;
        for (const double v : x[t]) mean += v / n;
        for (const double v : x[t]) var += (v - mean) * (v - mean) / n;
        const double sigma = std::sqrt(var + norm_eps);
        for (std::size_t o = 0; o < x[t].size(); ++o) {
            const double y = w[o] * (x[t][o] - mean) / sigma + b[o];
            for (std::size_t i = 0; i < x[t].size(); ++i) out[t][i] += x[t][i] * ((i == o ? 1.0 : 0.0) - 1 / n) * w[o] / sigma * share(R[t][o], y, 0);
        }
    }
    return out;
}

}  // namespace lrp::oracle
