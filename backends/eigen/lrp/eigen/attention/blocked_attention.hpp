// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Causal attention on the tiles of the products: a block of queries of one head at a time against all keys it sees, so that no T x T matrix
// exists. The softmax is that of whole rows; the backward pass forms them again from what the forward pass kept of each.
// Source of the scheme: Dao et al. 2022, "FlashAttention", algorithms 1 and 4, without the running softmax.
#pragma once

#include <cmath>

#include <lrp/backend/native.hpp>
#include <lrp/eigen/attention/rows.hpp>
#include <lrp/eigen/product/blocked.hpp>

namespace lrp::detail {

/// The most that a head may be wide: one row of a packed A.
inline constexpr Index widest_head = block_depth;

template <class Isa, class Rows>
class BlockedAttention {
  public:
    static void forward(ThreadPool& pool, ProductScratch& scratch, const AttentionForward<float>& call) {
        const Shape s(call.sizes, call.q.rows, call.k.rows);
        E* keys = scratch.shared<E>(call.sizes.kv_heads * (s.columns() + s.rows()));
        E* values = keys + call.sizes.kv_heads * s.columns();
        pool.parallel_for(call.sizes.kv_heads, [&](Index kv) {
            pack_columns(call.k.columns(kv * s.D, s.D), keys + kv * s.columns());
            pack_rows(s, call.v.columns(kv * s.D, s.D), values + kv * s.rows());
        });
        const Index blocks = ceil_div(s.queries, block);
        pool.parallel_for(call.sizes.heads * blocks, [&](Index task, unsigned worker) {
            const Index head = task % call.sizes.heads, first = (blocks - 1 - task / call.sizes.heads) * block;  // the longest first
            const Index count = std::min(block, s.queries - first), kv = head / (call.sizes.heads / call.sizes.kv_heads);
            Carve memory{scratch.own<std::byte>(worker, 4 * (block * (2 * tile_stride + s.wide_D) + s.scores()))};
            E *a = memory.template take<E>(block * tile_stride), *spare = memory.template take<E>(block * tile_stride);
            float *z = memory.template take<float>(block * s.wide_D), *scores = memory.template take<float>(s.scores());
            put_rows(call.q.columns(head * s.D, s.D), first, count, static_cast<float>(call.sizes.scale), a);
            score(s, a, keys + kv * s.columns(), first, count, scores);
            std::fill_n(z, count * s.wide_D, 0.0f);
            float total[block];
            for (Index i = 0; i < count; ++i) {
                const Index seen = s.seen(first + i);
                float peak = -INFINITY;
                s.each_block(seen, [&](Index at, Index keys_here) { peak = std::max(peak, Rows::peak(scores + at * block + i * score_stride, keys_here)); });
                total[i] = 0;
                s.each_block(s.seen(first + count - 1), [&](Index at, Index keys_here) {
                    float* row = scores + at * block + i * score_stride;
                    const Index some = std::clamp<Index>(seen - at / score_stride * keys_block, 0, keys_here);
                    total[i] += Rows::exponentials(row, some, peak, 1);
                    std::fill(row + some, row + keys_here, 0.0f);
                });
                float* const row = call.rows + 2 * (head * s.queries + first + i);
                row[0] = peak;
                row[1] = 1 / total[i];
            }
            mix(s, scores, spare, values + kv * s.rows(), first, count, z);
            for (Index i = 0; i < count; ++i)
                for (Index d = 0; d < s.D; ++d) call.z(first + i, head * s.D + d) = z[i * s.wide_D + d] / total[i];
        });
    }

