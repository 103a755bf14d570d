// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdint>

#include <lrp/core/scalar.hpp>

namespace lrp {

/// exp(x) of a float without a branch or a call, so that loops around it can be vectorised; within 2 units in the last place of the true value
/// for -87.3 <= x <= 88.7. Outside, the value at the nearer end (1e-38, 3e38); a NaN stays a NaN.
/// x = n ln 2 + r with |r| <= ln(2)/2; exp(r) by its series up to r^7, whose rest is below 6e-9; 2^n by the exponent's bits.
[[nodiscard]] inline float exponential(float x) {
    x = x < -87.3f ? -87.3f : x;
    x = x > 88.7f ? 88.7f : x;
    const float shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the sum's last bits are the nearest whole number
    const float n = shifted - 12582912.0f;
    const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;  // ln 2 in two parts, the first with so few bits that n times it is exact
    float series = 1.0f / 5040;
    series = series * r + 1.0f / 720;
    series = series * r + 1.0f / 120;
    series = series * r + 1.0f / 24;
    series = series * r + 1.0f / 6;
    series = series * r + 0.5f;
    series = series * r + 1.0f;
    series = series * r + 1.0f;
    const auto exponent = __builtin_bit_cast(std::int32_t, shifted) - __builtin_bit_cast(std::int32_t, 12582912.0f);
    // In two halves, as 2^128 has no bits of its own.
    const std::int32_t half = exponent >> 1, rest = exponent - half;
    return series * __builtin_bit_cast(float, (half + 127) << 23) * __builtin_bit_cast(float, (rest + 127) << 23);
}

/// exp(x) as a functor of an op wants it: the library's on a device and in double, the one above on a CPU in float.
template <Scalar T>
[[nodiscard]] LRP_HD inline T fast_exp(T x) {
#if !defined(__CUDA_ARCH__)
    if constexpr (std::same_as<T, float>) return exponential(x);
#endif
    using std::exp;
    return exp(x);
}

}  // namespace lrp
