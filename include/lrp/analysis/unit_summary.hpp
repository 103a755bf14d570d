// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What is kept of the units (neurons, or heads) of one layer while a corpus goes by: top lists by activation and by relevance, both poles, and
// statistics that merge exactly.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include <lrp/analysis/exact_sum.hpp>
#include <lrp/analysis/quantile_sketch.hpp>
#include <lrp/analysis/top_list.hpp>
#include <lrp/core/thread_pool.hpp>

namespace lrp {

/// The four top lists of a unit, and the two quantities, in the order of every array of them.
inline constexpr std::array<std::string_view, 4> list_names{"activation_max", "activation_min", "relevance_max", "relevance_min"};
inline constexpr std::array<std::string_view, 2> quantity_names{"activation", "relevance"};

/// A row of a pass that counts, and the rows [first, last) of its document.
struct KeptRow {
    Index row = 0;
    Place place;
    Index first = 0, last = 0;
};

/// The rows of one pass.
struct PassRows {
    std::vector<KeptRow> kept;
    std::vector<std::uint8_t> counts;  ///< per row of the pass, whether it is among them
};

/// What a pass shows of units: activations, and coefficients or relevances, [rows of the pass, units] row-major.
struct UnitValues {
    const float* activation = nullptr;
    const float* other = nullptr;
    bool coefficients = false;  ///< `other` holds coefficients: relevance is activation times coefficient

    /// Of a quantity: activation, or relevance.
    [[nodiscard]] float value(std::size_t quantity, Index at) const { return quantity == 0 ? activation[at] : coefficients ? activation[at] * other[at] : other[at]; }
};

/// How much is kept: k entries a list, with the values at `before` positions before and `after` behind the place.
struct SummaryShape {
    Index k = 16, before = 16, after = 7;
    [[nodiscard]] Index width() const { return before + 1 + after; }
    friend bool operator==(const SummaryShape&, const SummaryShape&) = default;
};

/// The units of one site of one layer.
class UnitSummary {
  public:
    /// One quantity's sums and sketches; [units] and [units, QuantileSketch::bins].
    struct Statistics {
        std::vector<ExactSum> sum, squares;
        std::vector<std::uint32_t> sketch;

        [[nodiscard]] std::span<const std::uint32_t> sketch_of(Index unit) const {
            return std::span(sketch).subspan(static_cast<std::size_t>(unit * QuantileSketch::bins), QuantileSketch::bins);
        }
    };

    UnitSummary() = default;
    UnitSummary(Index units, const SummaryShape& shape) : units_(units), shape_(shape) {
        for (std::size_t list = 0; list < 4; ++list) lists_[list] = TopList(list % 2 == 0 ? Pole::max : Pole::min, units, shape.k, 2 * shape.width());
        for (std::size_t q = 0; q < 2; ++q) {
            statistics_[q].sum.resize(size(units));
            statistics_[q].squares.resize(size(units));
            statistics_[q].sketch.resize(size(units * QuantileSketch::bins));
            for (auto& part : batch_[q]) part.assign(size(units), 0.0);
        }
    }

    [[nodiscard]] Index units() const { return units_; }
    [[nodiscard]] const SummaryShape& shape() const { return shape_; }
    [[nodiscard]] const TopList& list(std::size_t which) const { return lists_[which]; }
    [[nodiscard]] TopList& list(std::size_t which) { return lists_[which]; }
    [[nodiscard]] const Statistics& statistics(std::size_t quantity) const { return statistics_[quantity]; }
    [[nodiscard]] Statistics& statistics(std::size_t quantity) { return statistics_[quantity]; }

