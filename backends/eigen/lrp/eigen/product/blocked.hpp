// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Blocked products with a weight matrix W [N, K] that is read where it lies, row-major, in both directions:
//   forward   y [T, N] (+)= alpha x W^T     W's rows are the A of the tiles, x is packed into their B: a tile is y's transpose
//   backward  g [T, K] (+)= alpha c W       c's rows are A, W's rows are packed into B
// Neither transposes W: packing it is a widening copy of one block, of which at most some hundred KiB exist at a time. Panels of the result are
// dealt over the threads; the cut depends on shapes alone.
#pragma once

#include <vector>

#include <lrp/backend/primitives.hpp>
#include <lrp/core/thread_pool.hpp>
#include <lrp/eigen/product/fma.hpp>
#include <lrp/eigen/product/scratch.hpp>

namespace lrp::detail {

constexpr Index round_up(Index a, Index b) { return ceil_div(a, b) * b; }

/// Calls f with the number of rows as a compile-time constant.
template <class Isa, int NV, int MR = 1>
void tile(Index rows, const typename Isa::element* a, const typename Isa::element* b, float* c, Index ldc, Index count, const Ahead& ahead) {
    if constexpr (MR < Isa::rows) {
        if (rows > MR) return tile<Isa, NV, MR + 1>(rows, a, b, c, ldc, count, ahead);
    }
    Isa::template micro<MR, NV>(a, b, c, ldc, count, ahead);
}
template <class Isa>
void tile(Index rows, Index vectors, const typename Isa::element* a, const typename Isa::element* b, float* c, Index ldc, Index count, const Ahead& ahead) {
    if (vectors == 2) {
        tile<Isa, 2>(rows, a, b, c, ldc, count, ahead);
    } else {
        tile<Isa, 1>(rows, a, b, c, ldc, count, ahead);
    }
}

/// Rows of the tiles that `total` rows are cut into: as even as they come, none above the instruction set's most.
template <class Isa>
struct TileRows {
    Index total, tiles = ceil_div(total, Isa::rows);
    [[nodiscard]] Index first(Index tile) const { return tile * total / tiles; }
};

/// out <- alpha sums + beta out; `out` is read only with a beta.
inline void put_sums(const Product& p, const float* sums, Index count, float* out) {
    const auto alpha = static_cast<float>(p.alpha), beta = static_cast<float>(p.beta);
    if (beta == 0) {
        for (Index i = 0; i < count; ++i) out[i] = alpha * sums[i];
    } else {
        for (Index i = 0; i < count; ++i) out[i] = alpha * sums[i] + beta * out[i];
    }
}

/// x's columns [from, from + block_depth elements) to [panels of two vectors][count][tokens of the panel]: as many tokens as a multiple of `unit`
/// lanes, one vector or two, holds; the last panel may be one vector wide.
template <class Isa>
void pack_transposed(View<const float> x, Index from, Index unit, typename Isa::element* to) {
    constexpr Index lanes = Isa::lanes, wide = 2 * lanes, square = lanes * Isa::depth;  // terms of `lanes` elements
    const Index terms = std::min(block_depth * Isa::depth, x.cols - from), count = ceil_div(terms, Isa::depth), padded = round_up(x.rows, unit);
    for (Index column = 0; column < padded; column += wide) {
        const Index width = std::min(wide, padded - column);
        for (Index half = column; half < column + width; half += lanes) {
            const Index tokens = std::clamp(x.rows - half, Index{0}, lanes);
            for (Index k = 0; k < count; k += lanes) {
                const Index some = std::min(square, terms - k * Isa::depth);
                const float* values = x.data + half * x.stride + from + k * Isa::depth;
                typename Isa::element* square_to = to + column * count + k * width + half - column;
                if (tokens == lanes && some == square) {
                    Isa::turn(values, x.stride, square_to, width);
                    continue;
                }
                alignas(64) float whole[lanes * square] = {};
                alignas(64) typename Isa::element turned[lanes * lanes];
                for (Index t = 0; t < tokens; ++t) std::copy_n(values + t * x.stride, some, whole + t * square);
                Isa::turn(whole, square, turned, lanes);
                for (Index i = 0; i < std::min(lanes, count - k); ++i) std::copy_n(turned + i * lanes, lanes, square_to + i * width);
            }
        }
    }
}

/// out[t, n] <- alpha sums[n, t] + beta out[t, n], in squares; `out` is read only with a beta.
template <class Isa>
void put_transposed(const Product& p, const float* sums, Index stride, View<float> out) {
    constexpr Index lanes = Isa::lanes;
    for (Index t0 = 0; t0 < out.rows; t0 += lanes)
        for (Index n0 = 0; n0 < out.cols; n0 += lanes) {
            const Index tokens = std::min(lanes, out.rows - t0), some = std::min(lanes, out.cols - n0);
            const float* from = sums + n0 * stride + t0;
            if (p.alpha == 1 && p.beta == 0 && tokens == lanes && some == lanes) {
                Isa::Square::turn(from, stride, out.row(t0) + n0, out.stride);
                continue;
            }
            alignas(64) float whole[lanes * lanes];
            alignas(64) float turned[lanes * lanes];
            for (Index n = 0; n < some; ++n) std::copy_n(from + n * stride, lanes, whole + n * lanes);
            Isa::Square::turn(whole, lanes, turned, lanes);
            for (Index t = 0; t < tokens; ++t) put_sums(p, turned + t * lanes, some, out.row(t0 + t) + n0);
        }
}

template <class Isa, class W>
class Blocked {
  public:
    using E = typename Isa::element;
    static constexpr Index lanes = Isa::lanes, wide = 2 * lanes;

