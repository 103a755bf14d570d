// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The inner loops of streamed products, once per instruction set: W is widened in registers on its way through, and what is ahead is fetched.
//
// An instruction set is a struct with `element` (what x and c hold), `depth` (terms of the sum in one element), `lanes`, the most rows of x that a kernel
// takes at once (`most_dots` forward, `most_sums` back), `walk_rows(rows)` (of W, to a walk over the sums of so many rows), and static functions
//   dot<T, R, reader>(x, ldx, w, stride, count, out, next)            out [T, 4] += x [T, count] W [R, count]^T
//   axpy<T, reader>(c, ldc, w, stride, rows, width, sums, lds)        sums [T, width] += c [rows, T]^T W [rows, width]
#pragma once

#include <algorithm>
#include <array>

#include <lrp/eigen/product/fma.hpp>

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"  // of its own AVX-512 intrinsics
#endif

namespace lrp::detail {

/// Rows of x for which the time is that of memory alone.
inline constexpr Index stream_rows = 4;

/// Neighbours first, as a tree.
template <std::size_t N>
float sum_of(std::array<float, N> parts) {
    for (std::size_t step = 1; step < N; step *= 2)
        for (std::size_t i = 0; i + step < N; i += 2 * step) parts[i] += parts[i + step];
    return parts[0];
}

/// Fetches the `count` numbers at `at` into the second cache, asking `times` times, evenly spread. Asking more than once for the same line is no waste: what
/// finds no room among the processor's outstanding reads is forgotten, and where memory is all there is to wait for, many requests are.
template <int times, class W>
[[gnu::always_inline]] inline void fetch(const W* at, Index count) {
#pragma GCC unroll 16
    for (int i = 0; i < times; ++i) __builtin_prefetch(at + i * count / times, 0, 2);
}

/// Which of the kernels that read the same rows of W, each for some rows of x: only one reads them, or the first of several brings them into the caches.
enum class Reader { only, first, later };

/// How many columns before they are read a walk over sums of `T` rows fetches W's: those of the next walk, or in a long walk who reads first fetches a few
/// cache lines of each row.
template <int T, Reader reader>
constexpr Index columns_ahead(Index width) {
    return reader != Reader::later && T > stream_rows ? std::min<Index>(128, width) : width;
}
/// How often it asks for them.
constexpr int sum_asks(Reader reader) { return reader == Reader::later ? 1 : 4; }

/// Unpacking makes two vectors of 2 * lanes numbers of 16 bits with one instruction each: of every eight neighbours the first takes four and the second
/// four. Puts sums over columns that came so back in order; `count` is a multiple of 2 * lanes.
template <Index lanes>
void undo_unpack_order(float* sums, Index count) {
    for (float* const end = sums + count; sums != end; sums += 2 * lanes) {
        std::array<float, 2 * lanes> mixed;
        std::copy_n(sums, 2 * lanes, mixed.begin());
        for (Index i = 0; i < lanes; i += 4) {
            std::copy_n(mixed.begin() + i, 4, sums + 2 * i);
            std::copy_n(mixed.begin() + lanes + i, 4, sums + 2 * i + 4);
        }
    }
}

#if defined(__x86_64__)

/// The lanes of each of four vectors, added up.
[[gnu::target("avx2,fma")]] inline __m128 totals(__m256 a, __m256 b, __m256 c, __m256 d) {
    const __m256 both = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
    return _mm_add_ps(_mm256_castps256_ps128(both), _mm256_extractf128_ps(both, 1));
}
[[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] inline __m128 totals(__m512 a, __m512 b, __m512 c, __m512 d) {
    const __m512 ab = _mm512_add_ps(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b)), cd = _mm512_add_ps(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    const __m512 four = _mm512_add_ps(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xee));  // in every quarter a sum of each
    const __m256 two = _mm256_add_ps(_mm512_castps512_ps256(four), _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(four), 1)));
    return _mm_add_ps(_mm256_castps256_ps128(two), _mm256_extractf128_ps(two, 1));
}

