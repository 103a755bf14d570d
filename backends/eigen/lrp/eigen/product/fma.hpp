// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The inner loops of blocked products, once per instruction set: a tile of C gains A B, where A's rows lie `a_stride` elements apart and B is
// packed [depth][NV vectors]. Each element of C sums in the order of the depth, so that every instruction set of one element type gives the
// same bits, and so does every way of cutting a product into tiles.
//
// An instruction set is a struct with `element` (what A and B hold), `depth` (terms of the sum in one element), `lanes`, `Square` (product/square.hpp,
// of `lanes` rows), the largest tiles of products forward and of all others (`Forward<W>`, `Packed`: rows, vectors), `forward_depth` (elements of a block
// forward; elsewhere block_depth), and static functions
//   micro<MR, NV>(a, a_stride, b, c, ldc, count, ahead)   C [MR, NV * lanes] += A [MR, count] B [count, NV * lanes]
//   may_be_ready<W>, ready(w)                   whether rows of weights are elements as they lie
//   elements(x, count, to)                      to <- `count` floats as elements, padded with 0 to a whole one
//   turn(x, stride, to, to_stride)              to [lanes][lanes] <- floats [lanes rows, lanes * depth] as elements, rows and columns exchanged
//   widen_rows(w, stride, rows, count, to, apart)   to [rows], each `apart` elements behind the last <- weights [rows, count] as elements, padded with 0
//   widen_columns(w, stride, count, width, to)  to [tiles][elements of count][2 * lanes] <- weights, or floats, [count, width], padded with 0
// and, where it can write past the caches (`Streams`),
//   stream(alpha, x, count, to)                 to <- alpha x, whole cache lines
//   settle()                                    what this thread streamed is there for others
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include <lrp/core/scalar.hpp>
#include <lrp/core/tensor.hpp>
#include <lrp/eigen/product/cpu.hpp>
#include <lrp/eigen/product/square.hpp>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace lrp::detail {

/// Depth of a block: terms of the sum that are added up before they meet what other blocks gave.
inline constexpr Index block_depth = 256;
/// Elements from one row of a packed A to the next: the odd cache line keeps rows out of each other's cache sets.
inline constexpr Index tile_stride = block_depth + 16;
using TileStride = std::integral_constant<Index, tile_stride>;

/// The most rows and vectors of a tile.
template <int Rows, int Vectors>
struct TileSize {
    static constexpr int rows = Rows, vectors = Vectors;
};

/// Terms after which a tile's loop fetches something ahead.
inline constexpr Index ahead_chunk = 16;

/// Memory that the next block will need, asked for while this one is worked: `count` places `stride` bytes apart, all of them moved on by `step`
/// from chunk to chunk. Asking never fails, wherever it points.
struct Ahead {
    static constexpr Index line = 64;  ///< bytes that come at once
    const char* place = nullptr;
    Index stride = 0, step = 0, count = 0;
    [[gnu::always_inline]] void fetch() {
        for (Index i = 0; i < count; ++i) __builtin_prefetch(place + i * stride, 0, 2);
        place += step;
    }
};

/// Elements that are the floats themselves.
template <class S>
struct FloatElements {
    using element = float;
    using Square = S;
    static constexpr Index depth = 1, lanes = S::rows, forward_depth = block_depth;
    template <class W>
    static constexpr bool may_be_ready = std::same_as<W, float>;
    template <class W>
    static constexpr bool ready(const View<const W>&) {
        return may_be_ready<W>;
    }
    static void elements(const float* x, Index count, float* to) { std::copy_n(x, count, to); }
    static void turn(const float* x, Index stride, float* to, Index to_stride) { Square::turn(x, stride, to, to_stride); }
};

/// float elements, plain loops: any machine.
struct FmaPlain : FloatElements<PlainSquare<8>> {
    template <class W>
    using Forward = TileSize<4, 2>;
    using Packed = TileSize<4, 2>;