    static void backward(ThreadPool& pool, ProductScratch& scratch, const AttentionBackward<float>& call) {
        const Shape s(call.sizes, call.q.rows, call.k.rows);
        const bool values_only = call.factor_q == 0 && call.factor_k == 0;
        const Index members = call.sizes.heads / call.sizes.kv_heads;
        const Index tall = round_up(s.D, Isa::Packed::rows);
        pool.parallel_for(call.sizes.kv_heads, [&](Index kv, unsigned worker) {
            Carve memory{scratch.own<std::byte>(worker, 4 * (2 * s.columns() + s.rows() + 2 * tall * s.padded + 2 * s.scores() + 3 * block * tile_stride + 2 * tall * tile_stride +
                                                             block * s.wide_D + 2 * block * wide))};
            E *keys = memory.template take<E>(s.columns()), *values = memory.template take<E>(s.columns()), *key_rows = memory.template take<E>(s.rows());
            float *sum_k = memory.template take<float>(tall * s.padded), *sum_v = memory.template take<float>(tall * s.padded);
            float *p = memory.template take<float>(s.scores()), *e = memory.template take<float>(s.scores());
            E *q = memory.template take<E>(block * tile_stride), *c = memory.template take<E>(block * tile_stride), *spare = memory.template take<E>(block * tile_stride);
            E *q_turned = memory.template take<E>(tall * tile_stride), *c_turned = memory.template take<E>(tall * tile_stride);
            float* c_q = memory.template take<float>(block * s.wide_D);
            E *p_panel = memory.template take<E>(block * wide), *e_panel = memory.template take<E>(block * wide);
            pack_columns(call.k.columns(kv * s.D, s.D), keys);
            if (!values_only) {
                pack_columns(call.v.columns(kv * s.D, s.D), values);
                pack_rows(s, call.k.columns(kv * s.D, s.D), key_rows);
            }
            std::fill_n(sum_k, 2 * tall * s.padded, 0.0f);  // and sum_v behind it
            for (Index head = kv * members; head < (kv + 1) * members; ++head) {
                const View<const float> z = call.z.columns(head * s.D, s.D), c_z = call.c_z.columns(head * s.D, s.D);
                for (Index first = 0; first < s.queries; first += block) {
                    const Index count = std::min(block, s.queries - first), limit = s.seen(first + count - 1);
                    const View<const float> queries = call.q.columns(head * s.D, s.D);
                    put_rows(queries, first, count, static_cast<float>(call.sizes.scale), q);
                    put_rows(c_z, first, count, 1.0f, c);
                    score(s, q, keys, first, count, p);
                    if (!values_only) score(s, c, values, first, count, e);
                    for (Index i = 0; i < count; ++i) {
                        const float delta = dot(c_z.row(first + i), z.row(first + i), s.D);
                        const float* const of_row = call.rows + 2 * (head * s.queries + first + i);
                        s.each_block(limit, [&](Index at, Index keys_here) {
                            float* row = p + at * block + i * score_stride;
                            const Index some = std::clamp<Index>(s.seen(first + i) - at / score_stride * keys_block, 0, keys_here);
                            Rows::exponentials(row, some, of_row[0], of_row[1]);
                            std::fill(row + some, row + keys_here, 0.0f);
                            if (values_only) return;
                            float* const of_e = e + at * block + i * score_stride;
                            Rows::weigh(of_e, row, delta, some);
                            std::fill(of_e + some, of_e + keys_here, 0.0f);
                        });
                    }
                    if (!values_only) {
                        std::fill_n(c_q, count * s.wide_D, 0.0f);
                        mix(s, e, spare, key_rows, first, count, c_q);
                        const float factor = static_cast<float>(call.factor_q * call.sizes.scale);
                        for (Index i = 0; i < count; ++i)
                            for (Index d = 0; d < s.D; ++d) call.c_q(first + i, head * s.D + d) = factor * c_q[i * s.wide_D + d];
                        turn(queries, first, count, static_cast<float>(call.sizes.scale), q_turned);
                    }
                    turn(c_z, first, count, 1.0f, c_turned);
                    for (Index column = 0; column < limit; column += wide) {
                        const Index width = std::min(wide, limit - column), skip = std::max<Index>(0, column + 1 - s.seen(first)) / Isa::depth;  // queries before these keys
                        const Index at = column / keys_block * block * score_stride + column % keys_block + skip * Isa::depth * score_stride;
                        const Index rows = count - skip * Isa::depth, depth = ceil_div(rows, Isa::depth);
                        Isa::widen_columns(p + at, score_stride, rows, width, p_panel);
                        tiles(s.D, c_turned + skip, p_panel, sum_v + column, s.padded, depth);
                        if (values_only) continue;
                        Isa::widen_columns(e + at, score_stride, rows, width, e_panel);
                        tiles(s.D, q_turned + skip, e_panel, sum_k + column, s.padded, depth);
                    }
                }
            }
            put_transposed<Isa>(Product{.alpha = call.factor_v}, sum_v, s.padded, call.c_v.columns(kv * s.D, s.D));
            put_transposed<Isa>(Product{.alpha = call.factor_k}, sum_k, s.padded, call.c_k.columns(kv * s.D, s.D));  // q carried the scale
            if (values_only)
                for (Index t = 0; t < s.queries; ++t) std::fill_n(call.c_q.row(t) + kv * members * s.D, members * s.D, 0.0f);
        });
    }

