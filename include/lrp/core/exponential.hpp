// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdint>

#include <lrp/core/scalar.hpp>

namespace lrp {

/// exp(x) of a float without a branch or a call, so that loops around it can be vectorised; relative error below 1.2e-7 for |x| <= 87.3. Beyond, the
/// value at the nearer end (1e-38, 8e37); a NaN stays a NaN.
/// x = n ln 2 + r with |r| <= ln(2)/2; exp(r) by its series up to r^7, whose rest is below 6e-9; 2^n by the exponent's bits.
[[nodiscard]] inline float exponential(float x) {
    // Clamped as whole numbers: comparing floats could trap, which keeps a loop from being vectorised.
    const auto bits = __builtin_bit_cast(std::int32_t, x);
    const std::int32_t size = bits & 0x7fffffff, most = __builtin_bit_cast(std::int32_t, 87.3f);
    const std::int32_t clamped = size > most && size <= 0x7f800000 ? most : size;
    x = __builtin_bit_cast(float, clamped | (bits & INT32_MIN));
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
    const std::int32_t exponent = __builtin_bit_cast(std::int32_t, shifted) - __builtin_bit_cast(std::int32_t, 12582912.0f);
    return series * __builtin_bit_cast(float, (exponent + 127) << 23);
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
