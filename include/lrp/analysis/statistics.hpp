// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Numbers about numbers: intervals, slopes, and how far one distribution is from another.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <random>
#include <vector>

namespace lrp {

/// A 95 % confidence interval.
struct Interval {
    double low = 0, high = 0;
};

/// Wilson's 95 % interval of a share of `hits` in `count`.
[[nodiscard]] inline Interval wilson_interval(double hits, double count) {
    constexpr double z = 1.959963984540054;
    if (count <= 0) return {0, 1};
    const double share = hits / count, scale = 1 + z * z / count, centre = share + z * z / (2 * count);
    const double half = z * std::sqrt(share * (1 - share) / count + z * z / (4 * count * count));
    return {std::max(0.0, (centre - half) / scale), std::min(1.0, (centre + half) / scale)};
}

/// Slope of the least-squares line through the points (x, y); 0 where all x are the same.
[[nodiscard]] inline double least_squares_slope(const std::vector<double>& x, const std::vector<double>& y) {
    const double n = static_cast<double>(x.size()), mx = std::accumulate(x.begin(), x.end(), 0.0) / n, my = std::accumulate(y.begin(), y.end(), 0.0) / n;
    double above = 0, below = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        above += (x[i] - mx) * (y[i] - my);
        below += (x[i] - mx) * (x[i] - mx);
    }
    return below > 0 ? above / below : 0;
}

/// Percentile bootstrap: the 2.5 % and 97.5 % points of statistic(weights) over resamples of `count` things; weights say how often each was drawn.
template <class F>
[[nodiscard]] Interval bootstrap_interval(std::size_t count, std::size_t resamples, std::uint64_t seed, const F& statistic) {
    std::mt19937_64 random(seed);
    std::vector<double> values;
    for (std::size_t r = 0; r < resamples; ++r) {
        std::vector<double> weights(count, 0);
        for (std::size_t i = 0; i < count; ++i) weights[random() % count] += 1 / static_cast<double>(count);
        values.push_back(statistic(weights));
    }
    if (values.empty()) return {};
    std::sort(values.begin(), values.end());
    const auto at = [&](double share) { return values[static_cast<std::size_t>(std::lround(share * static_cast<double>(values.size() - 1)))]; };
    return {at(0.025), at(0.975)};
}

/// KL(p || q) in nats of two rows of logits.
template <class P, class Q>
[[nodiscard]] double divergence(const P& p, const Q& q) {
    const auto total = [](const auto& row, double peak) {
        double sum = 0;
        for (const auto x : row) sum += std::exp(static_cast<double>(x) - peak);
        return peak + std::log(sum);
    };
    const double p_all = total(p, static_cast<double>(*std::max_element(p.begin(), p.end()))), q_all = total(q, static_cast<double>(*std::max_element(q.begin(), q.end())));
    double sum = 0;
    for (std::size_t i = 0; i < p.size(); ++i) {
        const double lp = static_cast<double>(p[i]) - p_all;
        sum += std::exp(lp) * (lp - (static_cast<double>(q[i]) - q_all));
    }
    return std::max(sum, 0.0);
}

}  // namespace lrp
