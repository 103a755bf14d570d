// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Matrix products with bf16 weights on tile registers, straight from the row-major weights, for one panel of output columns:
//   forward   y[t, n] = alpha * sum_k x[t, k] W[n, k] + beta * y[t, n]
//   backward  g[t, k] = alpha * sum_n c[t, n] W[n, k] + beta * g[t, k]
// The caller packs the activations once (product/amx_pack.hpp), cuts the columns into panels and gives each to some thread.
//
// How it works. Rows of W are tiles as they lie: forward they are the left operand, loaded with the stride of W, and a tile of sums is
// [16 n][16 t], turned round at the end. Backward two rows at a time are interleaved into right operands. Sums of 2 x 2 tiles stay in
// registers over a block of the depth; between blocks they rest in scratch. If more than 32 tokens come, the first 32 read W and leave
// its tiles in scratch for the others. What sticks out of W is copied and padded with zeros; nothing beside W is read.
#pragma once

#include <algorithm>
#include <memory>
#include <new>

#include <lrp/eigen/product/amx_pack.hpp>
#include <lrp/eigen/product/amx_strip.hpp>

namespace lrp::detail {

/// One panel of a product on tiles. Every element of `out` is summed in the order of the depth, 32 numbers at a time, whatever the
/// panel: the bits do not depend on how the columns are cut. Exactness (relative to the largest |out|): 3 terms as a float32 product,
/// 1 term as bf16 (2^-9 per factor). Tiles treat denormals as zero, so with 3 terms a factor below 2^-103 (1e-31) is wrong by at most
/// 2^-125, and weights, sums and results below 2^-126 (1e-38) are zero. Columns outside [first, last) are left alone; `out` is not read if beta is 0.
struct AmxPanel {
    const bf16* packed = nullptr;  // activations, by amx_pack with the same direction and terms
    View<const bf16> w;            // [N, K], where it lies
    View<float> out;               // [T, N] forward, [T, K] backward
    Index first = 0, last = 0;     // columns of `out`
    float alpha = 1, beta = 0;
};

inline constexpr Index most_tiles = 512;   // of weights in scratch, and of sums: half a MiB each, together in L2
inline constexpr Index most_blocks = 32;   // token blocks at a time
inline constexpr Index narrow_blocks = 2;  // up to 32 tokens: weights are used once, and their bandwidth is what counts
inline constexpr Index panel_tiles = 16;   // weight tiles across a panel

/// How many columns a panel should have: enough of them for every thread, wide where rows of W are read across (few tokens, backward).
constexpr Index amx_columns(Direction direction, Index tokens, Index extent, unsigned threads) {
    const bool wide = direction == Direction::backward && amx_token_blocks(tokens) <= narrow_blocks;
    const Index share = ceil_div(ceil_div(extent, std::max<Index>(1, threads)), 2 * tile_rows) * 2 * tile_rows;
    return std::max<Index>(2 * tile_rows, std::min<Index>(share, (wide ? 4 : 1) * panel_tiles * tile_rows));
}

/// Work memory of one thread; kept as long as the thread.
struct AmxScratch {
    struct Free {
        void operator()(std::byte* data) const { ::operator delete[](data, std::align_val_t{4096}); }
    };
    std::unique_ptr<std::byte, Free> memory{static_cast<std::byte*>(::operator new[](2 * most_tiles * tile_bytes, std::align_val_t{4096}))};

    [[nodiscard]] std::byte* weights() const { return memory.get(); }
    [[nodiscard]] float* sums() const { return reinterpret_cast<float*>(memory.get() + most_tiles * tile_bytes); }
    static AmxScratch& of_this_thread() {
        thread_local AmxScratch own;
        return own;
    }
};

template <class Tiles, Direction D, int Terms>
struct PanelWork {
    [[gnu::always_inline]] static inline void run(const AmxPanel* panel, std::byte* weights, float* sums) {
        const AmxPanel& p = *panel;
        const Index depth = D == Direction::forward ? p.w.cols : p.w.rows;
        const Index steps = ceil_div(depth, tile_depth);
        const Index blocks = amx_token_blocks(p.out.rows);
        for (Index block = 0; block < blocks; block += most_blocks) {
            const Index here = std::min(most_blocks, blocks - block);
            const bool narrow = here <= narrow_blocks;
            const Index widest = D == Direction::backward && narrow ? 4 * panel_tiles : panel_tiles;
            for (Index col = p.first; col < p.last; col += widest * tile_rows) {
                const Index tiles = ceil_div(std::min(widest * tile_rows, p.last - col), tile_rows);
                const Index span = span_of(narrow, tiles);
                for (Index step = 0; step == 0 || step < steps; step += span) {
                    const Part part{p, weights, sums, block, here, col, tiles, step, std::min(span, steps - step), span, steps};
                    if constexpr (D == Direction::backward) interleave(part);
                    for (Index j = 0; j < here; j += 2)
                        for (Index i = 0; i < tiles; i += 2) multiply(part, i, j);
                }
                write(p, sums, block, here, col, tiles);
            }
        }
    }