  private:
    using E = typename Isa::element;
    static constexpr Index wide = Isa::Packed::vectors * Isa::lanes;
    static constexpr Index block = 4 * Isa::Packed::rows;                                       // queries worked together
    static constexpr Index keys_block = block_depth * Isa::depth, score_stride = keys_block + 16;  // scores lie in blocks of keys, [blocks][block][score_stride]

    struct Carve {
        std::byte* at;
        template <class N>
        N* take(Index count) {
            static_assert(sizeof(N) == 4);
            return reinterpret_cast<N*>(std::exchange(at, at + count * 4));
        }
    };

    struct Shape {
        Index D, queries, keys, padded, wide_D, blocks;
        Shape(const AttentionSizes& sizes, Index queries_, Index keys_)
            : D(sizes.head_dim), queries(queries_), keys(keys_), padded(round_up(keys_, wide)), wide_D(round_up(sizes.head_dim, wide)), blocks(ceil_div(keys_, keys_block)) {}
        [[nodiscard]] Index columns() const { return padded * ceil_div(D, Isa::depth); }
        [[nodiscard]] Index rows() const { return blocks * block_depth * wide_D; }
        [[nodiscard]] Index scores() const { return blocks * block * score_stride; }
        /// Keys that a query sees: queries are the last ones of the keys' positions.
        [[nodiscard]] Index seen(Index query) const { return query + 1 + keys - queries; }
        /// f(offset of the block in units of rows, keys of the block below `limit`)
        template <class F>
        void each_block(Index limit, const F& f) const {
            for (Index b = 0; b * keys_block < limit; ++b) f(b * score_stride, std::min(keys_block, limit - b * keys_block));
        }
    };

    /// The B of products over the head's width: [panels of `wide` keys][elements of D][wide].
    static void pack_columns(View<const float> x, E* to) {
        for (Index first = 0; first < x.rows; first += wide) pack_transposed<Isa>(x.rows_from(first, std::min(wide, x.rows - first)), wide, to + first * ceil_div(x.cols, Isa::depth));
    }
    /// The B of products over keys: blocks of keys, each [tiles of D][elements of the block][wide].
    static void pack_rows(const Shape& s, View<const float> x, E* to) {
        for (Index b = 0; b < s.blocks; ++b)
            Isa::widen_columns(x.row(b * keys_block), x.stride, std::min(keys_block, s.keys - b * keys_block), s.D, to + b * block_depth * s.wide_D);
    }
    /// Rows as the A of products over their width.
    static void put_rows(View<const float> x, Index first, Index count, float scale, E* to) {
        float row[widest_head];
        for (Index i = 0; i < count; ++i) {
            for (Index d = 0; d < x.cols; ++d) row[d] = scale * x(first + i, d);
            Isa::elements(row, x.cols, to + i * tile_stride);
        }
    }
    /// Columns as the A of products over the rows.
    static void turn(View<const float> x, Index first, Index count, float scale, E* to) {
        constexpr Index lanes = Isa::lanes;
        static_assert(block % lanes == 0);
        alignas(64) float turned[lanes * block];
        for (Index d0 = 0; d0 < x.cols; d0 += lanes) {
            const Index some = std::min(lanes, x.cols - d0);
            for (Index i0 = 0; i0 < count; i0 += lanes) {
                const float* from = x.row(first + i0) + d0;
                if (some == lanes && i0 + lanes <= count) {
                    Isa::Square::turn(from, x.stride, turned + i0, block);
                } else {
                    for (Index i = i0; i < std::min(i0 + lanes, count); ++i)
                        for (Index d = 0; d < some; ++d) turned[d * block + i] = x(first + i, d0 + d);
                }
            }
            for (Index d = 0; d < some; ++d) {
                float* column = turned + d * block;
                for (Index i = 0; i < count; ++i) column[i] *= scale;
                Isa::elements(column, count, to + (d0 + d) * tile_stride);
            }
        }
    }
    static float dot(const float* a, const float* b, Index count) {
        std::array<float, 8> part{};
        Index i = 0;
        for (; i + 8 <= count; i += 8)
            for (Index j = 0; j < 8; ++j) part[static_cast<std::size_t>(j)] += a[i + j] * b[i + j];
        for (; i < count; ++i) part[0] += a[i] * b[i];
        return ((part[0] + part[4]) + (part[1] + part[5])) + ((part[2] + part[6]) + (part[3] + part[7]));
    }

