// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>

#include <lrp/core/error.hpp>
#include <lrp/core/scalar.hpp>

namespace lrp {

/// The cut of the real line that every sketch shares: four bins an octave from 2^-24 to 2^8 on either side of zero, one bin for what is
/// smaller and not zero on each side, and one for zero itself; larger values count in the outermost bins. Bins ascend with the value. A
/// sketch is the counts of its bins, so sketches merge by addition, exactly; a quantile read from it is off by at most a quarter of its
/// value within [2^-24, 2^8].
struct QuantileSketch {
    static constexpr int lowest_octave = -24, octaves = 32, per_octave = 4;
    static constexpr Index side = octaves * per_octave + 1;  ///< with the bin of tiny values
    static constexpr Index zero = side;                      ///< the bin of zero
    static constexpr Index bins = 2 * side + 1;              ///< 259

    [[nodiscard]] static std::int32_t bin(float value) {
        constexpr auto middle = static_cast<std::int32_t>(zero), most = static_cast<std::int32_t>(side);
        const auto bits = std::bit_cast<std::int32_t>(value);
        const std::int32_t magnitude = bits & 0x7fffffff, sign = bits >> 31;  // 0, or all ones
        const std::int32_t quarter = (magnitude >> 21) - ((127 + lowest_octave) << 2);
        const std::int32_t place = magnitude == 0 ? 0 : 1 + std::clamp(quarter + 1, 0, most - 1);
        return middle + ((place ^ sign) - sign);
    }

    /// The values [from, to) of a bin, from below; the outermost are cut off at 2^8.
    [[nodiscard]] static double lower_edge(Index index) { return index >= zero + 1 ? edge(index - zero - 1) : index == zero ? 0.0 : -edge(zero - index); }
    [[nodiscard]] static double upper_edge(Index index) { return index >= zero + 1 ? edge(index - zero) : index == zero ? 0.0 : -edge(zero - index - 1); }

    /// The value below which the share `q` of all counted values lies, on a straight line within its bin. 0 for an empty sketch.
    [[nodiscard]] static double quantile(std::span<const std::uint32_t> counts, double q) {
        std::uint64_t total = 0;
        for (const std::uint32_t count : counts) total += count;
        if (total == 0) return 0;
        const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(total);
        double below = 0;
        for (Index i = 0; i < bins; ++i) {
            const double here = counts[static_cast<std::size_t>(i)];
            if (here > 0 && below + here >= rank) {
                const double part = std::clamp((rank - below) / here, 0.0, 1.0);
                return lower_edge(i) + part * (upper_edge(i) - lower_edge(i));
            }
            below += here;
        }
        return upper_edge(bins - 1);
    }
    /// How many counted values are above zero, and how many there are.
    [[nodiscard]] static std::uint64_t positive(std::span<const std::uint32_t> counts) { return total(counts.subspan(static_cast<std::size_t>(zero + 1))); }
    [[nodiscard]] static std::uint64_t total(std::span<const std::uint32_t> counts) {
        std::uint64_t sum = 0;
        for (const std::uint32_t count : counts) sum += count;
        return sum;
    }

  private:
    /// The magnitude at which the place `i` of a side begins: 0, 2^-24, 1.25 * 2^-24, ...
    static double edge(Index i) {
        if (i == 0) return 0;
        const Index quarter = i - 1;
        return std::ldexp(1 + 0.25 * static_cast<double>(quarter % per_octave), lowest_octave + static_cast<int>(quarter / per_octave));
    }
};

}  // namespace lrp