    static void forward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> x, View<const W> w, View<float> y) {
        const Index tokens = x.rows, K = x.cols, N = w.rows, padded = round_up(tokens, lanes), blocks = ceil_div(K, block_terms);
        E* packed = scratch.shared<E>(padded * blocks * block_depth);
        pool.parallel_for(blocks, [&](Index block) { pack_transposed<Isa>(x, block * block_terms, lanes, packed + block * block_depth * padded); });

        const Index height = panel_height(N, padded), panels = ceil_div(N, height);
        pool.parallel_for(panels, [&](Index panel, unsigned worker) {
            const Index first = panel * height, rows = std::min(height, N - first);
            E* a = scratch.own<E>(worker, height * (tile_stride + padded));
            float* sums = reinterpret_cast<float*>(a + height * tile_stride);
            std::fill_n(sums, rows * padded, 0.0f);
            const TileRows<Isa> cut{rows};
            // One column of tiles: each is widened when its turn comes and worked while it is in the first cache. More: all, for all columns.
            const Index together = padded <= wide ? 1 : cut.tiles;
            for (Index block = 0; block < blocks; ++block) {
                const Index from = block * block_terms, terms = std::min(block_terms, K - from), count = ceil_div(terms, Isa::depth);
                const E* b = packed + block * block_depth * padded;
                for (Index begin = 0; begin < cut.tiles; begin += together) {
                    const Index end = std::min(begin + together, cut.tiles);
                    Isa::widen_rows(w.row(first + cut.first(begin)) + from, w.stride, cut.first(end) - cut.first(begin), terms, a + cut.first(begin) * tile_stride);
                    for (Index column = 0; column < padded; column += wide) {
                        const Index vectors = std::min<Index>(2, (padded - column) / lanes);
                        for (Index t = begin; t < end; ++t) {
                            const Index row = cut.first(t), tall = cut.first(t + 1) - row;
                            tile<Isa>(tall, vectors, a + row * tile_stride, b + column * count, sums + row * padded + column, padded, count,
                                      column == 0 ? rows_ahead(w, first, cut, t, from, together == 1) : Ahead{});
                        }
                    }
                }
            }
            put_transposed<Isa>(p, sums, padded, y.columns(first, rows));
        });
    }

