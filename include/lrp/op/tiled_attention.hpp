// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>

#include <lrp/backend/native.hpp>
#include <lrp/op/op.hpp>

namespace lrp {

/// Causal attention Z_h = softmax(s Q_h K_h^T) V_h tile by tile, without the T x T matrices: for where nobody looks at scores or probabilities,
/// on backends with `Native::tiles`, or with an attention of their own. q, z [Q, H*D], k, v [S, K*D]; H / K heads share keys and values; the Q
/// queries are the last of the S positions.
/// Forward keeps m_hi = max_j score_ij and r_hi = 1 / sum_j exp(score_ij - m_i), from which P_ij = r_i exp(score_ij - m_i) is formed again. Backward, with a, b, c the shares
/// of the rules around a plain softmax: c_v = c P^T c_z; with e_ij = P_ij (c_z,i . v_j - c_z,i . z_i): c_q = a s e K, c_k = b s e^T Q.
/// It is no op of its own: rules see MatMul, Softmax and MatMul. Every number is formed by one lane in one order, so results do not depend
/// on the number of lanes. Source of the scheme: Milakov and Gimelshein 2018 (running softmax); Dao et al. 2022, algorithms 1 and 4.
struct TiledAttention {
    template <class T>
    using Params = AttentionSizes;
    /// The parts of the plain derivative that q, k and v get.
    struct Factors {
        double q = 1, k = 1, v = 1;
    };
    template <class T>
    struct Saved {
        Activation<const T> q, k, v, output;
        const T* rows = nullptr;  ///< [H * Q, 2]: m and r
    };

    static constexpr Index tile = 16;

    /// Place number i of a tile of rows of `width`. A tile is small: 32-bit division, as 64-bit division is a call on a card.
    struct Place {
        Index row, col;
        LRP_HD Place(Index i, Index width)
            : row(static_cast<std::uint32_t>(i) / static_cast<std::uint32_t>(width)), col(static_cast<std::uint32_t>(i) % static_cast<std::uint32_t>(width)) {}
    };

    /// One tile of rows of one head in fast memory: `tile` rows of D numbers, one number apart from the next row's, so that lanes that read a
    /// column meet different banks.
    template <class T>
    struct Tile {
        T* data;
        Index width;
        LRP_HD T& operator()(Index row, Index col) const { return data[static_cast<int>(row) * (static_cast<int>(width) + 1) + static_cast<int>(col)]; }
        LRP_HD static Index size(Index width) { return tile * (width + 1); }

        /// The rows [first, first + tile) of a head's columns; rows past the last are 0.
        template <Group G>
        LRP_HD void load(G& group, const View<const T>& from, Index first) const {
            row_each(group, tile * width, [&](Index i) {
                const auto [row, col] = Place(i, width);
                (*this)(row, col) = first + row < from.rows ? from(first + row, col) : T(0);
            });
        }
        template <Group G>
        LRP_HD void clear(G& group) const {
            row_each(group, tile * width, [&](Index i) {
                const auto [row, col] = Place(i, width);
                (*this)(row, col) = T(0);
            });
        }
        LRP_HD static T dot(const Tile& a, Index i, const Tile& b, Index j) {
            T sum = 0;
            for (Index col = 0; col < a.width; ++col) sum += a(i, col) * b(j, col);
            return sum;
        }
    };
    /// Hands out pieces of a group's fast memory.
    template <class T>
    struct Scratch {
        T* next;
        Index width;
        LRP_HD Tile<T> rows() { return {take(Tile<T>::size(width)), width}; }
        LRP_HD Tile<T> square() { return {take(Tile<T>::size(tile)), tile}; }
        LRP_HD T* line() { return take(tile); }
        LRP_HD T* take(Index count) {
            T* piece = next;
            next += count;
            return piece;
        }
        /// Numbers that so many tiles of rows, squares and lines take.
        static Index size(Index width, Index rows, Index squares, Index lines) {
            return rows * Tile<T>::size(width) + squares * Tile<T>::size(tile) + lines * tile;
        }
    };

