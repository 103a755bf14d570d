// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Reading golden files, and comparing with them.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <lrp/io/safetensors.hpp>

namespace lrp::test {

inline std::filesystem::path golden_folder() { return std::filesystem::path(LRP_TEST_DATA) / "golden"; }

/// The largest difference of two lists; infinite if their lengths differ or a value is not finite.
template <class A, class B>
double largest_difference(const std::vector<A>& a, const std::vector<B>& b) {
    if (a.size() != b.size()) return INFINITY;
    double worst = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double gap = std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i]));
        worst = std::isfinite(gap) ? std::max(worst, gap) : INFINITY;
    }
    return worst;
}

template <class A>
double largest_magnitude(const std::vector<A>& a) {
    double peak = 0;
    for (const A value : a) peak = std::max(peak, std::abs(static_cast<double>(value)));
    return peak;
}

/// Pearson's correlation; 1 where the numbers are all the same up to rounding, so that it says nothing.
template <class A, class B>
double correlation(const std::vector<A>& a, const std::vector<B>& b) {
    double ma = 0, mb = 0;
    const auto n = static_cast<double>(a.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        ma += static_cast<double>(a[i]) / n;
        mb += static_cast<double>(b[i]) / n;
    }
    double aa = 0, bb = 0, ab = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double x = static_cast<double>(a[i]) - ma, y = static_cast<double>(b[i]) - mb;
        aa += x * x;
        bb += y * y;
        ab += x * y;
    }
    const double peak = largest_magnitude(b);
    return bb > 1e-9 * n * peak * peak ? ab / std::sqrt(aa * bb) : 1.0;
}

/// The checkpoints of tests/golden/models, by name.
inline std::vector<std::string> golden_models() {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(golden_folder() / "models")) names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

}  // namespace lrp::test