    static void backward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> c, View<const W> w, View<float> g) {
        const Index tokens = c.rows, N = c.cols, K = g.cols, blocks = ceil_div(N, block_terms);
        E* packed = scratch.shared<E>(blocks * tokens * tile_stride);
        pool.parallel_for(blocks, [&](Index block) {
            const Index from = block * block_terms, terms = std::min(block_terms, N - from);
            for (Index t = 0; t < tokens; ++t) Isa::elements(c.row(t) + from, terms, packed + (block * tokens + t) * tile_stride);
        });

        const Index width = panel_width(K, tokens), panels = ceil_div(K, width);
        const TileRows<Isa> cut{tokens};
        pool.parallel_for(panels, [&](Index panel, unsigned worker) {
            const Index first = panel * width, cols = std::min(width, K - first), stride = round_up(cols, wide);
            E* b = scratch.own<E>(worker, width * (block_depth + tokens));
            float* sums = reinterpret_cast<float*>(b + width * block_depth);
            std::fill_n(sums, tokens * stride, 0.0f);
            for (Index block = 0; block < blocks; ++block) {
                const Index from = block * block_terms, terms = std::min(block_terms, N - from), count = ceil_div(terms, Isa::depth);
                Isa::widen_columns(w.row(from) + first, w.stride, terms, cols, b);
                // A tile of c meets all columns while it is in the first cache, and the next one is fetched: c as a whole may fill the second.
                for (Index t = 0; t < cut.tiles; ++t) {
                    const Index row = cut.first(t), tall = cut.first(t + 1) - row;
                    const E* a = packed + (block * tokens + row) * tile_stride;
                    for (Index column = 0; column < stride; column += wide)
                        tile<Isa>(tall, 2, a, b + column * count, sums + row * stride + column, stride, count,
                                  t == 0 ? columns_ahead(w, from + block_terms, first + column) : share_ahead(a + tall * tile_stride, tall * tile_stride, column / wide, stride / wide));
                }
            }
            for (Index t = 0; t < tokens; ++t) put_sums(p, sums + t * stride, cols, g.row(t) + first);
        });
    }

  private:
    static constexpr Index block_terms = block_depth * Isa::depth;
    static constexpr Index size = sizeof(W);
    static const char* bytes(const W* at) { return reinterpret_cast<const char*>(at); }

    /// What the tile after next will widen: the next rows of this block, or the same rows of the next.
    static Ahead rows_ahead(const View<const W>& w, Index first, const TileRows<Isa>& cut, Index t, Index from, bool next_rows) {
        const bool more = next_rows && t + 1 < cut.tiles;
        const Index row = more ? cut.first(t + 1) : next_rows ? 0 : cut.first(t);
        const Index tall = more ? cut.first(t + 2) - row : next_rows ? cut.first(1) : cut.first(t + 1) - row;
        return {bytes(w.data + (first + row) * w.stride + from + (more ? 0 : block_terms)), w.stride * size, ahead_chunk * Isa::depth * size, tall};
    }

    /// What the next block will widen: rows of W from `row` on, a line of each.
    static Ahead columns_ahead(const View<const W>& w, Index row, Index column) {
        return {bytes(w.data + row * w.stride + column), w.stride * size, ahead_chunk * Isa::depth * w.stride * size, ahead_chunk * Isa::depth};
    }
    /// The part `part` of `parts` of `count` packed elements that come next.
    static Ahead share_ahead(const E* next, Index count, Index part, Index parts) {
        constexpr Index line = 64, chunks = block_depth / ahead_chunk;
        const Index lines = ceil_div(count * Index{sizeof(E)}, line * parts), each = ceil_div(lines, chunks);
        return {reinterpret_cast<const char*>(next) + part * lines * line, line, each * line, each};
    }

    /// Rows of W to a panel: few enough that a panel's sums stay in the second cache and every thread gets several.
    static Index panel_height(Index N, Index padded) {
        const Index fit = std::max<Index>(1, (Index{256} << 10) / static_cast<Index>(sizeof(float)) / padded);
        const Index share = ceil_div(N, 16);
        return std::clamp<Index>(std::min(fit, share) / Isa::rows * Isa::rows, Isa::rows, 8 * Isa::rows);
    }
    static Index panel_width(Index K, Index tokens) {
        const Index fit = std::max<Index>(1, (Index{256} << 10) / static_cast<Index>(sizeof(float)) / tokens);
        const Index share = ceil_div(K, 16);
        return std::clamp<Index>(std::min(fit, share) / wide * wide, wide, 8 * wide);
    }
};

}  // namespace lrp::detail