    /// Takes the kept rows of one pass. `later`: every place is later than all that were taken before, so that equal values need not be looked at.
    /// Bits do not depend on the threads of the pool. Returns whether all values were finite; if not, the summary is spoilt.
    [[nodiscard]] bool take(ThreadPool& pool, const PassRows& rows, const UnitValues& values, bool later) {
        const Index tiles = (units_ + tile - 1) / tile;
        std::atomic<bool> finite{true};
        pool.parallel_for(tiles, [&](Index t) {
            const Index first = t * tile, count = std::min(tile, units_ - first);
            if (!take_tile(rows, values, first, count, later)) finite = false;
        });
        return finite;
    }

    /// Ends a batch: its sums, formed in double in the order of the corpus, join the exact ones. Error if one is not finite.
    void end_batch() {
        for (std::size_t q = 0; q < 2; ++q)
            for (std::size_t unit = 0; unit < size(units_); ++unit) {
                statistics_[q].sum[unit].add(batch_[q][0][unit]);
                statistics_[q].squares[unit].add(batch_[q][1][unit]);
                batch_[q][0][unit] = batch_[q][1][unit] = 0;
            }
    }

    /// Takes what another summary of the same shape holds; the result does not depend on the order of merging.
    void merge(const UnitSummary& other) {
        require(units_ == other.units_ && shape_ == other.shape_, "summary: only summaries of one shape can be merged");
        for (std::size_t list = 0; list < 4; ++list) lists_[list].merge(other.lists_[list]);
        for (std::size_t q = 0; q < 2; ++q) {
            Statistics &mine = statistics_[q];
            const Statistics& theirs = other.statistics_[q];
            for (std::size_t i = 0; i < mine.sum.size(); ++i) {
                mine.sum[i].add(theirs.sum[i]);
                mine.squares[i].add(theirs.squares[i]);
            }
            for (std::size_t i = 0; i < mine.sketch.size(); ++i) mine.sketch[i] += theirs.sketch[i];
        }
    }

  private:
    static constexpr Index tile = 32;  ///< units worked together: two lines of a row, as rows lie too far apart to be read ahead of time
    static std::size_t size(Index n) { return static_cast<std::size_t>(n); }

    /// A whole number that is greater for a greater float. Comparing floats could trap, which keeps a loop from being vectorised.
    static std::int32_t order(float value) {
        const auto bits = std::bit_cast<std::int32_t>(value);
        return bits ^ ((bits >> 31) & 0x7fffffff);
    }
    // The same operations for every machine, so the same bits; in wider registers where there are any.
    bool take_tile(const PassRows& rows, const UnitValues& values, Index first, Index count, bool later) {
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx2")) return take_tile_avx2(rows, values, first, count, later);
#endif
        return take_tile_any(rows, values, first, count, later);
    }
#if defined(__x86_64__)
    [[gnu::target("avx2")]] bool take_tile_avx2(const PassRows& rows, const UnitValues& values, Index first, Index count, bool later) {
        return take_tile_any(rows, values, first, count, later);
    }
#endif
    /// The units [first, first + count).
    [[gnu::always_inline]] inline bool take_tile_any(const PassRows& rows, const UnitValues& values, Index first, Index count, bool later) {
        bool finite = take_in<tile>(rows, values, first, count, later);
        finite &= take_in<8>(rows, values, first, count, later);
        finite &= take_in<1>(rows, values, first, count, later);
        return finite;
    }
    /// As many units as there are, `width` at a time.
    template <Index width>
    [[gnu::always_inline]] inline bool take_in(const PassRows& rows, const UnitValues& values, Index& first, Index& count, bool later) {
        bool finite = true;
        for (; count >= width; first += width, count -= width) finite &= later ? take_units<true, width>(rows, values, first) : take_units<false, width>(rows, values, first);
        return finite;
    }

