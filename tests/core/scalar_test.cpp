// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/scalar.hpp>

#include <cmath>
#include <limits>

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
    CHECK(static_cast<float>(bf16(1.00390625f)) == 1.0f);         // half way, even below
    CHECK(static_cast<float>(bf16(1.01171875f)) == 1.015625f);    // half way, even above
    CHECK(static_cast<float>(bf16(1.00390636f)) == 1.0078125f);   // just over half way
    CHECK(std::isinf(static_cast<float>(bf16(std::numeric_limits<float>::max()))));
}
