// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include <lrp/core/error.hpp>
#include <lrp/core/scalar.hpp>

namespace lrp {

/// Where a value was seen: a document of the corpus and a position in it, both counted from 0.
struct Place {
    std::int32_t document = -1;
    std::int32_t position = -1;
    friend auto operator<=>(const Place&, const Place&) = default;
};

/// One entry of a top list.
struct TopEntry {
    float value = 0;
    Place place;
    std::uint32_t window = 0;  ///< which stretch of the list's windows belongs to it
};

enum class Pole { max, min };

/// The k largest (or smallest) values of each of many units, each with its place and a window of values around it. Among equal values
/// the earlier place is better, so that a list does not depend on the order in which values were offered.
class TopList {
  public:
    TopList() = default;
    /// `width`: values of one window, all quantities together.
    TopList(Pole pole, Index units, Index k, Index width)
        : pole_(pole), units_(units), k_(k), width_(width), entries_(size(units * k)), counts_(size(units), 0),
          bound_(size(units), worst()), windows_(size(units * k * width)) {}

    [[nodiscard]] Pole pole() const { return pole_; }
    [[nodiscard]] Index units() const { return units_; }
    [[nodiscard]] Index k() const { return k_; }
    [[nodiscard]] Index width() const { return width_; }

    /// What a value of each unit must reach to have a chance, and beat where its place is later than all places before.
    [[nodiscard]] const float* bounds() const { return bound_.data(); }

    /// Best first.
    [[nodiscard]] std::span<const TopEntry> entries(Index unit) const { return {&entries_[size(unit * k_)], counts_[size(unit)]}; }
    [[nodiscard]] std::span<const f16> window(Index unit, const TopEntry& entry) const {
        return {windows_.data() + size((unit * k_ + entry.window) * width_), size(width_)};
    }

    /// Takes the value if it is among the k best so far; returns where its window goes, or an empty span if it was not taken.
    [[nodiscard]] std::span<f16> offer(Index unit, float value, Place place) {
        TopEntry* first = &entries_[size(unit * k_)];
        std::size_t& count = counts_[size(unit)];
        const TopEntry entry{value, place, static_cast<std::uint32_t>(count)};
        TopEntry* last = first + count;
        const auto full = static_cast<std::size_t>(k_);
        if (count == full && (full == 0 || !better(entry, last[-1]))) return {};
        const std::uint32_t window = count == full ? last[-1].window : entry.window;
        if (count < full) ++count;
        if (count == full) last = first + full - 1;
        TopEntry* at = std::upper_bound(first, last, entry, [this](const TopEntry& a, const TopEntry& b) { return better(a, b); });
        std::move_backward(at, last, last + 1);
        *at = {value, place, window};
        if (count == full) bound_[size(unit)] = first[full - 1].value;
        return {windows_.data() + size((unit * k_ + window) * width_), size(width_)};
    }

    /// Takes what another list of the same shape holds.
    void merge(const TopList& other) {
        require(units_ == other.units_ && k_ == other.k_ && width_ == other.width_ && pole_ == other.pole_, "top list: only lists of one shape can be merged");
        for (Index unit = 0; unit < units_; ++unit)
            for (const TopEntry& entry : other.entries(unit)) {
                const std::span<f16> to = offer(unit, entry.value, entry.place);
                const std::span<const f16> from = other.window(unit, entry);
                if (!to.empty()) std::copy(from.begin(), from.end(), to.begin());
            }
    }

  private:
    static std::size_t size(Index n) { return static_cast<std::size_t>(n); }
    [[nodiscard]] float worst() const { return pole_ == Pole::max ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity(); }
    [[nodiscard]] bool better(const TopEntry& a, const TopEntry& b) const {
        if (a.value != b.value) return pole_ == Pole::max ? a.value > b.value : a.value < b.value;
        return a.place < b.place;
    }

    Pole pole_ = Pole::max;
    Index units_ = 0, k_ = 0, width_ = 0;
    std::vector<TopEntry> entries_;     // [units, k] sorted
    std::vector<std::size_t> counts_;   // [units]
    std::vector<float> bound_;          // [units] the value of the last of k
    std::vector<f16> windows_;          // [units, k, width] in order of arrival
};

}  // namespace lrp
