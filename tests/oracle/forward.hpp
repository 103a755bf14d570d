// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Every op's forward pass.
#pragma once

#include <cmath>
#include <cstdint>

#include "oracle/rows.hpp"

namespace lrp::oracle {

inline constexpr double pi = 3.14159265358979323846;

inline Rows linear(const Rows& x, const Rows& W, const Row& b) {
    Rows z(x.size(), Row(W.size()));
    for (std::size_t t = 0; t < x.size(); ++t)
        for (std::size_t o = 0; o < W.size(); ++o) {
            z[t][o] = b.empty() ? 0 : b[o];
            for (std::size_t i = 0; i < x[t].size(); ++i) z[t][o] += W[o][i] * x[t][i];
        }
    return z;
}

inline Rows matmul(const Rows& A, const Rows& B) {
    Rows Z(A.size(), Row(B[0].size(), 0.0));
    for (std::size_t i = 0; i < A.size(); ++i)
        for (std::size_t j = 0; j < B[0].size(); ++j)
            for (std::size_t k = 0; k < B.size(); ++k) Z[i][j] += A[i][k] * B[k][j];
    return Z;
}

/// How many leading columns row t of n sees; `queries` rows per head under a causal mask, the last of the n positions; 0: no mask.
inline std::size_t visible(std::size_t t, std::size_t n, std::size_t queries) { return queries == 0 ? n : t % queries + 1 + n - queries; }

inline Rows softmax(const Rows& x, std::size_t queries) {
    Rows s = zeros_like(x);
    for (std::size_t t = 0; t < x.size(); ++t) {
        const std::size_t n = visible(t, x[t].size(), queries);
        double total = 0;
        for (std::size_t j = 0; j < n; ++j) total += std::exp(x[t][j]);
        for (std::size_t j = 0; j < n; ++j) s[t][j] = std::exp(x[t][j]) / total;
    }
    return s;
}

inline double inverse_rms(const Row& x, double eps) {
    double squares = 0;
    for (const double v : x) squares += v * v;
    return 1 / std::sqrt(squares / static_cast<double>(x.size()) + eps);
}
inline Rows rms_norm(const Rows& x, const Row& w, double eps) {
    Rows y = x;
    for (Row& row : y) {
        const double r = inverse_rms(row, eps);
        for (std::size_t j = 0; j < row.size(); ++j) row[j] *= w[j] * r;
    }
    return y;
}

struct Moments {
    double mean = 0;
    double sigma = 0;  // the root of variance + eps
};
inline Moments moments(const Row& x, double eps) {
    const auto n = static_cast<double>(x.size());
    double mean = 0, variance = 0;
    for (const double v : x) mean += v / n;
    for (const double v : x) variance += (v - mean) * (v - mean) / n;
    return {mean, std::sqrt(variance + eps)};
}
inline Rows layer_norm(const Rows& x, const Row& w, const Row& b, double eps) {
    Rows y = x;
    for (Row& row : y) {
        const Moments m = moments(row, eps);
        for (std::size_t j = 0; j < row.size(); ++j) row[j] = w[j] * (row[j] - m.mean) / m.sigma + (b.empty() ? 0 : b[j]);
    }
    return y;
}

/// RoPE of one row as a matrix [width][width]; cosines and sines [D/2] of the row's position.
inline Rows rotation(std::size_t width, const Row& cosines, const Row& sines) {
    const std::size_t half = cosines.size();
    Rows M(width, Row(width, 0.0));
    for (std::size_t head = 0; head < width; head += 2 * half)
        for (std::size_t i = 0; i < half; ++i) {
            const std::size_t low = head + i, high = head + half + i;
            M[low][low] = M[high][high] = cosines[i];
            M[low][high] = -sines[i];
            M[high][low] = sines[i];
        }
    return M;
}
inline Rows rope(const Rows& x, const Rows& cosines, const Rows& sines) {
    Rows y;
    for (std::size_t t = 0; t < x.size(); ++t) y.push_back(linear({x[t]}, rotation(x[t].size(), cosines[t], sines[t]), {})[0]);
    return y;
}

inline Rows embedding(const Rows& table, const std::vector<std::int32_t>& ids) {
    Rows y;
    for (const std::int32_t id : ids) y.push_back(table[static_cast<std::size_t>(id)]);
    return y;
}

inline Rows multiply(const Rows& a, const Rows& b) {
    Rows y = a;
    for (std::size_t t = 0; t < a.size(); ++t)
        for (std::size_t j = 0; j < a[t].size(); ++j) y[t][j] = a[t][j] * b[t][j];
    return y;
}
inline Rows add(const Rows& a, const Rows& b) {
    Rows y = a;
    for (std::size_t t = 0; t < a.size(); ++t)
        for (std::size_t j = 0; j < a[t].size(); ++j) y[t][j] = a[t][j] + b[t][j];
    return y;
}

/// A function of one number, and its derivative (worked out apart from the library's).
struct Pointwise {
    double (*value)(double);
    double (*slope)(double);
};
inline Rows each(const Rows& x, double (*f)(double)) {
    Rows y = x;
    for (Row& row : y)
        for (double& v : row) v = f(v);
    return y;
}

inline const Pointwise silu{[](double x) { return x / (1 + std::exp(-x)); },
                            [](double x) { return (1 + std::exp(-x) + x * std::exp(-x)) / ((1 + std::exp(-x)) * (1 + std::exp(-x))); }};
inline const Pointwise gelu{
    [](double x) { return x * 0.5 * (1 + std::erf(x / std::sqrt(2.0))); },
    [](double x) { return 0.5 * (1 + std::erf(x / std::sqrt(2.0))) + x * std::exp(-x * x / 2) / std::sqrt(2 * pi); }};
inline const Pointwise tanh_gelu{[](double x) { return 0.5 * x * (1 + std::tanh(std::sqrt(2 / pi) * (x + 0.044715 * x * x * x))); },
                                 [](double x) {
                                     const double u = std::sqrt(2 / pi) * (x + 0.044715 * x * x * x);
                                     const double du = std::sqrt(2 / pi) * (1 + 3 * 0.044715 * x * x);
                                     return 0.5 * (1 + std::tanh(u)) + 0.5 * x * du / (std::cosh(u) * std::cosh(u));
                                 }};
inline const Pointwise relu{[](double x) { return x > 0 ? x : 0.0; }, [](double x) { return x > 0 ? 1.0 : 0.0; }};
inline const Pointwise tanh{[](double x) { return std::tanh(x); }, [](double x) { return 1 / (std::cosh(x) * std::cosh(x)); }};

}  // namespace lrp::oracle
