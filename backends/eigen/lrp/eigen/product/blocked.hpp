// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Blocked products with a weight matrix W [N, K] that is read where it lies, row-major, in both directions:
//   forward   y [T, N] (+)= alpha x W^T     W's rows are the A of the tiles, x is packed into their B: a tile is y's transpose
//   backward  g [T, K] (+)= alpha c W       c's rows are A, W's rows are packed into B
// Neither transposes W: packing it is a widening copy of one block, of which at most some hundred KiB exist at a time. Panels of the result, shorter
// towards the end, are dealt over the threads: every element is summed in the same order, however the result is cut.
#pragma once

#include <vector>

#include <lrp/backend/primitives.hpp>
#include <lrp/core/thread_pool.hpp>
#include <lrp/eigen/product/fma.hpp>
#include <lrp/eigen/product/scratch.hpp>

namespace lrp::detail {

constexpr Index round_up(Index a, Index b) { return ceil_div(a, b) * b; }

/// C [rows, vectors * lanes] += A B, rows and vectors as compile-time constants.
template <class Isa, class Tile, int NV, int MR = 1, class Stride>
void tile_of(Index rows, const typename Isa::element* a, Stride a_stride, const typename Isa::element* b, float* c, Index ldc, Index count, const Ahead& ahead) {
    if constexpr (MR < Tile::rows) {
        if (rows > MR) return tile_of<Isa, Tile, NV, MR + 1>(rows, a, a_stride, b, c, ldc, count, ahead);
    }
    Isa::template micro<MR, NV>(a, a_stride, b, c, ldc, count, ahead);
}
template <class Isa, class Tile, int NV = 1, class Stride>
void tile(Index rows, Index vectors, const typename Isa::element* a, Stride a_stride, const typename Isa::element* b, float* c, Index ldc, Index count, const Ahead& ahead) {
    if constexpr (NV < Tile::vectors) {
        if (vectors > NV) return tile<Isa, Tile, NV + 1>(rows, vectors, a, a_stride, b, c, ldc, count, ahead);
    }
    tile_of<Isa, Tile, NV>(rows, a, a_stride, b, c, ldc, count, ahead);
}

/// Rows of the tiles that `total` rows are cut into: as even as they come, none above the most.
template <class Tile>
struct TileRows {
    Index total, tiles = ceil_div(total, Tile::rows);
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

/// x's columns [from, from + block_depth elements) to [panels of a tile's vectors][count][tokens of the panel]: as many tokens as a multiple of `unit`
/// lanes holds; the last panel may have fewer vectors.
template <class Isa, class Tile>
void pack_transposed(View<const float> x, Index from, Index unit, typename Isa::element* to) {
    constexpr Index lanes = Isa::lanes, wide = Tile::vectors * lanes, square = lanes * Isa::depth;  // terms of `lanes` elements
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
    static constexpr Index lanes = Isa::lanes;

    static void forward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> x, View<const W> w, View<float> y) {
        using Tile = typename Isa::template Forward<W>;
        constexpr Index tile_columns = Tile::vectors * lanes;
        const Index tokens = x.rows, K = x.cols, N = w.rows, padded = round_up(tokens, lanes), blocks = ceil_div(K, block_terms);
        E* packed = scratch.shared<E>(padded * blocks * block_depth);
        pool.parallel_for(blocks, [&](Index block) { pack_transposed<Isa, Tile>(x, block * block_terms, lanes, packed + block * block_depth * padded); });

        const bool ready = Isa::ready(w);
        const auto a_stride = [&] {
            if constexpr (Isa::template may_be_ready<W>) {
                return ready ? w.stride / Isa::depth : tile_stride;
            } else {
                return TileStride{};
            }
        }();
        const TileRows<Tile> cut{N};
        const Index most = panel_tiles<Tile>(N, padded);
        pool.parallel_ranges(cut.tiles, most, [&](Index first_tile, Index last_tile, unsigned worker) {
            const Index first = cut.first(first_tile), rows = cut.first(last_tile) - first, height = most * Tile::rows;
            E* widened = scratch.own<E>(worker, height * (tile_stride + padded));
            float* sums = reinterpret_cast<float*>(widened + height * tile_stride);
            std::fill_n(sums, rows * padded, 0.0f);
            // Rows as they lie, or one column of tiles: a tile meets all columns while it is in the first cache. Else all are widened, for all columns.
            const Index together = ready || padded <= tile_columns ? 1 : last_tile - first_tile;
            for (Index block = 0; block < blocks; ++block) {
                const Index from = block * block_terms, terms = std::min(block_terms, K - from), count = ceil_div(terms, Isa::depth);
                const E* b = packed + block * block_depth * padded;
                for (Index begin = first_tile; begin < last_tile; begin += together) {
                    const Index end = std::min(begin + together, last_tile);
                    if (!ready)
                        Isa::widen_rows(w.row(cut.first(begin)) + from, w.stride, cut.first(end) - cut.first(begin), terms, widened + (cut.first(begin) - first) * tile_stride);
                    for (Index column = 0; column < padded; column += tile_columns) {
                        const Index vectors = std::min<Index>(Tile::vectors, (padded - column) / lanes);
                        for (Index t = begin; t < end; ++t) {
                            const Index row = cut.first(t), tall = cut.first(t + 1) - row;
                            const E* a = ready ? reinterpret_cast<const E*>(w.row(row) + from) : widened + (row - first) * tile_stride;
                            tile<Isa, Tile>(tall, vectors, a, a_stride, b + column * count, sums + (row - first) * padded + column, padded, count,
                                            column == 0 ? rows_ahead(w, cut, first_tile, last_tile, t, from, together == 1) : Ahead{});
                        }
                    }
                }
            }
            put_transposed<Isa>(p, sums, padded, y.columns(first, rows));
        });
    }