    template <int MR, int NV, class Stride>
    static void micro(const float* a, Stride a_stride, const float* b, float* c, Index ldc, Index count, Ahead) {
        constexpr Index width = NV * lanes;
        float sum[MR][width] = {};
        for (Index k = 0; k < count; ++k)
            for (int i = 0; i < MR; ++i)
                for (Index j = 0; j < width; ++j) sum[i][j] += a[i * a_stride + k] * b[k * width + j];
        for (int i = 0; i < MR; ++i)
            for (Index j = 0; j < width; ++j) c[i * ldc + j] += sum[i][j];
    }
    template <class W>
    static void widen_rows(const W* w, Index stride, Index rows, Index count, float* to, Index to_stride) {
        for (Index i = 0; i < rows; ++i)
            for (Index k = 0; k < count; ++k) to[i * to_stride + k] = lrp::widen<float>(w[i * stride + k]);
    }
    template <class W>
    static void widen_columns(const W* w, Index stride, Index count, Index width, float* to) {
        for (Index first = 0; first < width; first += 2 * lanes, to += count * 2 * lanes)
            for (Index k = 0; k < count; ++k)
                for (Index j = 0; j < 2 * lanes; ++j) to[k * 2 * lanes + j] = first + j < width ? lrp::widen<float>(w[k * stride + first + j]) : 0.0f;
    }
};

#if defined(__x86_64__)

/// float elements, 256-bit fused multiply-add.
struct FmaAvx2 : FloatElements<SquareAvx2> {
    template <class W>
    using Forward = TileSize<6, 2>;  // 12 sums, 2 vectors of B and one of A in 16 registers
    using Packed = TileSize<6, 2>;

    template <int MR, int NV, class Stride>
    [[gnu::target("avx2,fma")]] static void micro(const float* a, Stride a_stride, const float* b, float* c, Index ldc, Index count, Ahead ahead) {
        __m256 sum[MR][NV];
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 16
            for (int j = 0; j < NV; ++j) sum[i][j] = _mm256_setzero_ps();
        for (Index chunk = 0; chunk < count; chunk += ahead_chunk) {
            ahead.fetch();
            const Index end = std::min(count, chunk + ahead_chunk);
            for (Index k = chunk; k < end; ++k) {
                __m256 right[NV];
#pragma GCC unroll 16
                for (int j = 0; j < NV; ++j) right[j] = _mm256_load_ps(b + (k * NV + j) * lanes);
#pragma GCC unroll 16
                for (int i = 0; i < MR; ++i) {
                    const __m256 left = _mm256_broadcast_ss(a + i * a_stride + k);
#pragma GCC unroll 16
                    for (int j = 0; j < NV; ++j) sum[i][j] = _mm256_fmadd_ps(left, right[j], sum[i][j]);
                }
            }
        }
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 16
            for (int j = 0; j < NV; ++j) {
                float* to = c + i * ldc + j * lanes;
                _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), sum[i][j]));
            }
    }

    [[gnu::target("avx2,fma")]] static __m256 load(const bf16* from) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))), 16)); }
    [[gnu::target("avx2,fma")]] static __m256 load(const float* from) { return _mm256_loadu_ps(from); }

    template <class W>
    [[gnu::target("avx2,fma")]] static void widen(const W* from, Index count, float* to) {
        Index k = 0;
        for (; k + lanes <= count; k += lanes) _mm256_storeu_ps(to + k, load(from + k));
        for (; k < count; ++k) to[k] = lrp::widen<float>(from[k]);
    }
    template <class W>
    [[gnu::target("avx2,fma")]] static void widen_rows(const W* w, Index stride, Index rows, Index count, float* to, Index to_stride) {
        for (Index i = 0; i < rows; ++i) widen(w + i * stride, count, to + i * to_stride);
    }
    template <class W>
    [[gnu::target("avx2,fma")]] static void widen_columns(const W* w, Index stride, Index count, Index width, float* to) {
        for (Index first = 0; first < width; first += 2 * lanes, to += count * 2 * lanes) {
            const Index some = std::min<Index>(2 * lanes, width - first);
            for (Index k = 0; k < count; ++k) {
                const W* from = w + k * stride + first;
                float* row = to + k * 2 * lanes;
                widen(from, some, row);
                std::fill(row + some, row + 2 * lanes, 0.0f);
            }
        }
    }
};

/// Whole cache lines, written past the caches.
struct LinesAvx512 {
    [[gnu::target("avx512f")]] static void stream(float alpha, const float* x, Index count, float* to) {
        for (Index i = 0; i < count; i += 16) _mm512_stream_ps(to + i, _mm512_mul_ps(_mm512_set1_ps(alpha), _mm512_loadu_ps(x + i)));
    }
    static void settle() { _mm_sfence(); }
};

/// float elements, 512-bit fused multiply-add.
struct FmaAvx512 : FloatElements<SquareAvx512>, LinesAvx512 {
    template <class W>
    using Forward = std::conditional_t<may_be_ready<W>, TileSize<6, 4>, TileSize<12, 2>>;  // rows as they lie may share a cache set, which holds eight lines
    using Packed = TileSize<12, 2>;

