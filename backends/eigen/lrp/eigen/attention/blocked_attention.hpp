// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Causal attention on the tiles of the products: a block of queries of one head at a time against all keys it sees, so that no T x T matrix
// exists. The softmax is that of whole rows; the backward pass forms them again from what the forward pass kept, log sum_j exp(s_ij).
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
        float* keys = scratch.shared<float>(call.sizes.kv_heads * (s.columns() + s.rows()));
        float* values = keys + call.sizes.kv_heads * s.columns();
        pool.parallel_for(call.sizes.kv_heads, [&](Index kv) {
            pack_columns(s, call.k.columns(kv * s.D, s.D), keys + kv * s.columns());
            pack_rows(s, call.v.columns(kv * s.D, s.D), values + kv * s.rows());
        });
        const Index blocks = ceil_div(s.queries, block);
        pool.parallel_for(call.sizes.heads * blocks, [&](Index task, unsigned worker) {
            const Index head = task % call.sizes.heads, first = (blocks - 1 - task / call.sizes.heads) * block;  // the longest first
            const Index count = std::min(block, s.queries - first), kv = head / (call.sizes.heads / call.sizes.kv_heads);
            float* a = scratch.own<float>(worker, block * (tile_stride + s.wide_D) + s.scores());
            float *z = a + block * tile_stride, *scores = z + block * s.wide_D;
            put_rows(call.q.columns(head * s.D, s.D), first, count, static_cast<float>(call.sizes.scale), a);
            score(s, a, keys + kv * s.columns(), first, count, scores);
            std::fill_n(z, count * s.wide_D, 0.0f);
            float total[block];
            for (Index i = 0; i < count; ++i) {
                const Index seen = s.seen(first + i);
                float peak = -INFINITY;
                s.each_block(seen, [&](Index at, Index keys_here) { peak = std::max(peak, Rows::peak(scores + at * block + i * tile_stride, keys_here)); });
                total[i] = 0;
                s.each_block(s.seen(first + count - 1), [&](Index at, Index keys_here) {
                    float* row = scores + at * block + i * tile_stride;
                    const Index some = std::clamp<Index>(seen - at / tile_stride * block_depth, 0, keys_here);
                    total[i] += Rows::exponentials(row, some, peak);
                    std::fill(row + some, row + keys_here, 0.0f);
                });
                call.log_sum[head * s.queries + first + i] = peak + std::log(total[i]);
            }
            mix(s, scores, values + kv * s.rows(), first, count, z);
            for (Index i = 0; i < count; ++i)
                for (Index d = 0; d < s.D; ++d) call.z(first + i, head * s.D + d) = z[i * s.wide_D + d] / total[i];
        });
    }

    static void backward(ThreadPool& pool, ProductScratch& scratch, const AttentionBackward<float>& call) {
        const Shape s(call.sizes, call.q.rows, call.k.rows);
        const bool values_only = call.factor_q == 0 && call.factor_k == 0;
        const Index members = call.sizes.heads / call.sizes.kv_heads;
        const Index tall = round_up(s.D, Isa::rows);
        pool.parallel_for(call.sizes.kv_heads, [&](Index kv, unsigned worker) {
            Carve memory{scratch.own<float>(worker, 2 * s.columns() + s.rows() + 2 * tall * s.padded + 2 * s.scores() + 2 * block * tile_stride + 2 * tall * tile_stride +
                                                         block * s.wide_D + 2 * block * wide)};
            float *keys = memory.take(s.columns()), *values = memory.take(s.columns()), *key_rows = memory.take(s.rows());
            float *sum_k = memory.take(tall * s.padded), *sum_v = memory.take(tall * s.padded), *p = memory.take(s.scores()), *e = memory.take(s.scores());
            float *q = memory.take(block * tile_stride), *c = memory.take(block * tile_stride);
            float *q_turned = memory.take(tall * tile_stride), *c_turned = memory.take(tall * tile_stride), *c_q = memory.take(block * s.wide_D);
            float *p_panel = memory.take(block * wide), *e_panel = memory.take(block * wide);
            pack_columns(s, call.k.columns(kv * s.D, s.D), keys);
            if (!values_only) {
                pack_columns(s, call.v.columns(kv * s.D, s.D), values);
                pack_rows(s, call.k.columns(kv * s.D, s.D), key_rows);
            }
            std::fill_n(sum_k, 2 * tall * s.padded, 0.0f);  // and sum_v behind it
            for (Index head = kv * members; head < (kv + 1) * members; ++head) {
                const View<const float> z = call.z.columns(head * s.D, s.D), c_z = call.c_z.columns(head * s.D, s.D);
                for (Index first = 0; first < s.queries; first += block) {
                    const Index count = std::min(block, s.queries - first), limit = s.seen(first + count - 1);
                    put_rows(call.q.columns(head * s.D, s.D), first, count, static_cast<float>(call.sizes.scale), q);
                    put_rows(c_z, first, count, 1.0f, c);
                    score(s, q, keys, first, count, p);
                    if (!values_only) score(s, c, values, first, count, e);
                    for (Index i = 0; i < count; ++i) {
                        float delta = 0;
                        for (Index d = 0; d < s.D; ++d) delta += c_z(first + i, d) * z(first + i, d);
                        const float log_sum = call.log_sum[head * s.queries + first + i];
                        s.each_block(limit, [&](Index at, Index keys_here) {
                            float* row = p + at * block + i * tile_stride;
                            const Index some = std::clamp<Index>(s.seen(first + i) - at / tile_stride * block_depth, 0, keys_here);
                            Rows::exponentials(row, some, log_sum);
                            std::fill(row + some, row + keys_here, 0.0f);
                            if (!values_only) Rows::weigh(e + at * block + i * tile_stride, row, delta, keys_here);
                        });
                    }
                    if (!values_only) {
                        std::fill_n(c_q, count * s.wide_D, 0.0f);
                        mix(s, e, key_rows, first, count, c_q);
                        const float factor = static_cast<float>(call.factor_q * call.sizes.scale);
                        for (Index i = 0; i < count; ++i)
                            for (Index d = 0; d < s.D; ++d) call.c_q(first + i, head * s.D + d) = factor * c_q[i * s.wide_D + d];
                        turn(q, count, s.D, q_turned);
                    }
                    turn(c, count, s.D, c_turned);
                    for (Index column = 0; column < limit; column += wide) {
                        const Index at = column / block_depth * block * tile_stride + column % block_depth;
                        take_panel(p + at, count, std::min(wide, limit - column), p_panel);
                        tiles(s.D, c_turned, p_panel, sum_v + column, s.padded, count);
                        if (values_only) continue;
                        take_panel(e + at, count, std::min(wide, limit - column), e_panel);
                        tiles(s.D, q_turned, e_panel, sum_k + column, s.padded, count);
                    }
                }
            }
            for (Index t = 0; t < s.keys; ++t)
                for (Index d = 0; d < s.D; ++d) {
                    call.c_v(t, kv * s.D + d) = static_cast<float>(call.factor_v) * sum_v[d * s.padded + t];
                    call.c_k(t, kv * s.D + d) = static_cast<float>(call.factor_k) * sum_k[d * s.padded + t];  // q carried the scale
                }
            if (values_only)
                for (Index t = 0; t < s.queries; ++t) std::fill_n(call.c_q.row(t) + kv * members * s.D, members * s.D, 0.0f);
        });
    }

  private:
    static constexpr Index wide = 2 * Isa::lanes;
    static constexpr Index block = 4 * Isa::rows;  // queries worked together

    struct Carve {
        float* at;
        float* take(Index count) { return std::exchange(at, at + count); }
    };

    struct Shape {
        Index D, queries, keys, padded, wide_D, blocks;
        Shape(const AttentionSizes& sizes, Index queries_, Index keys_)
            : D(sizes.head_dim), queries(queries_), keys(keys_), padded(round_up(keys_, wide)), wide_D(round_up(sizes.head_dim, wide)), blocks(ceil_div(keys_, block_depth)) {}
        [[nodiscard]] Index columns() const { return padded * D; }
        [[nodiscard]] Index rows() const { return blocks * block_depth * wide_D; }
        [[nodiscard]] Index scores() const { return blocks * block * tile_stride; }
        /// Keys that a query sees: queries are the last ones of the keys' positions.
        [[nodiscard]] Index seen(Index query) const { return query + 1 + keys - queries; }
        /// f(offset of the block in units of rows, keys of the block below `limit`)
        template <class F>
        void each_block(Index limit, const F& f) const {
            for (Index b = 0; b * block_depth < limit; ++b) f(b * tile_stride, std::min(block_depth, limit - b * block_depth));
        }
    };

    /// The B of products over the head's width: [panels of `wide` keys][D][wide].
    static void pack_columns(const Shape& s, View<const float> x, float* to) {
        for (Index column = 0; column < s.padded; column += wide)
            for (Index t = 0; t < wide; ++t)
                for (Index d = 0; d < s.D; ++d) to[column * s.D + d * wide + t] = column + t < s.keys ? x(column + t, d) : 0.0f;
    }
    /// The B of products over keys: blocks of keys, each [tiles of D][keys of the block][wide].
    static void pack_rows(const Shape& s, View<const float> x, float* to) {
        for (Index b = 0; b < s.blocks; ++b)
            Isa::widen_columns(x.row(b * block_depth), x.stride, std::min(block_depth, s.keys - b * block_depth), s.D, to + b * block_depth * s.wide_D);
    }
    static void put_rows(View<const float> x, Index first, Index count, float scale, float* to) {
        for (Index i = 0; i < count; ++i)
            for (Index d = 0; d < x.cols; ++d) to[i * tile_stride + d] = scale * x(first + i, d);
    }
    /// [count][tile_stride] -> [D][tile_stride]
    static void turn(const float* from, Index count, Index D, float* to) {
        for (Index i = 0; i < count; ++i)
            for (Index d = 0; d < D; ++d) to[d * tile_stride + i] = from[i * tile_stride + d];
    }
    static void take_panel(const float* from, Index count, Index width, float* to) {
        for (Index i = 0; i < count; ++i) {
            std::copy_n(from + i * tile_stride, width, to + i * wide);
            std::fill(to + i * wide + width, to + (i + 1) * wide, 0.0f);
        }
    }

    /// C [height, wide] += A B, in tiles of rows.
    static void tiles(Index height, const float* a, const float* b, float* c, Index ldc, Index count) {
        const TileRows<Isa> cut{height};
        for (Index t = 0; t < cut.tiles; ++t) tile<Isa, 2>(cut.first(t + 1) - cut.first(t), a + cut.first(t) * tile_stride, b, c + cut.first(t) * ldc, ldc, count, Ahead{});
    }
    /// Rows a times all keys that the last of them sees.
    static void score(const Shape& s, const float* a, const float* columns, Index first, Index count, float* out) {
        const Index limit = s.seen(first + count - 1);
        std::fill_n(out, ceil_div(limit, block_depth) * block * tile_stride, 0.0f);
        for (Index column = 0; column < limit; column += wide)
            tiles(count, a, columns + column * s.D, out + column / block_depth * block * tile_stride + column % block_depth, tile_stride, s.D);
    }
    /// out [count, wide_D] += weights times rows, over the same keys.
    static void mix(const Shape& s, const float* weights, const float* rows, Index first, Index count, float* out) {
        for (Index b = 0; b * block_depth < s.seen(first + count - 1); ++b) {
            const Index packed = std::min(block_depth, s.keys - b * block_depth), keys_here = std::min(block_depth, s.seen(first + count - 1) - b * block_depth);
            for (Index d = 0; d < s.wide_D; d += wide)
                tiles(count, weights + b * block * tile_stride, rows + b * block_depth * s.wide_D + d * packed, out + d, s.wide_D, keys_here);
        }
    }
};

}  // namespace lrp::detail