    template <bool later, Index width>
    [[gnu::always_inline]] inline bool take_units(const PassRows& rows, const UnitValues& values, Index first) {
        constexpr auto n = static_cast<std::size_t>(width);
        std::array<std::array<std::array<double, n>, 2>, 2> sums;  // quantity, (sum, squares)
        for (std::size_t q = 0; q < 2; ++q)
            for (std::size_t kind = 0; kind < 2; ++kind) std::copy_n(&batch_[q][kind][size(first)], n, sums[q][kind].begin());
        for (const KeptRow& kept : rows.kept) {
            const float* x = values.activation + kept.row * units_ + first;
            const float* c = values.other + kept.row * units_ + first;
            constexpr Index ahead = 8;  // rows, which lie too far apart for the processor to foresee
            __builtin_prefetch(x + ahead * units_);
            __builtin_prefetch(c + ahead * units_);
            std::array<std::array<float, n>, 2> value;
            for (std::size_t u = 0; u < n; ++u) value[0][u] = x[u];
            for (std::size_t u = 0; u < n; ++u) value[1][u] = values.coefficients ? x[u] * c[u] : c[u];
            for (std::size_t q = 0; q < 2; ++q) {
                for (std::size_t u = 0; u < n; ++u) {
                    const double wide = value[q][u];
                    sums[q][0][u] += wide;
                    sums[q][1][u] += wide * wide;
                }
                std::array<std::int32_t, n> bins;
                for (std::size_t u = 0; u < n; ++u) bins[u] = static_cast<std::int32_t>(u) * static_cast<std::int32_t>(QuantileSketch::bins) + QuantileSketch::bin(value[q][u]);
                asm volatile("" : "+m"(bins));  // through memory, which is quicker than lane by lane
                std::uint32_t* sketch = &statistics_[q].sketch[size(first * QuantileSketch::bins)];
                for (std::size_t u = 0; u < n; ++u) ++sketch[bins[u]];
                TopList &most = lists_[2 * q], &least = lists_[2 * q + 1];
                const float *high = most.bounds() + first, *low = least.bounds() + first;
                const auto above = [&](std::size_t u) { return later ? value[q][u] > high[u] : value[q][u] >= high[u]; };
                const auto below = [&](std::size_t u) { return later ? value[q][u] < low[u] : value[q][u] <= low[u]; };
                int any = later ? 0 : 1;
                for (std::size_t u = 0; u < n; ++u) any |= static_cast<int>(order(value[q][u]) > order(high[u])) | static_cast<int>(order(value[q][u]) < order(low[u]));
                if (any == 0) continue;
                for (std::size_t u = 0; u < n; ++u) {
                    const Index unit = first + static_cast<Index>(u);
                    if (above(u)) keep(most, rows, kept, values, unit, value[q][u]);
                    if (below(u)) keep(least, rows, kept, values, unit, value[q][u]);
                }
            }
        }
        double doubt = 0;  // stays 0 unless a sum is not finite
        for (std::size_t q = 0; q < 2; ++q)
            for (std::size_t kind = 0; kind < 2; ++kind) {
                std::copy_n(sums[q][kind].begin(), n, &batch_[q][kind][size(first)]);
                for (std::size_t u = 0; u < n; ++u) doubt += 0 * sums[q][kind][u];
            }
        return doubt == 0;
    }

    [[gnu::noinline]] void keep(TopList& list, const PassRows& rows, const KeptRow& kept, const UnitValues& values, Index unit, float value) {
        const std::span<f16> window = list.offer(unit, value, kept.place);
        if (window.empty()) return;
        const Index width = shape_.width();
        for (Index i = 0; i < width; ++i) {
            const Index row = kept.row - shape_.before + i;
            const bool there = row >= kept.first && row < kept.last && rows.counts[size(row)] != 0;
            for (std::size_t q = 0; q < 2; ++q)
                window[q * size(width) + size(i)] = f16::rounded(there ? std::clamp(values.value(q, row * units_ + unit), -65504.0f, 65504.0f) : 0.0f);
        }
    }

    Index units_ = 0;
    SummaryShape shape_;
    std::array<TopList, 4> lists_;
    std::array<Statistics, 2> statistics_;
    std::array<std::array<std::vector<double>, 2>, 2> batch_;  // quantity, (sum, squares): of the batch under way
};

}  // namespace lrp
