// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Squares of 32-bit numbers (floats, or pairs of bf16) turned round: rows become columns. Products do so with what they pack and with what they
// give back. log2(rows) rounds of riffling the upper half of the rows into the lower turn a square.
#pragma once

#include <cstdint>
#include <cstring>
#include <utility>

#include <lrp/core/tensor.hpp>

namespace lrp::detail {

/// to[j * to_stride + i] <- from[i * stride + j] for i, j < rows; strides in numbers. Plain loops: any machine.
template <Index Rows>
struct PlainSquare {
    static constexpr Index rows = Rows;
    static void turn(const void* from, Index stride, void* to, Index to_stride) {
        for (Index i = 0; i < rows; ++i)
            for (Index j = 0; j < rows; ++j)
                std::memcpy(static_cast<char*>(to) + (j * to_stride + i) * 4, static_cast<const char*>(from) + (i * stride + j) * 4, 4);
    }
};

#if defined(__x86_64__)

/// Eight rows in 256-bit vectors.
struct SquareAvx2 {
    static constexpr Index rows = 8;
    using Row = std::uint32_t __attribute__((vector_size(32)));

    [[gnu::target("avx2")]] static void turn(const void* from, Index stride, void* to, Index to_stride) {
        Row a[rows], b[rows];
        for (Index i = 0; i < rows; ++i) std::memcpy(&a[i], static_cast<const char*>(from) + i * stride * 4, sizeof(Row));
        constexpr auto half = std::make_index_sequence<4>();
        riffle(a, b, half);
        riffle(b, a, half);
        riffle(a, b, half);
        for (Index i = 0; i < rows; ++i) std::memcpy(static_cast<char*>(to) + i * to_stride * 4, &b[i], sizeof(Row));
    }

  private:
    template <std::size_t... I>
    [[gnu::target("avx2"), gnu::always_inline]] static inline void riffle(const Row* in, Row* out, std::index_sequence<I...>) {
        ((out[2 * I] = __builtin_shufflevector(in[I], in[I + 4], 0, 8, 1, 9, 2, 10, 3, 11), out[2 * I + 1] = __builtin_shufflevector(in[I], in[I + 4], 4, 12, 5, 13, 6, 14, 7, 15)), ...);
    }
};

/// Sixteen rows in 512-bit vectors.
struct SquareAvx512 {
    static constexpr Index rows = 16;
    using Row = std::uint32_t __attribute__((vector_size(64)));

    /// In registers.
    [[gnu::target("avx512f"), gnu::always_inline]] static inline void turn(Row (&a)[rows]) {
        Row b[rows];
        constexpr auto half = std::make_index_sequence<8>();
        riffle(a, b, half);
        riffle(b, a, half);
        riffle(a, b, half);
        riffle(b, a, half);
    }
    [[gnu::target("avx512f"), gnu::always_inline]] static inline void put(const Row (&a)[rows], void* to, Index to_stride) {
        for (Index i = 0; i < rows; ++i) std::memcpy(static_cast<char*>(to) + i * to_stride * 4, &a[i], sizeof(Row));
    }
    [[gnu::target("avx512f")]] static void turn(const void* from, Index stride, void* to, Index to_stride) {
        Row a[rows];
        for (Index i = 0; i < rows; ++i) std::memcpy(&a[i], static_cast<const char*>(from) + i * stride * 4, sizeof(Row));
        turn(a);
        put(a, to, to_stride);
    }

  private:
    template <std::size_t... I>
    [[gnu::target("avx512f"), gnu::always_inline]] static inline void riffle(const Row* in, Row* out, std::index_sequence<I...>) {
        ((out[2 * I] = __builtin_shufflevector(in[I], in[I + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23),
          out[2 * I + 1] = __builtin_shufflevector(in[I], in[I + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)),
         ...);
    }
};

#endif

}  // namespace lrp::detail
