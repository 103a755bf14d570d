// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdint>

#include <lrp/core/error.hpp>

namespace lrp {

/// A sum whose bits do not depend on the order or grouping of its terms: each term is rounded once, to a multiple of 2^-64, and then added as
/// a 128-bit whole number. Terms below 2^62 in magnitude; Error for a larger one, for one that is not finite, and for a sum beyond 2^63.
class ExactSum {
  public:
    ExactSum() = default;
    /// From the words that `low` and `high` give.
    ExactSum(std::uint64_t low, std::int64_t high) : bits_((static_cast<Wide>(high) << 64) | static_cast<Wide>(low)) {}

    void add(double term) {
        require(std::abs(term) < 0x1p62, "sum: a term of magnitude ", std::abs(term), " is too large or not finite");  // a NaN fails too
        add(ExactSum(static_cast<Wide>(std::nearbyint(term * 0x1p64))));  // only nearbyint rounds: the product and the conversion are exact
    }
    void add(const ExactSum& other) { require(!__builtin_add_overflow(bits_, other.bits_, &bits_), "sum: it does not fit 128 bits"); }

    /// The nearest double, or a neighbour of it.
    [[nodiscard]] double value() const { return std::ldexp(static_cast<double>(bits_), -64); }
    /// sum of (x - mean)^2 / count, from this as the sum of squares and the sum of `count` values x; never negative.
    [[nodiscard]] double variance(const ExactSum& sum, std::uint64_t count) const {
        if (count == 0) return 0;
        const long double n = static_cast<long double>(count), mean = std::ldexp(static_cast<long double>(sum.bits_), -64) / n;
        const long double result = std::ldexp(static_cast<long double>(bits_), -64) / n - mean * mean;
        return result > 0 ? static_cast<double>(result) : 0.0;
    }
    [[nodiscard]] std::uint64_t low() const { return static_cast<std::uint64_t>(bits_); }
    [[nodiscard]] std::int64_t high() const { return static_cast<std::int64_t>(bits_ >> 64); }
    friend bool operator==(const ExactSum&, const ExactSum&) = default;

  private:
    __extension__ typedef __int128 Wide;
    explicit ExactSum(Wide bits) : bits_(bits) {}
    Wide bits_ = 0;
};

}  // namespace lrp
