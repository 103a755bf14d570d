// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Element types: what weights are stored in, what the library computes in, and how exact a type is.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>

#include <lrp/core/config.hpp>

namespace lrp {

/// Signed, so that differences of positions need no care.
using Index = std::ptrdiff_t;

/// bfloat16 as it lies in a file: the upper half of a float. Storage only; arithmetic is done after widening, which is exact.
struct bf16 {
    std::uint16_t bits = 0;

    bf16() = default;
    /// Rounds to nearest, ties to even; a NaN stays a NaN.
    LRP_HD constexpr explicit bf16(float value) {
        const auto u = __builtin_bit_cast(std::uint32_t, value);
        const bool nan = (u & 0x7fffffffu) > 0x7f800000u;
        bits = nan ? static_cast<std::uint16_t>((u >> 16) | 0x40u) : static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
    }
    LRP_HD constexpr explicit operator float() const { return __builtin_bit_cast(float, std::uint32_t{bits} << 16); }
};

/// IEEE half precision as it lies in a file. Storage only; widening is exact, subnormals and infinities included.
struct f16 {
    std::uint16_t bits = 0;

    f16() = default;
    LRP_HD constexpr explicit f16(std::uint16_t pattern) : bits(pattern) {}
    /// Rounds to nearest, ties to even; what is too large becomes infinite, a NaN stays a NaN.
    LRP_HD static constexpr f16 rounded(float value) {
        const auto u = __builtin_bit_cast(std::uint32_t, value);
        const auto sign = static_cast<std::uint16_t>((u >> 16) & 0x8000u);
        const std::uint32_t magnitude = u & 0x7fffffffu;
        const auto with_sign = [sign](std::uint32_t pattern) { return f16(static_cast<std::uint16_t>(sign | pattern)); };
        if (magnitude > 0x7f800000u) return with_sign(0x7e00u);
        if (magnitude >= 0x477ff000u) return with_sign(0x7c00u);  // 65520 and above
        if (magnitude >= 0x38800000u) {                           // normal: 2^-14 and above
            const std::uint32_t rebased = magnitude - 0x38000000u;
            return with_sign((rebased + 0xfffu + ((rebased >> 13) & 1u)) >> 13);
        }
        // Subnormal: multiples of 2^-24. Adding a number whose last place is 2^-24 rounds as the format does.
        const float shifted = __builtin_bit_cast(float, magnitude) + 0.5f;
        return with_sign(__builtin_bit_cast(std::uint32_t, shifted) - 0x3f000000u);
    }

    LRP_HD explicit operator float() const {
        const std::uint32_t sign = std::uint32_t{bits & 0x8000u} << 16;
        const std::uint32_t exponent = (bits >> 10) & 31u;
        const std::uint32_t mantissa = bits & 1023u;
        if (exponent == 31) return __builtin_bit_cast(float, sign | 0x7f800000u | (mantissa << 13));
        if (exponent != 0) return __builtin_bit_cast(float, sign | ((exponent + 112) << 23) | (mantissa << 13));
        const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
        return sign ? -magnitude : magnitude;
    }
};

/// Types in which the library computes.
template <class T>
concept Scalar = std::same_as<T, float> || std::same_as<T, double>;

/// Types in which weights may lie: those, and bf16, which is widened where it is read.
template <class T>
concept Storage = Scalar<T> || std::same_as<T, bf16>;

/// A stored number as the scalar it is computed with, and back. Widening is exact.
template <Scalar T, Storage W>
[[nodiscard]] LRP_HD constexpr T widen(W value) {
    if constexpr (std::same_as<W, bf16>) {
        return static_cast<T>(static_cast<float>(value));
    } else {
        return static_cast<T>(value);
    }
}
template <Storage W, Scalar T>
[[nodiscard]] LRP_HD constexpr W narrow(T value) {
    if constexpr (std::same_as<W, bf16>) {
        return bf16(static_cast<float>(value));
    } else {
        return static_cast<W>(value);
    }
}

/// How closely two right implementations of one formula agree in this type, relative to the largest magnitude (docs/math.md, section 9).
template <Scalar T>
inline constexpr double tolerance = std::same_as<T, float> ? 1e-5 : 1e-12;

template <Storage T>
inline constexpr const char* scalar_name = std::same_as<T, float> ? "float32" : std::same_as<T, double> ? "float64" : "bfloat16";

}  // namespace lrp