  private:
    /// Blocks [block, +here) of tokens, columns [col, +16 tiles), steps [step, +count) of all `steps` of the depth.
    struct Part {
        const AmxPanel& p;
        std::byte* weights;
        float* sums;
        Index block, here, col, tiles, step, count, span, steps;
    };

    /// Steps at a time: as many as fit into scratch. Few tokens forward keep no weights there but those that are padded.
    static constexpr Index span_of(bool narrow, Index tiles) {
        if (D == Direction::forward) return narrow ? most_tiles / 2 : most_tiles / panel_tiles;
        return std::min(narrow ? Index{64} : most_tiles / panel_tiles, most_tiles / (tiles + tiles % 2 + 1));
    }

    [[gnu::always_inline]] static inline void multiply(const Part& part, Index i, Index j) {
        const Index pair = std::min<Index>(2, part.tiles - i);
        const bool both = j + 1 < part.here;
        Strip strip;
        strip.x = reinterpret_cast<const std::byte*>(part.p.packed) + ((part.block + j) * part.steps + part.step) * Terms * tile_bytes;
        strip.x_block = part.steps * Terms * tile_bytes;
        strip.sums = reinterpret_cast<std::byte*>(part.sums) + (i * part.here + j) * tile_bytes;
        strip.sums_tile = part.here * tile_bytes;
        strip.fresh = part.step == 0;
        const bool keep = part.here > narrow_blocks;
        std::byte* in_scratch = part.weights + (D == Direction::backward ? i * 64 : (keep ? i : 0) * part.span * tile_bytes);
        Index done = 0;
        if (D == Direction::forward && j == 0) {
            done = direct_steps(part, i, pair);
            if (done > 0) {
                strip.w = reinterpret_cast<const std::byte*>(part.p.w.row(part.col + i * tile_rows) + part.step * tile_depth);
                strip.w_row = part.p.w.stride * 2;
                strip.w_tile = strip.w_row * tile_rows;
                strip.w_step = tile_depth * 2;
                strip.keep = in_scratch;
                strip.keep_tile = part.span * tile_bytes;
                strip.count = done;
                if (keep) {
                    launch<D == Direction::forward>(strip, pair, both);
                } else {
                    launch<false>(strip, pair, both);
                }
                strip.fresh = false;
            }
            pad(part, i, pair, done, in_scratch);
        }
        if (done == part.count && done > 0) return;
        strip.w = in_scratch + done * tile_bytes;
        strip.w_row = D == Direction::forward ? 64 : interleaved_row(part.tiles);
        strip.w_tile = D == Direction::forward ? part.span * tile_bytes : 64;
        strip.w_step = D == Direction::forward ? tile_bytes : tile_rows * strip.w_row;
        strip.x += done * Terms * tile_bytes;
        strip.count = part.count - done;
        launch<false>(strip, pair, both);
    }

    template <bool Keep>
    [[gnu::always_inline]] static inline void launch(const Strip& strip, Index pair, bool both) {
        if (pair == 2) {
            both ? Tiles::template call<StripWork<Tiles, D, Terms, 2, 2, Keep>>(&strip) : Tiles::template call<StripWork<Tiles, D, Terms, 2, 1, Keep>>(&strip);
        } else {
            both ? Tiles::template call<StripWork<Tiles, D, Terms, 1, 2, Keep>>(&strip) : Tiles::template call<StripWork<Tiles, D, Terms, 1, 1, Keep>>(&strip);
        }
    }

    /// Forward: how many steps of weight tiles i and its pair lie wholly inside W and the panel.
    [[gnu::always_inline]] static inline Index direct_steps(const Part& part, Index i, Index pair) {
        const bool whole = part.col + (i + pair) * tile_rows <= part.p.last;
        return whole ? std::clamp<Index>(part.p.w.cols / tile_depth - part.step, 0, part.count) : 0;
    }

    /// Forward: the other steps, copied and padded with zeros.
    [[gnu::always_inline]] static inline void pad(const Part& part, Index i, Index pair, Index done, std::byte* scratch) {
        for (Index tile = 0; tile < pair; ++tile)
            for (Index step = done; step < part.count; ++step) {
                bf16* to = reinterpret_cast<bf16*>(scratch + (tile * part.span + step) * tile_bytes);
                const Index row = part.col + (i + tile) * tile_rows;
                const Index col = (part.step + step) * tile_depth;
                const Index cols = std::min(tile_depth, part.p.w.cols - col);
                std::fill_n(to, tile_numbers, bf16());
                for (Index r = 0; r < std::min(tile_rows, part.p.last - row); ++r) std::copy_n(part.p.w.row(row + r) + col, cols, to + r * tile_depth);
            }
    }