    static void backward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> c, View<const W> w, View<float> g) {
        using Tile = typename Isa::Packed;
        const Index tokens = c.rows, N = c.cols, K = g.cols, blocks = ceil_div(N, block_terms);
        E* packed = scratch.shared<E>(blocks * tokens * tile_stride);
        pool.parallel_for(blocks, [&](Index block) {
            const Index from = block * block_terms, terms = std::min(block_terms, N - from);
            for (Index t = 0; t < tokens; ++t) Isa::elements(c.row(t) + from, terms, packed + (block * tokens + t) * tile_stride);
        });

        const Index width = panel_width(K, tokens);
        const TileRows<Tile> cut{tokens};
        pool.parallel_ranges(ceil_div(K, wide), width / wide, [&](Index first_column, Index last_column, unsigned worker) {
            const Index first = first_column * wide, cols = std::min(last_column * wide, K) - first, stride = round_up(cols, wide);
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
                        tile<Isa, Tile>(tall, Tile::vectors, a, TileStride{}, b + column * count, sums + row * stride + column, stride, count,
                                        t < wide / in_line ? columns_ahead(w, from + block_terms, first + column + t * in_line)
                                                           : share_ahead(a + tall * tile_stride, tall * tile_stride, column / wide, stride / wide));
                }
            }
            for (Index t = 0; t < tokens; ++t) put_sums(p, sums + t * stride, cols, g.row(t) + first);
        });
    }

  private:
    static constexpr Index block_terms = block_depth * Isa::depth, chunks = block_depth / ahead_chunk;
    static constexpr Index size = sizeof(W);
    static constexpr Index wide = Isa::Packed::vectors * lanes, in_line = std::min(wide, Ahead::line / size);  // columns of a tile backward, and of W in a line
    static const char* bytes(const W* at) { return reinterpret_cast<const char*>(at); }

    /// What the tile after next will widen: the next rows of this block, or the same rows of the next.
    static Ahead rows_ahead(const View<const W>& w, const TileRows<typename Isa::template Forward<W>>& cut, Index first_tile, Index last_tile, Index t, Index from, bool next_rows) {
        const bool more = next_rows && t + 1 < last_tile;
        const Index next = more ? t + 1 : next_rows ? first_tile : t, row = cut.first(next), tall = cut.first(next + 1) - row;
        return {bytes(w.data + row * w.stride + from + (more ? 0 : block_terms)), w.stride * size, ahead_chunk * Isa::depth * size, tall};
    }

    /// What the next block will widen: rows of W from `row` on, a line of each.
    static Ahead columns_ahead(const View<const W>& w, Index row, Index column) {
        return {bytes(w.data + row * w.stride + column), w.stride * size, ahead_chunk * Isa::depth * w.stride * size, ahead_chunk * Isa::depth};
    }
    /// The part `part` of `parts` of `count` packed elements that come next.
    static Ahead share_ahead(const E* next, Index count, Index part, Index parts) {
        const Index lines = ceil_div(count * Index{sizeof(E)}, Ahead::line * parts), each = ceil_div(lines, chunks);
        return {reinterpret_cast<const char*>(next) + part * lines * Ahead::line, Ahead::line, each * Ahead::line, each};
    }

    /// Rows of W to a panel: few enough that a panel's sums stay in the second cache and every thread gets several.
    template <class Tile>
    static Index panel_tiles(Index N, Index padded) {
        const Index fit = (Index{256} << 10) / static_cast<Index>(sizeof(float)) / padded, share = ceil_div(N, 16);
        return std::clamp<Index>(std::min(fit, share) / Tile::rows, 1, 96 / Tile::rows);
    }
    static Index panel_width(Index K, Index tokens) {
        const Index fit = std::max<Index>(1, (Index{256} << 10) / static_cast<Index>(sizeof(float)) / tokens);
        const Index share = ceil_div(K, 16);
        return std::clamp<Index>(std::min(fit, share) / wide * wide, wide, 8 * wide);
    }
};

}  // namespace lrp::detail
