// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The activations of a matrix product as tiles of bf16 terms: split once, read by every panel of the product.
#pragma once

#include <algorithm>
#include <cstdint>

#include <lrp/core/tensor.hpp>
#include <lrp/eigen/product/scratch.hpp>
#include <lrp/eigen/product/tiles.hpp>

namespace lrp::detail {

/// What a product does with the row-major weights W [N, K]: y = x W^T, or g = c W.
enum class Direction { forward, backward };

inline constexpr Index tile_rows = 16;
inline constexpr Index tile_depth = 32;  // bf16 of a tile's row: what one tile product sums over
inline constexpr Index tile_bytes = 1024;
inline constexpr Index tile_numbers = 512;  // bf16 of a tile

/// Blocks of 16 tokens: the unit in which packing may be shared among threads.
constexpr Index amx_token_blocks(Index tokens) { return ceil_div(tokens, tile_rows); }

/// Size of the packed activations of `tokens` rows of `depth` numbers (K forward, N backward), as 1 or 3 terms.
constexpr std::size_t amx_packed_bytes(Index tokens, Index depth, int terms) {
    return static_cast<std::size_t>(amx_token_blocks(tokens) * ceil_div(depth, tile_depth) * terms * tile_bytes);
}

/// Writes 32 numbers as `Terms` rows of bf16, the rows `term_step` elements apart. One term: the nearest bf16. Three: the upper eight bits
/// of the significand, the next eight, the last eight; their sum is the number, exactly, as long as the last bit is no denormal
/// (|x| >= 2^-103). What is not finite stays so in the first term and adds nothing in the others.
template <int Terms>
[[gnu::always_inline]] inline void split_row(const float* in, bf16* out, Index term_step) {
    for (Index i = 0; i < tile_depth; ++i) {
        const auto bits = __builtin_bit_cast(std::uint32_t, in[i]);
        const bf16 nearest(in[i]);
        if constexpr (Terms == 1) {
            out[i].bits = nearest.bits;
        } else {
            const bool finite = (bits & 0x7f800000u) != 0x7f800000u;
            const std::uint32_t high = bits & 0xffff0000u;
            const float rest = finite ? in[i] - __builtin_bit_cast(float, high) : 0.0f;
            const std::uint32_t middle = __builtin_bit_cast(std::uint32_t, rest) & 0xffff0000u;
            const float last = rest - __builtin_bit_cast(float, middle);
            out[i].bits = finite ? static_cast<std::uint16_t>(high >> 16) : nearest.bits;
            out[term_step + i].bits = static_cast<std::uint16_t>(middle >> 16);
            out[2 * term_step + i].bits = static_cast<std::uint16_t>(__builtin_bit_cast(std::uint32_t, last) >> 16);
        }
    }
}

/// Tiles [block][step][term]: 16 tokens, 32 numbers of their depth. Forward a tile holds rows of pairs [16 pairs][16 tokens][2], as the
/// right operand of a tile product lies; backward it holds [16 tokens][32 numbers]. Missing tokens and numbers are zero.
template <class Tiles, Direction D, int Terms>
struct PackWork {
    [[gnu::always_inline]] static inline void run(const View<const float>* x, Index first, Index last, bf16* packed) {
        alignas(64) bf16 rows[3 * tile_numbers];
        const Index steps = ceil_div(x->cols, tile_depth);
        for (Index block = first; block < last; ++block) {
            const Index tokens = std::min(tile_rows, x->rows - block * tile_rows);
            for (Index step = 0; step < steps; ++step) {
                bf16* to = packed + (block * steps + step) * Terms * tile_numbers;
                bf16* split = D == Direction::forward ? rows : to;
                const Index count = std::min(tile_depth, x->cols - step * tile_depth);
                for (Index token = 0; token < tile_rows; ++token) {
                    const float* from = token < tokens ? x->row(block * tile_rows + token) + step * tile_depth : nullptr;
                    if (from != nullptr && count == tile_depth) {
                        split_row<Terms>(from, split + token * tile_depth, tile_numbers);
                    } else {
                        float padded[tile_depth] = {};
                        if (from != nullptr) std::copy_n(from, count, padded);
                        split_row<Terms>(padded, split + token * tile_depth, tile_numbers);
                    }
                }
                if constexpr (D == Direction::forward)
                    for (Index term = 0; term < Terms; ++term) Tiles::transpose(rows + term * tile_numbers, to + term * tile_numbers);
            }
        }
    }
};

/// Packs the token blocks [first_block, last_block) of the activations x (f32, [T, K] forward, [T, N] backward) into `packed`, which is
/// aligned to 64 bytes and of amx_packed_bytes(...). Blocks are independent of each other.
/// Errors: UsageError if `terms` is neither 1 nor 3.
template <class Tiles>
void amx_pack(Direction direction, View<const float> x, int terms, Index first_block, Index last_block, bf16* packed) {
    if (terms != 1 && terms != 3) fail<UsageError>("a tile product takes 1 or 3 terms, not ", terms);
    const auto pack = [&]<Direction D, int Terms>() { Tiles::template call<PackWork<Tiles, D, Terms>>(&x, first_block, last_block, packed); };
    if (direction == Direction::forward) {
        terms == 1 ? pack.template operator()<Direction::forward, 1>() : pack.template operator()<Direction::forward, 3>();
    } else {
        terms == 1 ? pack.template operator()<Direction::backward, 1>() : pack.template operator()<Direction::backward, 3>();
    }
}

}  // namespace lrp::detail
