// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// An arena: one block of memory, handed out in aligned pieces and taken back. It keeps the books only and touches no memory, so the same
// one serves host and device.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

#include <lrp/core/error.hpp>

namespace lrp {

/// First fit over [0, size), in pieces of whole `alignment`s. Neighbouring free pieces are joined when one is given back.
class Arena {
  public:
    static constexpr std::uint64_t alignment = 256;

    explicit Arena(std::uint64_t size) : size_(size / alignment * alignment) {
        if (size_ > 0) free_.emplace(0, size_);
    }

    /// The offset of a piece of at least `bytes`. Error with both numbers if no free piece is large enough.
    [[nodiscard]] std::uint64_t take(std::uint64_t bytes) {
        const std::uint64_t need = std::max<std::uint64_t>(1, (bytes + alignment - 1) / alignment) * alignment;
        const auto fits = std::find_if(free_.begin(), free_.end(), [&](const auto& piece) { return piece.second >= need; });
        require(fits != free_.end(), "arena: ", bytes, " bytes were asked for, ", available(), " of ", size_, " are free, ", largest(), " in one piece");
        const auto [offset, length] = *fits;
        free_.erase(fits);
        if (length > need) free_.emplace(offset + need, length - need);
        taken_.emplace(offset, need);
        return offset;
    }

    /// Takes back what `take` gave.
    void give(std::uint64_t offset) noexcept {
        const auto piece = taken_.find(offset);
        if (piece == taken_.end()) return;
        auto here = free_.emplace(offset, piece->second).first;
        taken_.erase(piece);
        const auto next = std::next(here);
        if (next != free_.end() && here->first + here->second == next->first) {
            here->second += next->second;
            free_.erase(next);
        }
        if (here != free_.begin()) {
            const auto before = std::prev(here);
            if (before->first + before->second == here->first) {
                before->second += here->second;
                free_.erase(here);
            }
        }
    }

    [[nodiscard]] std::uint64_t size() const { return size_; }
    /// Bytes that are free, in all and in the largest piece.
    [[nodiscard]] std::uint64_t available() const {
        std::uint64_t sum = 0;
        for (const auto& [offset, length] : free_) sum += length;
        return sum;
    }
    [[nodiscard]] std::uint64_t largest() const {
        std::uint64_t most = 0;
        for (const auto& [offset, length] : free_) most = std::max(most, length);
        return most;
    }

  private:
    std::uint64_t size_;
    std::map<std::uint64_t, std::uint64_t> free_, taken_;  // offset -> length
};

}  // namespace lrp