/// out[4 * t + i] += the lanes of sum[i][t], added up.
template <int R, int T>
[[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma"), gnu::always_inline]] inline void add_dots(const __m512 (&sum)[R][T], float* out) {
#pragma GCC unroll 16
    for (int t = 0; t < T; ++t) {
        if constexpr (R == 4) {
            _mm_storeu_ps(out + 4 * t, _mm_add_ps(_mm_loadu_ps(out + 4 * t), totals(sum[0][t], sum[1][t], sum[2][t], sum[3][t])));
        } else {
            for (int i = 0; i < R; ++i) {
                alignas(64) std::array<float, 16> parts;
                _mm512_store_ps(parts.data(), sum[i][t]);
                out[4 * t + i] += sum_of(parts);
            }
        }
    }
}

/// Multiply-adds of eight.
struct StreamAvx2 {
    using element = float;
    static constexpr Index lanes = 8, depth = 1;
    static constexpr int most_dots = 2, most_sums = 4;  // rows of x that a kernel takes at once
    static constexpr Index walk_rows(Index) { return 8; }

    /// out[4 * t + i] += w_i . x_t over `count` terms, rows of w `stride` apart; `next` is what will be read after w.
    template <int T, int R, Reader reader, class W>
    [[gnu::target("avx2,fma")]] static void dot(const float* x, Index ldx, const W* w, Index stride, Index count, float* out, const W* next) {
        __m256 sum[R][T];
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) sum[i][t] = _mm256_setzero_ps();
        Index k = 0;
        for (; k + lanes <= count; k += lanes) {
            __m256 right[R];
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) {
                right[i] = FmaAvx2::load(w + i * stride + k);
                fetch<1>(next + i * stride + k, lanes);
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                const __m256 left = _mm256_loadu_ps(x + t * ldx + k);
#pragma GCC unroll 16
                for (int i = 0; i < R; ++i) sum[i][t] = _mm256_fmadd_ps(left, right[i], sum[i][t]);
            }
        }
#pragma GCC unroll 16
        for (int t = 0; t < T; ++t) {
            if constexpr (R == 4) {
                _mm_storeu_ps(out + 4 * t, _mm_add_ps(_mm_loadu_ps(out + 4 * t), totals(sum[0][t], sum[1][t], sum[2][t], sum[3][t])));
            } else {
                for (int i = 0; i < R; ++i) {
                    alignas(64) std::array<float, lanes> parts;
                    _mm256_store_ps(parts.data(), sum[i][t]);
                    out[4 * t + i] += sum_of(parts);
                }
            }
        }
        for (; k < count; ++k)
            for (int t = 0; t < T; ++t)
                for (int i = 0; i < R; ++i) out[4 * t + i] += x[t * ldx + k] * lrp::widen<float>(w[i * stride + k]);
    }
    struct Two {
        __m256 first, second;
    };
    /// 2 * lanes numbers, those of bf16 in the order of unpacking.
    [[gnu::target("avx2,fma"), gnu::always_inline]] static inline Two two(const bf16* from) {
        const __m256i all = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)), zero = _mm256_setzero_si256();
        return {(__m256)_mm256_unpacklo_epi16(zero, all), (__m256)_mm256_unpackhi_epi16(zero, all)};
    }
    [[gnu::target("avx2,fma"), gnu::always_inline]] static inline Two two(const float* from) { return {_mm256_loadu_ps(from), _mm256_loadu_ps(from + lanes)}; }
    /// sums[t] += sum over i of c[i, t] w_i, `rows` rows of w and `width` columns, a multiple of 2 * lanes.
    template <int T, Reader reader, class W>
    [[gnu::target("avx2,fma")]] static void axpy(const float* c, Index ldc, const W* w, Index stride, Index rows, Index width, float* sums, Index lds) {
        const W* const next = w + rows * stride;
        for (Index k = 0; k < width; k += 2 * lanes) {
            __m256 first[T], second[T];
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                first[t] = _mm256_loadu_ps(sums + t * lds + k);
                second[t] = _mm256_loadu_ps(sums + t * lds + k + lanes);
            }
            for (Index i = 0; i < rows; ++i) {
                const Two both = two(w + i * stride + k);
                fetch<reader == Reader::later ? 1 : 2>(next + i * stride + k, 2 * lanes);
#pragma GCC unroll 16
                for (int t = 0; t < T; ++t) {
                    const __m256 left = _mm256_set1_ps(c[i * ldc + t]);
                    first[t] = _mm256_fmadd_ps(left, both.first, first[t]);
                    second[t] = _mm256_fmadd_ps(left, both.second, second[t]);
                }
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                _mm256_storeu_ps(sums + t * lds + k, first[t]);
                _mm256_storeu_ps(sums + t * lds + k + lanes, second[t]);
            }
        }
    }
};

