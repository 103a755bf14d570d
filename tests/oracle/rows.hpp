// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>
#include <vector>

namespace lrp::oracle {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

inline Rows zeros_like(const Rows& a) { return Rows(a.size(), Row(a[0].size(), 0.0)); }

inline Rows transpose(const Rows& A) {
    Rows T(A[0].size(), Row(A.size()));
    for (std::size_t i = 0; i < A.size(); ++i)
        for (std::size_t j = 0; j < A[0].size(); ++j) T[j][i] = A[i][j];
    return T;
}
/// Columns [first, first + count): one head of several that lie side by side.
inline Rows columns(const Rows& A, std::size_t first, std::size_t count) {
    Rows out(A.size());
    for (std::size_t i = 0; i < A.size(); ++i)
        for (std::size_t j = first; j < first + count; ++j) out[i].push_back(A[i][j]);
    return out;
}
/// Rows [first, first + count): one head of several that are stacked.
inline Rows rows(const Rows& A, std::size_t first, std::size_t count) {
    Rows out;
    for (std::size_t i = first; i < first + count; ++i) out.push_back(A[i]);
    return out;
}
/// all[row + i][col + j] += part[i][j]: a head's result put back.
inline void add_at(Rows& all, std::size_t row, std::size_t col, const Rows& part) {
    for (std::size_t i = 0; i < part.size(); ++i)
        for (std::size_t j = 0; j < part[i].size(); ++j) all[row + i][col + j] += part[i][j];
}

/// math.md, section 2: sgn(0) = +1.
inline double stab(double z, double eps) { return z >= 0 ? z + eps : z - eps; }
/// R / stab(z); nothing comes from an output that is exactly 0.
inline double share(double R, double z, double eps) { return z == 0 ? 0 : R / stab(z, eps); }

/// One row of y = M x + (constants), shared in proportion: R_x,i = sum_o x_i M_oi R_o / stab(y_o).
inline Row shared(const Row& x, const Rows& M, const Row& y, const Row& R, double eps) {
    Row out(x.size(), 0.0);
    for (std::size_t i = 0; i < x.size(); ++i)
        for (std::size_t o = 0; o < y.size(); ++o) out[i] += x[i] * M[o][i] * share(R[o], y[o], eps);
    return out;
}

}  // namespace lrp::oracle