    template <int MR, int NV, class Stride>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static void micro(const float* a, Stride a_stride, const float* b, float* c, Index ldc, Index count, Ahead ahead) {
        __m512 sum[MR][NV];
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 16
            for (int j = 0; j < NV; ++j) sum[i][j] = _mm512_setzero_ps();
        for (Index chunk = 0; chunk < count; chunk += ahead_chunk) {
            ahead.fetch();
            const Index end = std::min(count, chunk + ahead_chunk);
            for (Index k = chunk; k < end; ++k) {
                __m512 right[NV];
#pragma GCC unroll 16
                for (int j = 0; j < NV; ++j) right[j] = _mm512_load_ps(b + (k * NV + j) * lanes);
#pragma GCC unroll 16
                for (int i = 0; i < MR; ++i) {
                    const __m512 left = _mm512_set1_ps(a[i * a_stride + k]);
#pragma GCC unroll 16
                    for (int j = 0; j < NV; ++j) sum[i][j] = _mm512_fmadd_ps(left, right[j], sum[i][j]);
                }
            }
        }
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 16
            for (int j = 0; j < NV; ++j) {
                float* to = c + i * ldc + j * lanes;
                _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), sum[i][j]));
            }
    }

    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static __m512 load(const bf16* from) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from))), 16)); }
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static __m512 load(const float* from) { return _mm512_loadu_ps(from); }

    template <class W>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static void widen(const W* from, Index count, float* to) {
        Index k = 0;
        for (; k + lanes <= count; k += lanes) _mm512_storeu_ps(to + k, load(from + k));
        for (; k < count; ++k) to[k] = lrp::widen<float>(from[k]);
    }
    template <class W>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static void widen_rows(const W* w, Index stride, Index rows, Index count, float* to, Index to_stride) {
        for (Index i = 0; i < rows; ++i) widen(w + i * stride, count, to + i * to_stride);
    }
    template <class W>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static void widen_columns(const W* w, Index stride, Index count, Index width, float* to) {
        const Index whole = width / (2 * lanes);
        for (Index k = 0; k < count; ++k) {
            const W* from = w + k * stride;
            for (Index tile = 0; tile < whole; ++tile) {
                float* row = to + (tile * count + k) * 2 * lanes;
                _mm512_store_ps(row, load(from + tile * 2 * lanes));
                _mm512_store_ps(row + lanes, load(from + tile * 2 * lanes + lanes));
            }
            if (const Index some = width - whole * 2 * lanes; some > 0) {
                float* row = to + (whole * count + k) * 2 * lanes;
                widen(from + whole * 2 * lanes, some, row);
                std::fill(row + some, row + 2 * lanes, 0.0f);
            }
        }
    }
};

/// Pairs of bf16, vdpbf16ps: both factors in bf16, sums in float. The activations are rounded to bf16, so this is the path of Products::fast.
struct DotAvx512 : LinesAvx512 {
    using element = std::uint32_t;
    static constexpr Index depth = 2, lanes = 16, forward_depth = 4 * block_depth;
    using Square = SquareAvx512;
    template <class W>
    using Forward = TileSize<6, 4>;  // as with float rows
    using Packed = TileSize<12, 2>;

