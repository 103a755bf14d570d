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

/// x [up to `width` tokens, terms], transposed, to [elements of the terms][width], with zeros for the tokens that there are not; `width` in whole lanes.
template <class Isa>
void pack_transposed(View<const float> x, Index width, typename Isa::element* to) {
    constexpr Index lanes = Isa::lanes, square = lanes * Isa::depth;  // terms of `lanes` elements
    const Index count = ceil_div(x.cols, Isa::depth);
    for (Index first = 0; first < width; first += lanes) {
        const Index tokens = std::clamp(x.rows - first, Index{0}, lanes);
        for (Index k = 0; k < count; k += lanes) {
            const Index some = std::min(square, x.cols - k * Isa::depth);
            const float* values = x.data + first * x.stride + k * Isa::depth;
            typename Isa::element* square_to = to + k * width + first;
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

/// An instruction set that can write past the caches.
template <class Isa>
concept Streams = requires(const float* x, float* to) { Isa::stream(1.0f, x, Index{}, to); };

/// Whether a result is to be written past the caches (Isa::stream): so large that it will have left them before it is read, none of it read before, and in
/// whole lines, for which memory then need not be read first.
template <class Isa>
bool goes_past_caches(const Product& p, const View<float>& out) {
    constexpr Index in_line = Ahead::line / Index{sizeof(float)}, large = (Index{8} << 20) / Index{sizeof(float)};
    return Streams<Isa> && p.beta == 0 && out.rows * out.cols >= large && out.cols % in_line == 0 && out.stride % in_line == 0 && reinterpret_cast<std::uintptr_t>(out.data) % Ahead::line == 0;
}
/// Part of a row of the result.
template <class Isa>
void put_row(const Product& p, const float* sums, Index count, float* out, bool past_caches) {
    if constexpr (Streams<Isa>)
        if (past_caches) return Isa::stream(static_cast<float>(p.alpha), sums, count, out);
    put_sums(p, sums, count, out);
}
/// What a thread wrote past the caches is there for others.
template <class Isa>
void settle(bool past_caches) {
    if constexpr (Streams<Isa>)
        if (past_caches) Isa::settle();
}

/// out[t, n] <- alpha sums[n, t] + beta out[t, n], in squares; `out` is read only with a beta.
template <class Isa>
void put_transposed(const Product& p, const float* sums, Index stride, View<float> out, bool past_caches = false) {
    constexpr Index lanes = Isa::lanes;
    for (Index t0 = 0; t0 < out.rows; t0 += lanes)
        for (Index n0 = 0; n0 < out.cols; n0 += lanes) {
            const Index tokens = std::min(lanes, out.rows - t0), some = std::min(lanes, out.cols - n0);
            const float* from = sums + n0 * stride + t0;
            if (!past_caches && p.alpha == 1 && p.beta == 0 && tokens == lanes && some == lanes) {
                Isa::Square::turn(from, stride, out.row(t0) + n0, out.stride);
                continue;
            }
            alignas(64) float whole[lanes * lanes];
            alignas(64) float turned[lanes * lanes];
            if (some == lanes) {
                Isa::Square::turn(from, stride, turned, lanes);
            } else {
                for (Index n = 0; n < some; ++n) std::copy_n(from + n * stride, lanes, whole + n * lanes);
                Isa::Square::turn(whole, lanes, turned, lanes);
            }
            for (Index t = 0; t < tokens; ++t) put_row<Isa>(p, turned + t * lanes, some, out.row(t0 + t) + n0, past_caches);
        }
    settle<Isa>(past_caches);
}

template <class Isa, class W>
class Blocked {
  public:
    using E = typename Isa::element;
    static constexpr Index lanes = Isa::lanes;

    static void forward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> x, View<const W> w, View<float> y) {
        using Tile = typename Isa::template Forward<W>;
        constexpr Index tile_columns = Tile::vectors * lanes, depth = Isa::forward_depth, deep_terms = depth * Isa::depth, row_stride = depth + 16;
        const Index tokens = x.rows, K = x.cols, N = w.rows, padded = round_up(tokens, lanes), blocks = std::max<Index>(1, ceil_div(K, deep_terms));
        E* packed = scratch.shared<E>(padded * ceil_div(K, Isa::depth));  // [blocks][columns of tiles][depth][tokens of the column]
        const auto elements_of = [&](Index block) { return ceil_div(std::min(deep_terms, K - block * deep_terms), Isa::depth); };
        const auto width_of = [&](Index column) { return std::min(tile_columns, padded - column); };
        const Index parts = ceil_div(K, block_terms);
        pool.parallel_for(parts * ceil_div(padded, tile_columns), [&](Index index) {
            const Index from = index % parts * block_terms, block = from / deep_terms, column = index / parts * tile_columns, width = width_of(column);
            pack_transposed<Isa>(x.rows_from(column, std::min(width, tokens - column)).columns(from, std::min(block_terms, K - from)), width,
                                 packed + block * depth * padded + column * elements_of(block) + (from - block * deep_terms) / Isa::depth * width);
        });

        const bool ready = Isa::ready(w);
        const auto a_stride = [&] {
            if constexpr (Isa::template may_be_ready<W>) {
                return ready ? w.stride / Isa::depth : row_stride;
            } else {
                return std::integral_constant<Index, row_stride>{};
            }
        }();
        const bool past_caches = goes_past_caches<Isa>(p, y);
        const Index most = panel_rows(N, padded);
        pool.parallel_ranges(ceil_div(N, lanes), most / lanes, [&](Index begin, Index end, unsigned worker) {
            const View<const W> rows = w.rows_from(begin * lanes, std::min(end * lanes, N) - begin * lanes);
            const View<float> out = y.columns(begin * lanes, rows.rows);
            const TileRows<Tile> cut{rows.rows};
            E* widened = scratch.own<E>(worker, most * (row_stride + padded));
            float* sums = reinterpret_cast<float*>(widened + most * row_stride);  // [columns of tiles][rows][tokens of the column]
            for (Index block = 0; block < blocks; ++block) {
                const Index from = block * deep_terms, count = elements_of(block);
                const E* b = packed + block * depth * padded;
                if (!ready) Isa::widen_rows(rows.data + from, w.stride, rows.rows, std::min(deep_terms, K - from), widened, row_stride);
                for (Index column = 0; column < padded; column += tile_columns) {
                    const Index width = width_of(column);
                    float* of_column = sums + column * rows.rows;
                    if (block == 0) std::fill_n(of_column, rows.rows * width, 0.0f);
                    for (Index t = 0; t < cut.tiles; ++t) {
                        const Index row = cut.first(t);
                        const E* a = ready ? reinterpret_cast<const E*>(rows.row(row) + from) : widened + row * row_stride;
                        tile<Isa, Tile>(cut.first(t + 1) - row, width / lanes, a, a_stride, b + column * count, of_column + row * width, width, count,
                                        column == 0 ? rows_ahead(rows, cut, t, from, from + deep_terms, ready) : Ahead{});
                    }
                    if (block + 1 == blocks) put_transposed<Isa>(p, of_column, width, out.rows_from(column, std::min(width, tokens - column)), past_caches);
                }
            }
        });
    }

    static void backward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> c, View<const W> w, View<float> g) {
        using Tile = typename Isa::Packed;
        const Index tokens = c.rows, N = c.cols, K = g.cols, blocks = ceil_div(N, block_terms);
        E* packed = scratch.shared<E>(blocks * tokens * tile_stride);
        constexpr Index together = 4;  // rows, each read from end to end
        pool.parallel_for(ceil_div(tokens, together), [&](Index index) {
            for (Index t = index * together; t < std::min((index + 1) * together, tokens); ++t)
                for (Index block = 0; block < blocks; ++block)
                    Isa::elements(c.row(t) + block * block_terms, std::min(block_terms, N - block * block_terms), packed + (block * tokens + t) * tile_stride);
        });

        const bool past_caches = goes_past_caches<Isa>(p, g);
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
                    const Index line = t + wide / in_line - cut.tiles;  // of a tile's columns: the last tiles fetch W's next rows, so that they are still there
                    for (Index column = 0; column < stride; column += wide)
                        tile<Isa, Tile>(tall, Tile::vectors, a, TileStride{}, b + column * count, sums + row * stride + column, stride, count,
                                        line >= 0 ? columns_ahead(w, from + block_terms, first + column + line * in_line)
                                                  : share_ahead(a + tall * tile_stride, tall * tile_stride, column / wide, stride / wide));
                }
            }
            for (Index t = 0; t < tokens; ++t) put_row<Isa>(p, sums + t * stride, cols, g.row(t) + first, past_caches);
            settle<Isa>(past_caches);
        });
    }

  private:
    static constexpr Index block_terms = block_depth * Isa::depth, chunks = block_depth / ahead_chunk;
    static constexpr Index size = sizeof(W);
    static constexpr Index wide = Isa::Packed::vectors * lanes, in_line = std::min(wide, Ahead::line / size);  // columns of a tile backward, and of W in a line
    static const char* bytes(const W* at) { return reinterpret_cast<const char*>(at); }

    /// What comes after tile t of the block at `from`: the next tile's rows where they are read as they lie, of the next block behind the last; else, as a
    /// block's rows are widened together, the same rows of the next block.
    static Ahead rows_ahead(const View<const W>& rows, const TileRows<typename Isa::template Forward<W>>& cut, Index t, Index from, Index next_block, bool ready) {
        const bool last = t + 1 == cut.tiles;
        const Index next = !ready ? t : last ? 0 : t + 1, row = cut.first(next);
        return {bytes(rows.data + row * rows.stride + (ready && !last ? from : next_block)), rows.stride * size, ahead_chunk * Isa::depth * size, cut.first(next + 1) - row};
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

    /// Rows of W to a panel, whole lanes of them so that squares of y end where cache lines do: few enough that a panel's sums stay in the second cache
    /// and every thread gets several.
    static Index panel_rows(Index N, Index padded) {
        const Index fit = (Index{256} << 10) / static_cast<Index>(sizeof(float)) / padded, share = ceil_div(N, 16);
        return std::clamp<Index>(std::min(fit, share) / lanes * lanes, lanes, 64);
    }
    static Index panel_width(Index K, Index tokens) {
        const Index fit = std::max<Index>(1, (Index{256} << 10) / static_cast<Index>(sizeof(float)) / tokens);
        const Index share = ceil_div(K, 16);
        return std::clamp<Index>(std::min(fit, share) / wide * wide, wide, 8 * wide);
    }
};

}  // namespace lrp::detail
