// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The inner loop of a product on tiles: sums of 2 x 2 tiles, kept in registers over a block of the depth.
#pragma once

#include <lrp/eigen/product/amx_pack.hpp>

namespace lrp::detail {

/// Up to 2 x 2 tiles of sums over `count` steps. All distances are bytes.
struct Strip {
    const std::byte* w = nullptr;
    Index w_row = 0, w_tile = 0, w_step = 0;  // between rows of a tile; to the other weight tile; to the next step
    const std::byte* x = nullptr;
    Index x_block = 0;  // to the other token block
    std::byte* sums = nullptr;
    Index sums_tile = 0;  // to the other weight tile's sums; the other block's are the next tile
    std::byte* keep = nullptr;
    Index keep_tile = 0;
    Index count = 0;
    bool fresh = false;  // sums begin at zero
};

/// The inner loop. Tiles 0..3: sums [weight tile][token block]; 4, 5: weights; 6, 7: activations.
template <class Tiles, Direction D, int Terms, int W, int X, bool Keep>
struct StripWork {
    [[gnu::always_inline]] static inline void run(const Strip* strip) {
        const Strip s = *strip;
        if (s.fresh) {
            zero<0, 0>(), zero<0, 1>(), zero<1, 0>(), zero<1, 1>();
        } else {
            load<0, 0>(s), load<0, 1>(s), load<1, 0>(s), load<1, 1>(s);
        }
        const std::byte* w = s.w;
        const std::byte* x = s.x;
        std::byte* keep = s.keep;
        for (Index step = s.count; step > 0; --step) {
            Tiles::template load<4>(w, s.w_row);
            if constexpr (W == 2) Tiles::template load<5>(w + s.w_tile, s.w_row);
            if constexpr (Keep) {
                Tiles::template store<4>(keep, 64);
                if constexpr (W == 2) Tiles::template store<5>(keep + s.keep_tile, 64);
                keep += tile_bytes;
            }
            term(x, s.x_block);
            if constexpr (Terms == 3) {
                term(x + tile_bytes, s.x_block);
                term(x + 2 * tile_bytes, s.x_block);
            }
            w += s.w_step;
            x += Terms * tile_bytes;
        }
        store<0, 0>(s), store<0, 1>(s), store<1, 0>(s), store<1, 1>(s);
    }

  private:
    template <int I, int J>
    [[gnu::always_inline]] static inline void zero() {
        if constexpr (I < W && J < X) Tiles::template zero<2 * I + J>();
    }
    template <int I, int J>
    [[gnu::always_inline]] static inline void load(const Strip& s) {
        if constexpr (I < W && J < X) Tiles::template load<2 * I + J>(s.sums + I * s.sums_tile + J * tile_bytes, 64);
    }
    template <int I, int J>
    [[gnu::always_inline]] static inline void store(const Strip& s) {
        if constexpr (I < W && J < X) Tiles::template store<2 * I + J>(s.sums + I * s.sums_tile + J * tile_bytes, 64);
    }
    template <int I, int J>
    [[gnu::always_inline]] static inline void dot() {
        if constexpr (I < W && J < X) {
            if constexpr (D == Direction::forward) {
                Tiles::template dot<2 * I + J, 4 + I, 6 + J>();
            } else {
                Tiles::template dot<2 * I + J, 6 + J, 4 + I>();
            }
        }
    }
    [[gnu::always_inline]] static inline void term(const std::byte* x, Index x_block) {
        Tiles::template load<6>(x, 64);
        dot<0, 0>();
        if constexpr (X == 2) Tiles::template load<7>(x + x_block, 64);
        dot<0, 1>(), dot<1, 0>(), dot<1, 1>();
    }
};

}  // namespace lrp::detail