/// Multiply-adds of sixteen.
struct StreamAvx512 {
    using element = float;
    static constexpr Index lanes = 16, depth = 1;
    static constexpr int most_dots = 6, most_sums = 10;  // rows of x that a kernel takes at once
    static constexpr Index walk_rows(Index rows) { return rows <= stream_rows ? 8 : 32; }  // of W, to a walk over the sums of `rows` rows

    /// Requests for each `lanes` numbers ahead of a kernel of dot products with `rows` rows.
    static constexpr int dot_asks(int rows, Reader reader) { return reader != Reader::only || rows > 4 ? 1 : rows > 2 ? 2 : 4; }

    /// out[4 * t + i] += w_i . x_t over `count` terms, rows of w `stride` apart.
    template <int T, int R, Reader reader, class W>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static void dot(const float* x, Index ldx, const W* w, Index stride, Index count, float* out, const W* next) {
        __m512 sum[R][T];
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) sum[i][t] = _mm512_setzero_ps();
        Index k = 0;
        for (; k + lanes <= count; k += lanes) {
            __m512 right[R];
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) {
                right[i] = FmaAvx512::load(w + i * stride + k);
                fetch<dot_asks(T, reader)>(next + i * stride + k, lanes);
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                const __m512 left = _mm512_loadu_ps(x + t * ldx + k);
#pragma GCC unroll 16
                for (int i = 0; i < R; ++i) sum[i][t] = _mm512_fmadd_ps(left, right[i], sum[i][t]);
            }
        }
        add_dots(sum, out);
        for (; k < count; ++k)
            for (int t = 0; t < T; ++t)
                for (int i = 0; i < R; ++i) out[4 * t + i] += x[t * ldx + k] * lrp::widen<float>(w[i * stride + k]);
    }
    struct Two {
        __m512 first, second;
    };
    /// 2 * lanes numbers, those of bf16 in the order of unpacking.
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma"), gnu::always_inline]] static inline Two two(const bf16* from) {
        const __m512i all = _mm512_loadu_si512(from), zero = _mm512_setzero_si512();
        return {(__m512)_mm512_unpacklo_epi16(zero, all), (__m512)_mm512_unpackhi_epi16(zero, all)};
    }
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma"), gnu::always_inline]] static inline Two two(const float* from) { return {_mm512_loadu_ps(from), _mm512_loadu_ps(from + lanes)}; }
    /// sums[t] += sum over i of c[i, t] w_i, `rows` rows of w and `width` columns, a multiple of 2 * lanes.
    template <int T, Reader reader, class W>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static void axpy(const float* c, Index ldc, const W* w, Index stride, Index rows, Index width, float* sums, Index lds) {
        const Index ahead = columns_ahead<T, reader>(width);
        for (Index k = 0; k < width; k += 2 * lanes) {
            const W* const next = k + ahead < width ? w + k + ahead : w + rows * stride + (k + ahead - width);
            __m512 first[T], second[T];
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                first[t] = _mm512_loadu_ps(sums + t * lds + k);
                second[t] = _mm512_loadu_ps(sums + t * lds + k + lanes);
            }
            for (Index i = 0; i < rows; ++i) {
                const Two both = two(w + i * stride + k);
                fetch<sum_asks(reader)>(next + i * stride, 2 * lanes);
#pragma GCC unroll 16
                for (int t = 0; t < T; ++t) {
                    const __m512 left = _mm512_set1_ps(c[i * ldc + t]);
                    first[t] = _mm512_fmadd_ps(left, both.first, first[t]);
                    second[t] = _mm512_fmadd_ps(left, both.second, second[t]);
                }
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                _mm512_storeu_ps(sums + t * lds + k, first[t]);
                _mm512_storeu_ps(sums + t * lds + k + lanes, second[t]);
            }
        }
    }
};

