// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <vector>

#include <lrp/core/scalar.hpp>
#include <lrp/eigen/memory.hpp>

namespace lrp::detail {

constexpr Index ceil_div(Index a, Index b) { return (a + b - 1) / b; }

/// Memory that products pack into: one piece for all threads and one for each, kept from call to call and never smaller than before.
class ProductScratch {
  public:
    explicit ProductScratch(unsigned threads) : own_(threads) {}

    /// `count` elements that all threads read.
    template <class E>
    E* shared(Index count) {
        return shared_.at_least<E>(count);
    }
    /// `count` elements of one thread.
    template <class E>
    E* own(unsigned worker, Index count) {
        return own_[worker].at_least<E>(count);
    }

  private:
    struct Piece {
        template <class E>
        E* at_least(Index count) {
            const std::size_t bytes = static_cast<std::size_t>(count) * sizeof(E);
            if (bytes > block.size()) {
                block = {};  // before the new piece, so that the two never stand side by side
                block = HostBlock(bytes);
            }
            return reinterpret_cast<E*>(block.data());
        }
        HostBlock block;
    };

    Piece shared_;
    std::vector<Piece> own_;
};

}  // namespace lrp::detail