    template <class T>
    struct ForwardTile {
        Params<T> p;
        T scale;
        View<const T> q, k, v;
        View<T> z;
        T* rows;
        static constexpr T lowest = std::numeric_limits<T>::lowest();
        template <Group G>
        LRP_HD void operator()(G& group, Index index, T* memory) const {
            using std::exp;
            const Index T_ = q.rows, D = p.head_dim, tiles = (T_ + tile - 1) / tile, before = k.rows - T_;
            const Index head = index / tiles, first = index % tiles * tile, shared = head / (p.heads / p.kv_heads);
            Scratch<T> scratch{memory, D};
            const Tile<T> queries = scratch.rows(), keys = scratch.rows(), values = scratch.rows(), sum = scratch.rows(), part = scratch.square();
            T *peak = scratch.line(), *total = scratch.line(), *shrink = scratch.line();
            queries.load(group, q.columns(head * D, D), first);
            sum.clear(group);
            row_each(group, tile, [&](Index i) {
                peak[i] = lowest;
                total[i] = 0;
            });
            for (Index other = 0; other < first + tile + before; other += tile) {
                group.barrier();
                keys.load(group, k.columns(shared * D, D), other);
                values.load(group, v.columns(shared * D, D), other);
                group.barrier();
                row_each(group, tile * tile, [&](Index e) {
                    const Index i = e / tile, j = e % tile;
                    part(i, j) = other + j <= first + i + before ? scale * Tile<T>::dot(queries, i, keys, j) : lowest;
                });
                group.barrier();
                row_each(group, tile, [&](Index i) {
                    T most = peak[i];
                    for (Index j = 0; j < tile; ++j) most = part(i, j) > most ? part(i, j) : most;
                    T added = 0;
                    for (Index j = 0; j < tile; ++j) added += part(i, j) = part(i, j) == lowest ? T(0) : exp(part(i, j) - most);
                    shrink[i] = peak[i] == lowest ? T(0) : exp(peak[i] - most);
                    total[i] = total[i] * shrink[i] + added;
                    peak[i] = most;
                });
                group.barrier();
                row_each(group, tile * D, [&](Index e) {
                    const auto [i, col] = Place(e, D);
                    T value = sum(i, col) * shrink[i];
                    for (Index j = 0; j < tile; ++j) value += part(i, j) * values(j, col);
                    sum(i, col) = value;
                });
            }
            group.barrier();
            row_each(group, tile * D, [&](Index e) {
                const auto [i, col] = Place(e, D);
                if (first + i < T_) z(first + i, head * D + col) = sum(i, col) / total[i];
            });
            row_each(group, tile, [&](Index i) {
                if (first + i >= T_) return;
                T* const row = rows + 2 * (head * T_ + first + i);
                row[0] = peak[i];
                row[1] = 1 / total[i];
            });
        }
        static Index scratch(Index D) { return Scratch<T>::size(D, 4, 1, 3); }
    };

    /// delta_hi = c_z,hi . z_hi
    template <class T>
    struct DeltaRow {
        Params<T> p;
        View<const T> z, c_z;
        T* delta;
        template <Group G>
        LRP_HD void operator()(G& group, Index index) const {
            const Index head = index / z.rows, row = index % z.rows, base = head * p.head_dim;
            const auto dot = row_sum<sum_t<G, T>>(group, p.head_dim, [&](Index col) { return static_cast<sum_t<G, T>>(z(row, base + col)) * c_z(row, base + col); });
            if (group.rank() == 0) delta[index] = static_cast<T>(dot);
        }
    };

    /// What both backward functors read.
    template <class T>
    struct Backward {
        Params<T> p;
        T scale;
        View<const T> q, k, v, c_z;
        const T* rows;
        const T* delta;

        /// P_ij, and e_ij where asked for, of one pair of tiles.
        template <Group G>
        LRP_HD void pair(G& group, Index head, Index first, Index other, const Tile<T>& queries, const Tile<T>& gradients, const Tile<T>& keys,
                         const Tile<T>& values, const Tile<T>& probs, const Tile<T>& e) const {
            using std::exp;
            row_each(group, tile * tile, [&](Index index) {
                const Index i = index / tile, j = index % tile, row = first + i;
                const bool seen = row < q.rows && other + j <= row + k.rows - q.rows;
                const T* const of_row = rows + 2 * (head * q.rows + row);
                const T prob = seen ? exp(scale * Tile<T>::dot(queries, i, keys, j) - of_row[0]) * of_row[1] : T(0);
                probs(i, j) = prob;
                e(i, j) = seen ? prob * (Tile<T>::dot(gradients, i, values, j) - delta[head * q.rows + row]) : T(0);
            });
        }
    };

