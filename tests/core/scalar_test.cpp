// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/scalar.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <type_traits>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("half precision widens exactly, all 65536 patterns") {
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const f16 half{static_cast<std::uint16_t>(bits)};
        const double sign = bits & 0x8000 ? -1 : 1;
        const int exponent = static_cast<int>((bits >> 10) & 31);
        const double fraction = static_cast<double>(bits & 1023) / 1024;
        const float value = static_cast<float>(half);
        if (exponent == 31) {
            CHECK((fraction == 0 ? std::isinf(value) : std::isnan(value)));
        } else {
            const double right = exponent == 0 ? std::ldexp(fraction, -14) : std::ldexp(1 + fraction, exponent - 15);
            if (static_cast<double>(value) != sign * right || std::signbit(value) != (sign < 0)) FAIL("pattern " << bits);
        }
    }
}

TEST_CASE("bfloat16 rounds to nearest, ties to even, and comes back") {
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const bf16 stored = std::bit_cast<bf16>(static_cast<std::uint16_t>(bits));
        const float value = static_cast<float>(stored);
        if (std::isnan(value)) {
            CHECK(std::isnan(static_cast<float>(bf16(value))));
        } else if (bf16(value).bits != bits) {
            FAIL("pattern " << bits);
        }
    }
    CHECK(static_cast<float>(bf16(1.00390625f)) == 1.0f);        // half way, even below
    CHECK(static_cast<float>(bf16(1.01171875f)) == 1.015625f);   // half way, even above
    CHECK(static_cast<float>(bf16(1.00390636f)) == 1.0078125f);  // just over half way
    CHECK(static_cast<float>(bf16(-1.00390625f)) == -1.0f);
    CHECK(std::isinf(static_cast<float>(bf16(std::numeric_limits<float>::max()))));
    CHECK(std::signbit(static_cast<float>(bf16(-0.0f))));
}

TEST_CASE("bfloat16 keeps a NaN whose payload lies in the lower half only, and its sign") {
    for (const std::uint32_t bits : {0x7f800001u, 0x7f80ffffu, 0x7fffffffu, 0xff800001u, 0xffffffffu}) {
        const float back = static_cast<float>(bf16(std::bit_cast<float>(bits)));
        CHECK(std::isnan(back));
        CHECK(std::signbit(back) == (bits >> 31 != 0));
    }
}

TEST_CASE("bfloat16 is the nearest of its neighbours, subnormals and overflow included") {
    const auto check = [](std::uint32_t pattern) {
        const float value = std::bit_cast<float>(pattern);
        if (!std::isfinite(value)) return;
        const std::uint32_t below = pattern & 0xffff0000u;
        const double v = value, low = std::bit_cast<float>(below);
        // One step of bfloat16 further from 0; beyond the largest it is where that step would have led.
        const double high = low + std::copysign(std::ldexp(1.0, std::max(static_cast<int>((pattern >> 23) & 255), 1) - 127 - 7), v);
        const bool up = std::abs(high - v) < std::abs(v - low) || (std::abs(high - v) == std::abs(v - low) && (below >> 16) % 2 == 1);
        const std::uint32_t right = (below >> 16) + (up ? 1 : 0);
        if (bf16(value).bits != right) FAIL("pattern " << pattern);
    };
    for (std::uint32_t high = 0; high < 65536; ++high)
        for (const std::uint32_t low : {0u, 1u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) check(high << 16 | low);
}

TEST_CASE("each compute type has a tolerance and a name") {
    CHECK(tolerance<float> == 1e-5);
    CHECK(tolerance<double> == 1e-12);
    CHECK(std::string(scalar_name<float>) == "float32");
    CHECK(std::string(scalar_name<double>) == "float64");
    CHECK(std::string(scalar_name<bf16>) == "bfloat16");
    static_assert(Storage<bf16> && Storage<float> && Storage<double> && !Storage<f16>);
    static_assert(!Scalar<bf16> && !Scalar<f16> && !Scalar<int> && !Scalar<long double>);
    static_assert(sizeof(bf16) == 2 && sizeof(f16) == 2 && std::is_trivially_copyable_v<bf16> && std::is_trivially_copyable_v<f16>);
}

TEST_CASE("stored numbers widen without loss and narrow to the nearest") {
    CHECK(widen<float>(bf16(1.0f + 0x1p-7f)) == 1.0f + 0x1p-7f);
    CHECK(widen<double>(0.1f) == static_cast<double>(0.1f));
    CHECK(narrow<bf16>(1.0f + 0x1p-9f).bits == bf16(1.0f).bits);
    CHECK(narrow<bf16>(0.1).bits == bf16(0.1f).bits);
    CHECK(narrow<float>(0.1) == 0.1f);
}

TEST_CASE("half precision rounds to nearest, ties to even, and every pattern comes back") {
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const f16 half{static_cast<std::uint16_t>(bits)};
        const float value = static_cast<float>(half);
        if (std::isnan(value)) {
            CHECK(std::isnan(static_cast<float>(f16::rounded(value))));
        } else if (f16::rounded(value).bits != bits) {
            FAIL("pattern " << bits);
        }
    }
    // Between two neighbours: below the middle, the middle (to the even one), above it.
    for (std::uint32_t bits = 0; bits < 0x7bff; ++bits) {
        const double low = static_cast<double>(static_cast<float>(f16{static_cast<std::uint16_t>(bits)})), high = static_cast<double>(static_cast<float>(f16{static_cast<std::uint16_t>(bits + 1)}));
        const auto middle = static_cast<float>((low + high) / 2);
        const std::uint32_t even = bits % 2 == 0 ? bits : bits + 1;
        for (const float sign : {1.0f, -1.0f}) {
            const std::uint32_t top = sign < 0 ? 0x8000 : 0;
            const bool right = f16::rounded(sign * middle).bits == (top | even) && f16::rounded(sign * std::nextafter(middle, 0.0f)).bits == (top | bits) &&
                               f16::rounded(sign * std::nextafter(middle, 1e9f)).bits == (top | (bits + 1));
            if (!right) FAIL("above pattern " << bits);
        }
    }
    CHECK(f16::rounded(65519.9f).bits == 0x7bff);
    CHECK(f16::rounded(65520.0f).bits == 0x7c00);
    CHECK(f16::rounded(-1e30f).bits == 0xfc00);
}