    template <int MR, int NV, class Stride>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")]] static void micro(const std::uint32_t* a, Stride a_stride, const std::uint32_t* b, float* c, Index ldc, Index count, Ahead ahead) {
        __m512 sum[MR][NV];
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 16
            for (int j = 0; j < NV; ++j) sum[i][j] = _mm512_setzero_ps();
        for (Index chunk = 0; chunk < count; chunk += ahead_chunk) {
            ahead.fetch();
            const Index end = std::min(count, chunk + ahead_chunk);
            for (Index k = chunk; k < end; ++k) {
                __m512bh right[NV];
#pragma GCC unroll 16
                for (int j = 0; j < NV; ++j) right[j] = (__m512bh)_mm512_load_si512(b + (k * NV + j) * lanes);
#pragma GCC unroll 16
                for (int i = 0; i < MR; ++i) {
                    const __m512bh left = (__m512bh)_mm512_set1_epi32(pair_at(a + i * a_stride + k));
#pragma GCC unroll 16
                    for (int j = 0; j < NV; ++j) sum[i][j] = _mm512_dpbf16_ps(sum[i][j], left, right[j]);
                }
            }
        }
#pragma GCC unroll 16
        for (int i = 0; i < MR; ++i)
#pragma GCC unroll 16
            for (int j = 0; j < NV; ++j) {
                float* to = c + i * ldc + j * lanes;
                _mm512_storeu_ps(to, _mm512_add_ps(_mm512_loadu_ps(to), sum[i][j]));
            }
    }

    /// A pair wherever it lies: those of W are aligned as bf16.
    static int pair_at(const std::uint32_t* at) {
        int pair;
        std::memcpy(&pair, static_cast<const void*>(at), sizeof(pair));
        return pair;
    }
    template <class W>
    static constexpr bool may_be_ready = true;
    static bool ready(const View<const bf16>& w) { return w.cols % 2 == 0 && w.stride % 2 == 0; }
    /// 32 floats as 16 pairs, each rounded to the nearest bf16.
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma"), gnu::always_inline]] static inline __m512i pairs(const float* x) {
        return (__m512i)_mm512_cvtne2ps_pbh(_mm512_loadu_ps(x + lanes), _mm512_loadu_ps(x));
    }
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")]] static void elements(const float* x, Index count, std::uint32_t* to) {
        for (; count >= depth * lanes; count -= depth * lanes, x += depth * lanes, to += lanes) _mm512_storeu_si512(to, pairs(x));
        float rest[depth * lanes] = {};
        std::copy_n(x, count, rest);
        _mm512_mask_storeu_epi32(to, static_cast<__mmask16>((1u << (count + 1) / 2) - 1), pairs(rest));
    }
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")]] static void turn(const float* x, Index stride, std::uint32_t* to, Index to_stride) {
        Square::Row rows_of_pairs[lanes];
        for (Index i = 0; i < lanes; ++i) rows_of_pairs[i] = (Square::Row)pairs(x + i * stride);
        Square::turn(rows_of_pairs);
        Square::put(rows_of_pairs, to, to_stride);
    }

    /// A pair of neighbours along a row is an element as it lies.
    static void widen_rows(const bf16* w, Index stride, Index rows, Index count, std::uint32_t* to, Index to_stride) {
        for (Index i = 0; i < rows; ++i) {
            std::memcpy(to + i * to_stride, w + i * stride, static_cast<std::size_t>(count) * sizeof(bf16));
            if (count % 2 != 0) to[i * to_stride + count / 2] = w[i * stride + count - 1].bits;
        }
    }
    /// Sixteen numbers as bf16, each the lower half of a pair.
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma"), gnu::always_inline]] static inline __m512i halves(const bf16* x) {
        return _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(x)));
    }
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma"), gnu::always_inline]] static inline __m512i halves(const float* x) {
        return _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(_mm512_loadu_ps(x)));
    }
    /// Sixteen columns of two rows, or of one and zeros, as pairs.
    template <class W>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma"), gnu::always_inline]] static inline __m512i interleaved(const W* even, const W* odd) {
        return odd == nullptr ? halves(even) : _mm512_or_si512(halves(even), _mm512_slli_epi32(halves(odd), 16));
    }
    template <class W>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")]] static void widen_columns(const W* w, Index stride, Index count, Index width, std::uint32_t* to) {
        const Index elements = (count + 1) / 2, whole = width / (2 * lanes);
        for (Index pair = 0; pair < elements; ++pair) {
            const W* even = w + 2 * pair * stride;
            const W* odd = 2 * pair + 1 < count ? even + stride : nullptr;
            for (Index tile = 0; tile < whole; ++tile) {
                std::uint32_t* row = to + (tile * elements + pair) * 2 * lanes;
                const W* upper = odd == nullptr ? nullptr : odd + tile * 2 * lanes;
                _mm512_store_si512(row, interleaved(even + tile * 2 * lanes, upper));
                _mm512_store_si512(row + lanes, interleaved(even + tile * 2 * lanes + lanes, upper == nullptr ? nullptr : upper + lanes));
            }
            if (whole * 2 * lanes < width) {
                std::uint32_t* row = to + (whole * elements + pair) * 2 * lanes;
                for (Index j = 0; j < 2 * lanes; ++j) {
                    const Index at = whole * 2 * lanes + j;
                    row[j] = at >= width ? 0u : std::uint32_t{bf16(even[at]).bits} | (odd == nullptr ? 0u : std::uint32_t{bf16(odd[at]).bits} << 16);
                }
            }
        }
    }
};

#endif

}  // namespace lrp::detail