    /// Backward: bytes between interleaved pairs of rows, which lie as they come: a tile is 16 pieces of them. One cache line more than they
    /// need, so that the pieces do not meet in one set of the cache.
    static constexpr Index interleaved_row(Index tiles) { return (tiles + tiles % 2 + 1) * 64; }

    /// Backward: pairs of rows of W as right operands, for all tiles of the part; one sweep along the rows.
    [[gnu::always_inline]] static inline void interleave(const Part& part) {
        alignas(64) bf16 even[tile_depth];
        alignas(64) bf16 odd[tile_depth];
        const Index end = std::min(part.p.last, part.col + part.tiles * tile_rows);
        for (Index step = 0; step < part.count; ++step)
            for (Index r = 0; r < tile_rows; ++r) {
                const Index n = (part.step + step) * tile_depth + 2 * r;
                std::byte* to = part.weights + (step * tile_rows + r) * interleaved_row(part.tiles);
                for (Index col = part.col; col < end; col += tile_depth) {
                    if (n + 3 < part.p.w.rows) {  // the next sweep's; rows end where no prefetcher expects it
                        __builtin_prefetch(part.p.w.row(n + 2) + col);
                        __builtin_prefetch(part.p.w.row(n + 3) + col);
                    }
                    bf16* low = reinterpret_cast<bf16*>(to);
                    bf16* high = reinterpret_cast<bf16*>(to + 64);
                    if (n + 1 < part.p.w.rows && col + tile_depth <= end) {
                        Tiles::interleave(part.p.w.row(n) + col, part.p.w.row(n + 1) + col, low, high);
                    } else {
                        const Index cols = std::min(tile_depth, end - col);
                        std::fill_n(even, tile_depth, bf16());
                        std::fill_n(odd, tile_depth, bf16());
                        if (n < part.p.w.rows) std::copy_n(part.p.w.row(n) + col, cols, even);
                        if (n + 1 < part.p.w.rows) std::copy_n(part.p.w.row(n + 1) + col, cols, odd);
                        Tiles::interleave(even, odd, low, high);
                    }
                    to += 128;
                }
            }
    }

    /// The sums, scaled, to where the result lies.
    [[gnu::always_inline]] static inline void write(const AmxPanel& p, const float* sums, Index block, Index here, Index first, Index tiles) {
        alignas(64) float turned[tile_rows * tile_rows];
        for (Index j = 0; j < here; ++j)
            for (Index i = 0; i < tiles; ++i) {
                const float* tile = sums + (i * here + j) * tile_rows * tile_rows;
                if constexpr (D == Direction::forward) {
                    Tiles::transpose(tile, turned);
                    tile = turned;
                }
                const Index token = (block + j) * tile_rows;
                const Index col = first + i * tile_rows;
                const Index cols = std::min(tile_rows, p.last - col);
                for (Index t = 0; t < std::min(tile_rows, p.out.rows - token); ++t) {
                    float* to = p.out.row(token + t) + col;
                    const float* from = tile + t * tile_rows;
                    if (cols == tile_rows) {
                        put<tile_rows>(p, from, to, tile_rows);
                    } else {
                        put<1>(p, from, to, cols);
                    }
                }
            }
    }

    /// `cols` numbers of a row, a multiple of `Unit`.
    template <Index Unit>
    [[gnu::always_inline]] static inline void put(const AmxPanel& p, const float* from, float* to, Index cols) {
        const float alpha = p.alpha;
        const float beta = p.beta;
        for (Index first = 0; first < cols; first += Unit)
            for (Index c = first; c < first + Unit; ++c) to[c] = beta == 0 ? alpha * from[c] : alpha * from[c] + beta * to[c];
    }
};

/// Computes the panel on this thread; its tiles are configured before and released after.
/// Errors: UsageError if `terms` is neither 1 nor 3. With HardwareTiles: only where amx_available().
template <class Tiles>
void amx_product(Direction direction, const AmxPanel& panel, int terms) {
    if (terms != 1 && terms != 3) fail<UsageError>("a tile product takes 1 or 3 terms, not ", terms);
    const AmxScratch& scratch = AmxScratch::of_this_thread();
    const auto product = [&]<Direction D, int Terms>() { Tiles::template call<PanelWork<Tiles, D, Terms>>(&panel, scratch.weights(), scratch.sums()); };
    static constexpr TileConfig config = TileConfig::full();
    Tiles::configure(config);
    if (direction == Direction::forward) {
        terms == 1 ? product.template operator()<Direction::forward, 1>() : product.template operator()<Direction::forward, 3>();
    } else {
        terms == 1 ? product.template operator()<Direction::backward, 1>() : product.template operator()<Direction::backward, 3>();
    }
    Tiles::release();
}

}  // namespace lrp::detail