    /// c_q of one tile of queries of one head.
    template <class T>
    struct QueryTile {
        Backward<T> b;
        T factor;
        View<T> c_q;
        template <Group G>
        LRP_HD void operator()(G& group, Index index, T* memory) const {
            const Index T_ = b.q.rows, D = b.p.head_dim, tiles = (T_ + tile - 1) / tile;
            const Index head = index / tiles, first = index % tiles * tile, shared = head / (b.p.heads / b.p.kv_heads);
            Scratch<T> scratch{memory, D};
            const Tile<T> queries = scratch.rows(), gradients = scratch.rows(), keys = scratch.rows(), values = scratch.rows(), sum = scratch.rows();
            const Tile<T> probs = scratch.square(), e = scratch.square();
            queries.load(group, b.q.columns(head * D, D), first);
            gradients.load(group, b.c_z.columns(head * D, D), first);
            sum.clear(group);
            for (Index other = 0; other < first + tile + b.k.rows - T_; other += tile) {
                group.barrier();
                keys.load(group, b.k.columns(shared * D, D), other);
                values.load(group, b.v.columns(shared * D, D), other);
                group.barrier();
                b.pair(group, head, first, other, queries, gradients, keys, values, probs, e);
                group.barrier();
                row_each(group, tile * D, [&](Index i) {
                    const auto [row, col] = Place(i, D);
                    T value = sum(row, col);
                    for (Index j = 0; j < tile; ++j) value += e(row, j) * keys(j, col);
                    sum(row, col) = value;
                });
            }
            group.barrier();
            row_each(group, tile * D, [&](Index i) {
                const auto [row, col] = Place(i, D);
                if (first + row < T_) c_q(first + row, head * D + col) = factor * sum(row, col);
            });
        }
        static Index scratch(Index D) { return Scratch<T>::size(D, 5, 2, 0); }
    };

    /// c_k and c_v of one tile of keys: the sum over the heads that share them, in order.
    template <class T>
    struct KeyTile {
        Backward<T> b;
        T factor_k, factor_v;
        View<T> c_k, c_v;
        template <Group G>
        LRP_HD void operator()(G& group, Index index, T* memory) const {
            const Index T_ = b.k.rows, D = b.p.head_dim, tiles = (T_ + tile - 1) / tile, members = b.p.heads / b.p.kv_heads;
            const Index shared = index / tiles, first = index % tiles * tile;
            const Index before = T_ - b.q.rows, earliest = first > before ? first - before : 0;  // the first query that sees these keys
            Scratch<T> scratch{memory, D};
            const Tile<T> queries = scratch.rows(), gradients = scratch.rows(), keys = scratch.rows(), values = scratch.rows();
            const Tile<T> sum_k = scratch.rows(), sum_v = scratch.rows(), probs = scratch.square(), e = scratch.square();
            keys.load(group, b.k.columns(shared * D, D), first);
            values.load(group, b.v.columns(shared * D, D), first);
            sum_k.clear(group);
            sum_v.clear(group);
            for (Index head = shared * members; head < (shared + 1) * members; ++head) {
                for (Index other = earliest / tile * tile; other < b.q.rows; other += tile) {
                    group.barrier();
                    queries.load(group, b.q.columns(head * D, D), other);
                    gradients.load(group, b.c_z.columns(head * D, D), other);
                    group.barrier();
                    b.pair(group, head, other, first, queries, gradients, keys, values, probs, e);
                    group.barrier();
                    row_each(group, tile * D, [&](Index i) {
                        const auto [row, col] = Place(i, D);
                        T for_k = sum_k(row, col), for_v = sum_v(row, col);
                        for (Index j = 0; j < tile; ++j) {
                            for_k += e(j, row) * queries(j, col);
                            for_v += probs(j, row) * gradients(j, col);
                        }
                        sum_k(row, col) = for_k;
                        sum_v(row, col) = for_v;
                    });
                }
            }
            group.barrier();
            row_each(group, tile * D, [&](Index i) {
                const auto [row, col] = Place(i, D);
                if (first + row >= T_) return;
                c_k(first + row, shared * D + col) = factor_k * sum_k(row, col);
                c_v(first + row, shared * D + col) = factor_v * sum_v(row, col);
            });
        }
        static Index scratch(Index D) { return Scratch<T>::size(D, 6, 2, 0); }
    };

