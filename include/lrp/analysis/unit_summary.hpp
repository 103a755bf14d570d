// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What is kept of the units (neurons, or heads) of one layer while a corpus goes by: top lists by activation and by relevance, both poles, and
// statistics that merge exactly.
#pragma once

#include <algorithm>
#include <array>
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

    /// Takes the kept rows of one pass: values [rows of the pass, units], row-major, of activation and of relevance. `later`: every place is later
    /// than all that were taken before, so that equal values need not be looked at. Bits do not depend on the threads of the pool.
    void take(ThreadPool& pool, const PassRows& rows, const float* activation, const float* relevance, bool later) {
        const Index tiles = (units_ + tile - 1) / tile;
        pool.parallel_for(tiles, [&](Index t) {
            const Index first = t * tile, count = std::min(tile, units_ - first);
            const std::array<const float*, 2> values{activation, relevance};
            for (std::size_t q = 0; q < 2; ++q) {
                if (later) {
                    take_tile<true>(rows, values, q, first, count);
                } else {
                    take_tile<false>(rows, values, q, first, count);
                }
            }
        });
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
    static constexpr Index tile = 16;  ///< so that its sketches stay in the first cache
    static std::size_t size(Index n) { return static_cast<std::size_t>(n); }

    /// One quantity of the units [first, first + count).
    template <bool later>
    void take_tile(const PassRows& rows, const std::array<const float*, 2>& values, std::size_t q, Index first, Index count) {
        double* sum = &batch_[q][0][size(first)];
        double* squares = &batch_[q][1][size(first)];
        std::uint32_t* sketch = &statistics_[q].sketch[size(first * QuantileSketch::bins)];
        TopList &most = lists_[2 * q], &least = lists_[2 * q + 1];
        const float* high = most.bounds() + first;
        const float* low = least.bounds() + first;
        for (const KeptRow& kept : rows.kept) {
            const float* value = values[q] + kept.row * units_ + first;
            for (Index u = 0; u < count; ++u) {
                const double wide = value[u];
                sum[u] += wide;
                squares[u] += wide * wide;
            }
            for (Index u = 0; u < count; ++u) ++sketch[u * QuantileSketch::bins + QuantileSketch::bin(value[u])];
            int any = 0;
            for (Index u = 0; u < count; ++u)
                any |= later ? static_cast<int>(value[u] > high[u]) | static_cast<int>(value[u] < low[u])
                             : static_cast<int>(value[u] >= high[u]) | static_cast<int>(value[u] <= low[u]);
            if (any == 0) continue;
            for (Index u = 0; u < count; ++u) {
                if (later ? value[u] > high[u] : value[u] >= high[u]) keep(most, rows, kept, values, first + u, value[u]);
                if (later ? value[u] < low[u] : value[u] <= low[u]) keep(least, rows, kept, values, first + u, value[u]);
            }
        }
    }

    void keep(TopList& list, const PassRows& rows, const KeptRow& kept, const std::array<const float*, 2>& values, Index unit, float value) {
        const std::span<f16> window = list.offer(unit, value, kept.place);
        if (window.empty()) return;
        const Index width = shape_.width();
        for (Index i = 0; i < width; ++i) {
            const Index row = kept.row - shape_.before + i;
            const bool there = row >= kept.first && row < kept.last && rows.counts[size(row)] != 0;
            for (std::size_t q = 0; q < 2; ++q)
                window[q * size(width) + size(i)] = f16::rounded(there ? std::clamp(values[q][row * units_ + unit], -65504.0f, 65504.0f) : 0.0f);
        }
    }

    Index units_ = 0;
    SummaryShape shape_;
    std::array<TopList, 4> lists_;
    std::array<Statistics, 2> statistics_;
    std::array<std::array<std::vector<double>, 2>, 2> batch_;  // quantity, (sum, squares): of the batch under way
};

}  // namespace lrp
