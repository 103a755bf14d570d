// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "oracle/forward.hpp"

namespace lrp::oracle {

/// R_x = R_y, element by element.
inline Rows identity_pointwise(const Rows& R) { return R; }

/// R_x = R_y: with r constant every output has one input.
inline Rows identity_rms_norm(const Rows& R) { return R; }

/// sigma constant, the mean not: y_o = sum_i (d_oi - 1/n) w_o / sigma x_i + b_o is a linear map; the bias's share is lost.
inline Rows identity_layer_norm(const Rows& x, const Row& w, const Row& b, double norm_eps, const Rows& R) {
    const Rows y = layer_norm(x, w, b, norm_eps);
    Rows out;
    for (std::size_t t = 0; t < x.size(); ++t) {
        const std::size_t n = x[t].size();
        const double sigma = moments(x[t], norm_eps).sigma;
        Rows M(n, Row(n));
        for (std::size_t o = 0; o < n; ++o)
            for (std::size_t i = 0; i < n; ++i) M[o][i] = ((i == o ? 1.0 : 0.0) - 1 / static_cast<double>(n)) * w[o] / sigma;
        out.push_back(shared(x[t], M, y[t], R[t], 0));
    }
    return out;
}

}  // namespace lrp::oracle
