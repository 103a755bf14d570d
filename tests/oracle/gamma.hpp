// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>

#include "oracle/forward.hpp"

namespace lrp::oracle {

/// One row of the generalised gamma rule. `share_of(v, w, positive)`: what input (or bias 1) v with weight w contributes to an output of
/// that sign. Each output's relevance is shared in proportion to the contributions over their own stabilised sum.
template <class Contribution>
Row by_contribution(const Row& x, const Rows& W, const Row& b, const Row& z, const Row& R, double eps, const Contribution& contribution) {
    Row out(x.size(), 0.0);
    for (std::size_t o = 0; o < z.size(); ++o) {
        if (z[o] == 0) continue;
        const bool positive = z[o] > 0;
        double sum = b.empty() ? 0 : contribution(1.0, b[o], positive);
        for (std::size_t i = 0; i < x.size(); ++i) sum += contribution(x[i], W[o][i], positive);
        for (std::size_t i = 0; i < x.size(); ++i) out[i] += contribution(x[i], W[o][i], positive) / stab(sum, eps) * R[o];
    }
    return out;
}

/// z > 0: x+ (w + g w+) + x- (w + g w-);  z < 0: x+ (w + g w-) + x- (w + g w+).
inline Rows gamma_linear(const Rows& x, const Rows& W, const Row& b, const Rows& R, double gamma, double eps) {
    const Rows z = linear(x, W, b);
    const auto contribution = [gamma](double v, double w, bool positive) {
        const double with_positive = w + gamma * std::max(w, 0.0), with_negative = w + gamma * std::min(w, 0.0);
        const double v_positive = std::max(v, 0.0), v_negative = std::min(v, 0.0);
        return positive ? v_positive * with_positive + v_negative * with_negative : v_positive * with_negative + v_negative * with_positive;
    };
    Rows out;
    for (std::size_t t = 0; t < x.size(); ++t) out.push_back(by_contribution(x[t], W, b, z[t], R[t], eps, contribution));
    return out;
}

/// The limit of gamma without bound: an output is shared among the contributions of its own sign alone.
inline Rows z_plus_linear(const Rows& x, const Rows& W, const Row& b, const Rows& R) {
    const Rows z = linear(x, W, b);
    const auto contribution = [](double v, double w, bool positive) { return positive ? std::max(v * w, 0.0) : std::min(v * w, 0.0); };
    Rows out;
    for (std::size_t t = 0; t < x.size(); ++t) out.push_back(by_contribution(x[t], W, b, z[t], R[t], 0, contribution));
    return out;
}

}  // namespace lrp::oracle