/// bf16 dot products: x and c come as pairs of bf16, W as it lies.
struct StreamDot {
    using element = std::uint32_t;
    static constexpr Index lanes = 16, depth = 2;
    static constexpr int most_dots = 6, most_sums = 12;
    static constexpr Index walk_rows(Index rows) { return rows > 16 ? 64 : 32; }
    static constexpr int dot_asks(int rows, Reader reader) { return reader == Reader::only ? 4 : reader == Reader::first || rows <= 4 ? 2 : 1; }

    static void elements(const float* x, Index count, std::uint32_t* to) { DotAvx512::elements(x, count, to); }

    template <int T, int R, Reader reader>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")]] static void dot(const std::uint32_t* x, Index ldx, const bf16* w, Index stride, Index count, float* out, const bf16* next) {
        __m512 sum[R][T];
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) sum[i][t] = _mm512_setzero_ps();
        Index k = 0;  // in terms
        for (; k + 2 * lanes <= count; k += 2 * lanes) {
            __m512bh right[R];
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) {
                right[i] = (__m512bh)_mm512_loadu_si512(w + i * stride + k);
                fetch<dot_asks(T, reader)>(next + i * stride + k, 2 * lanes);
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                const __m512bh left = (__m512bh)_mm512_loadu_si512(x + t * ldx + k / 2);
#pragma GCC unroll 16
                for (int i = 0; i < R; ++i) sum[i][t] = _mm512_dpbf16_ps(sum[i][t], left, right[i]);
            }
        }
        add_dots(sum, out);
        for (; k < count; ++k)
            for (int t = 0; t < T; ++t)
                for (int i = 0; i < R; ++i) {
                    const std::uint32_t pair = x[t * ldx + k / 2];
                    out[4 * t + i] += __builtin_bit_cast(float, k % 2 == 0 ? pair << 16 : pair & 0xffff0000u) * static_cast<float>(w[i * stride + k]);
                }
    }
    struct Two {
        __m512i first, second;
    };
    /// 2 * lanes columns of two rows, or of one (`odd` null) and zeros, as pairs in the order of unpacking.
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma"), gnu::always_inline]] static inline Two two(const bf16* even, const bf16* odd) {
        const __m512i lower = _mm512_loadu_si512(even), upper = odd == nullptr ? _mm512_setzero_si512() : _mm512_loadu_si512(odd);
        return {_mm512_unpacklo_epi16(lower, upper), _mm512_unpackhi_epi16(lower, upper)};
    }
    /// As with floats; c holds pairs, one for every two rows of w and one for the last row of an odd number.
    template <int T, Reader reader>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")]] static void axpy(const std::uint32_t* c, Index ldc, const bf16* w, Index stride, Index rows, Index width,
                                                                                       float* sums, Index lds) {
        const Index ahead = columns_ahead<T, reader>(width);
        for (Index k = 0; k < width; k += 2 * lanes) {
            const bf16* const next = k + ahead < width ? w + k + ahead : w + rows * stride + (k + ahead - width);
            __m512 first[T], second[T];
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                first[t] = _mm512_loadu_ps(sums + t * lds + k);
                second[t] = _mm512_loadu_ps(sums + t * lds + k + lanes);
            }
            for (Index i = 0; i < rows; i += 2) {
                const bf16* row = w + i * stride + k;
                const Two both = two(row, i + 1 < rows ? row + stride : nullptr);
                fetch<sum_asks(reader)>(next + i * stride, 2 * lanes);
                fetch<sum_asks(reader)>(next + (i + 1) * stride, 2 * lanes);
#pragma GCC unroll 16
                for (int t = 0; t < T; ++t) {
                    const __m512bh left = (__m512bh)_mm512_set1_epi32(static_cast<int>(c[i / 2 * ldc + t]));
                    first[t] = _mm512_dpbf16_ps(first[t], left, (__m512bh)both.first);
                    second[t] = _mm512_dpbf16_ps(second[t], left, (__m512bh)both.second);
                }
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                _mm512_storeu_ps(sums + t * lds + k, first[t]);
                _mm512_storeu_ps(sums + t * lds + k + lanes, second[t]);
            }
        }
    }
};

#endif

}  // namespace lrp::detail

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ < 13
#pragma GCC diagnostic pop
#endif