    /// f(first row, rows) for every tile of so many rows.
    template <class F>
    static void each_tile(Index height, const F& f) {
        const TileRows<typename Isa::Packed> cut{height};
        for (Index t = 0; t < cut.tiles; ++t) f(cut.first(t), cut.first(t + 1) - cut.first(t));
    }
    static void one_tile(Index rows, const E* a, const E* b, float* c, Index ldc, Index count) { tile_of<Isa, typename Isa::Packed, 2>(rows, a, TileStride{}, b, c, ldc, count, Ahead{}); }
    /// C [height, wide] += A B
    static void tiles(Index height, const E* a, const E* b, float* c, Index ldc, Index count) {
        each_tile(height, [&](Index row, Index tall) { one_tile(tall, a + row * tile_stride, b, c + row * ldc, ldc, count); });
    }
    /// Rows a times the keys that they see, and some that they do not see.
    static void score(const Shape& s, const E* a, const E* columns, Index first, Index count, float* out) {
        const Index depth = ceil_div(s.D, Isa::depth);
        s.each_block(s.seen(first + count - 1), [&](Index at, Index keys_here) {
            for (Index i = 0; i < count; ++i) std::fill_n(out + at * block + i * score_stride, round_up(keys_here, wide), 0.0f);
        });
        each_tile(count, [&](Index row, Index tall) {
            for (Index column = 0; column < s.seen(first + row + tall - 1); column += wide)
                one_tile(tall, a + row * tile_stride, columns + column * depth, out + (column / keys_block * block + row) * score_stride + column % keys_block, score_stride, depth);
        });
    }
    /// out [count, wide_D] += weights times rows, over the same keys; `spare` is room for a block of weights as elements.
    static void mix(const Shape& s, const float* weights, E* spare, const E* rows, Index first, Index count, float* out) {
        const Index limit = s.seen(first + count - 1);
        for (Index b = 0; b * keys_block < limit; ++b, weights += block * score_stride) {
            const Index packed = ceil_div(std::min(keys_block, s.keys - b * keys_block), Isa::depth), keys_here = std::min(keys_block, limit - b * keys_block);
            const E* left = as_elements(weights, count, keys_here, spare);
            each_tile(count, [&](Index row, Index tall) {
                const Index depth = ceil_div(std::clamp<Index>(s.seen(first + row + tall - 1) - b * keys_block, 0, keys_here), Isa::depth);
                for (Index d = 0; d < s.wide_D; d += wide)
                    one_tile(tall, left + row * tile_stride, rows + b * block_depth * s.wide_D + d * packed, out + row * s.wide_D + d, s.wide_D, depth);
            });
        }
    }
    /// Rows of a block of scores as an A: where they lie, if they are elements.
    static const E* as_elements(const float* scores, Index count, Index width, [[maybe_unused]] E* spare) {
        if constexpr (std::same_as<E, float>) {
            static_assert(score_stride == tile_stride);
            return scores;
        } else {
            for (Index i = 0; i < count; ++i) Isa::elements(scores + i * score_stride, width, spare + i * tile_stride);
            return spare;
        }
    }
};

}  // namespace lrp::detail