    /// Whether a backend can, for heads of this width.
    template <class B>
    static bool available([[maybe_unused]] Index head_dim) {
        if constexpr (is_native<B>(Native::attention)) {
            return head_dim <= B::widest_head;
        } else if constexpr (is_native<B>(Native::tiles) && requires { B::tile_bytes; }) {
            return KeyTile<typename B::scalar>::scratch(head_dim) * Index{sizeof(typename B::scalar)} <= B::tile_bytes;  // none needs more
        } else {
            return is_native<B>(Native::tiles);
        }
    }

    /// z [Q, H*D] and rows [H * Q, 2].
    template <Context C, class T = typename C::scalar>
        requires(is_native<typename C::backend>(Native::tiles) || is_native<typename C::backend>(Native::attention))
    static void forward(C& ctx, const Params<T>& p, ActivationIn<C> q, ActivationIn<C> k, ActivationIn<C> v, ActivationOut<C> z, T* rows) {
        using B = typename C::backend;
        check<typename C::backend>(p, q, k, v);
        require_shape(z, q.rows, q.cols, "TiledAttention: output");
        if constexpr (is_native<B>(Native::attention)) {
            B::attention_forward(ctx, AttentionForward<T>{p, q, k, v, z, rows});
        } else {
            B::for_each_tile(ctx, p.heads * tiles(q.rows), ForwardTile<T>::scratch(p.head_dim), ForwardTile<T>{p, static_cast<T>(p.scale), q, k, v, z, rows});
        }
    }

    template <Context C, class T = typename C::scalar>
        requires(is_native<typename C::backend>(Native::tiles) || is_native<typename C::backend>(Native::attention))
    static void vjp(C& ctx, const Params<T>& p, const Saved<T>& s, const Factors& f, CoefficientIn<C> c_z, CoefficientOut<C> c_q, CoefficientOut<C> c_k,
                    CoefficientOut<C> c_v) {
        using B = typename C::backend;
        check<typename C::backend>(p, s.q, s.k, s.v);
        require_shape(c_z, s.q.rows, s.q.cols, "TiledAttention: coefficient of the output");
        require_shape(c_q, s.q.rows, s.q.cols, "TiledAttention: coefficient of q");
        require_shape(c_k, s.k.rows, s.k.cols, "TiledAttention: coefficient of k");
        require_shape(c_v, s.k.rows, s.k.cols, "TiledAttention: coefficient of v");
        if constexpr (is_native<B>(Native::attention)) {
            B::attention_backward(ctx, AttentionBackward<T>{p, s.q, s.k, s.v, s.output, s.rows, c_z, f.q, f.k, f.v, c_q, c_k, c_v});
        } else {
            Tensor<B> delta(ctx, p.heads, s.q.rows);
            B::for_each_row(ctx, p.heads * s.q.rows, p.head_dim, DeltaRow<T>{p, s.output, c_z, delta.view().data});
            const Backward<T> both{p, static_cast<T>(p.scale), s.q, s.k, s.v, c_z, s.rows, delta.view().data};
            if (f.q != 0) {
                B::for_each_tile(ctx, p.heads * tiles(s.q.rows), QueryTile<T>::scratch(p.head_dim), QueryTile<T>{both, static_cast<T>(f.q * p.scale), c_q});
            } else {
                B::fill(ctx, c_q, T(0));
            }
            B::for_each_tile(ctx, p.kv_heads * tiles(s.k.rows), KeyTile<T>::scratch(p.head_dim),
                             KeyTile<T>{both, static_cast<T>(f.k * p.scale), static_cast<T>(f.v), c_k, c_v});
        }
    }

  private:
    static Index tiles(Index tokens) { return (tokens + tile - 1) / tile; }
    template <class B, class T>
    static void check(const Params<T>& p, View<const T> q, View<const T> k, View<const T> v) {
        require(p.kv_heads > 0 && p.heads % p.kv_heads == 0 && q.cols == p.heads * p.head_dim, "TiledAttention: ", p.heads, " heads of ", p.head_dim, " over ",
                p.kv_heads, " do not fit queries [", q.rows, ", ", q.cols, "]");
        require(available<B>(p.head_dim), "TiledAttention: heads of ", p.head_dim, " are wider than this backend's tiles take");
        require(k.rows >= q.rows, "TiledAttention: expected keys for all ", q.rows, " queries, found ", k.rows);
        require_shape(k, k.rows, p.kv_heads * p.head_dim, "TiledAttention: keys");
        require_shape(v, k.rows, p.kv_heads * p.head_dim, "TiledAttention: values");
    }
};

}  // namespace lrp
