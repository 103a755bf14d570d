// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Products with few rows, where the time is that of reading W once: W is not packed but widened in registers on its way through, for some rows of x
// at a time, and what is ahead is fetched.
//   forward   y [T, N] (+)= alpha x W^T    dot products, four rows of W at a time
//   backward  g [T, K] (+)= alpha c W      multiples of W's rows added up, 8 or 16 rows (or pairs of rows) at a time, in the order of the blocked product
#pragma once

#include <array>

#include <lrp/eigen/product/blocked.hpp>

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

/// How many columns before they are read a walk over sums of `T` rows fetches W's: those of the next walk, or where a walk is long and nobody else reads
/// it, a few cache lines of each row.
template <int T, bool alone>
constexpr Index columns_ahead(Index width) {
    return alone && T > stream_rows ? std::min<Index>(128, width) : width;
}

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

/// Multiply-adds of eight.
struct StreamAvx2 {
    using element = float;
    static constexpr Index lanes = 8, depth = 1;
    static constexpr int most_dots = 2, most_sums = 4;  // rows of x that a kernel takes at once
    static constexpr Index walk_rows(Index) { return 8; }

    /// out[4 * t + i] += w_i . x_t over `count` terms, rows of w `stride` apart; `alone` if these are all rows of x.
    template <int T, int R, bool alone, class W>
    [[gnu::target("avx2,fma")]] static void dot(const float* x, Index ldx, const W* w, Index stride, Index count, float* out) {
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
                fetch<1>(w + (i + R) * stride + k, lanes);
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
    /// sums[t] += sum over i of c[t, i] w_i, `rows` rows of w and `width` columns, a multiple of 2 * lanes.
    template <int T, bool alone, class W>
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
                fetch<alone ? 2 : 1>(next + i * stride + k, 2 * lanes);
#pragma GCC unroll 16
                for (int t = 0; t < T; ++t) {
                    const __m256 left = _mm256_set1_ps(c[t * ldc + i]);
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
    static constexpr int most_dots = 6, most_sums = 8;  // rows of x that a kernel takes at once
    static constexpr Index walk_rows(Index rows) { return rows <= stream_rows ? 8 : 32; }  // of W, to a walk over the sums of `rows` rows

    /// Requests for each `lanes` numbers ahead, by the kernel's rows and whether those are all there are.
    static constexpr int dot_asks(int rows, bool alone) { return !alone || rows > 4 ? 1 : rows > 2 ? 2 : 4; }

    /// out[4 * t + i] += w_i . x_t over `count` terms, rows of w `stride` apart.
    template <int T, int R, bool alone, class W>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static void dot(const float* x, Index ldx, const W* w, Index stride, Index count, float* out) {
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
                fetch<dot_asks(T, alone)>(w + (i + R) * stride + k, lanes);
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                const __m512 left = _mm512_loadu_ps(x + t * ldx + k);
#pragma GCC unroll 16
                for (int i = 0; i < R; ++i) sum[i][t] = _mm512_fmadd_ps(left, right[i], sum[i][t]);
            }
        }
#pragma GCC unroll 16
        for (int t = 0; t < T; ++t) {
            if constexpr (R == 4) {
                _mm_storeu_ps(out + 4 * t, _mm_add_ps(_mm_loadu_ps(out + 4 * t), totals(sum[0][t], sum[1][t], sum[2][t], sum[3][t])));
            } else {
                for (int i = 0; i < R; ++i) {
                    alignas(64) std::array<float, lanes> parts;
                    _mm512_store_ps(parts.data(), sum[i][t]);
                    out[4 * t + i] += sum_of(parts);
                }
            }
        }
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
    /// sums[t] += sum over i of c[t, i] w_i, `rows` rows of w and `width` columns, a multiple of 2 * lanes.
    template <int T, bool alone, class W>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static void axpy(const float* c, Index ldc, const W* w, Index stride, Index rows, Index width, float* sums, Index lds) {
        const Index ahead = columns_ahead<T, alone>(width);
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
                fetch<alone ? 4 : 1>(next + i * stride, 2 * lanes);
#pragma GCC unroll 16
                for (int t = 0; t < T; ++t) {
                    const __m512 left = _mm512_set1_ps(c[t * ldc + i]);
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
    static constexpr int most_dots = 6, most_sums = 8;
    static constexpr Index walk_rows(Index) { return 32; }
    static constexpr int dot_asks(int rows, bool alone) { return alone || rows <= 4 ? 2 : 1; }

    static void elements(const float* x, Index count, std::uint32_t* to) { DotAvx512::elements(x, count, to); }

    template <int T, int R, bool alone>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")]] static void dot(const std::uint32_t* x, Index ldx, const bf16* w, Index stride, Index count, float* out) {
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
                fetch<dot_asks(T, alone)>(w + (i + R) * stride + k, 2 * lanes);
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                const __m512bh left = (__m512bh)_mm512_loadu_si512(x + t * ldx + k / 2);
#pragma GCC unroll 16
                for (int i = 0; i < R; ++i) sum[i][t] = _mm512_dpbf16_ps(sum[i][t], left, right[i]);
            }
        }
#pragma GCC unroll 16
        for (int t = 0; t < T; ++t) {
            if constexpr (R == 4) {
                _mm_storeu_ps(out + 4 * t, _mm_add_ps(_mm_loadu_ps(out + 4 * t), totals(sum[0][t], sum[1][t], sum[2][t], sum[3][t])));
            } else {
                for (int i = 0; i < R; ++i) {
                    alignas(64) std::array<float, lanes> parts;
                    _mm512_store_ps(parts.data(), sum[i][t]);
                    out[4 * t + i] += sum_of(parts);
                }
            }
        }
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
    /// As with floats; c holds a pair for every two rows of w, and one for the last row of an odd number.
    template <int T, bool alone>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx512bf16,avx2,fma")]] static void axpy(const std::uint32_t* c, Index ldc, const bf16* w, Index stride, Index rows, Index width,
                                                                                       float* sums, Index lds) {
        const Index ahead = columns_ahead<T, alone>(width);
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
                fetch<alone ? 4 : 1>(next + i * stride, 2 * lanes);
                fetch<alone ? 4 : 1>(next + (i + 1) * stride, 2 * lanes);
#pragma GCC unroll 16
                for (int t = 0; t < T; ++t) {
                    const __m512bh left = (__m512bh)_mm512_set1_epi32(static_cast<int>(c[t * ldc + i / 2]));
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

template <class Isa, class W>
class Streamed {
  public:
    using E = typename Isa::element;
    static constexpr Index resident = 32;    // rows of x that go past a panel of W before the next do
    static constexpr Index most_fours = 16;  // of W's rows, to a panel

    static void forward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> x, View<const W> w, View<float> y) {
        const View<const E> in = elements(pool, scratch, x);
        x.rows <= Isa::most_dots ? dots<true>(pool, p, in, w, y) : dots<false>(pool, p, in, w, y);
    }

    static void backward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> c, View<const W> w, View<float> g) {
        // A column's sum is that of its blocks' sums in turn, so it does not change a bit how columns and blocks are dealt. Memory likes long runs.
        const View<const E> in = elements(pool, scratch, c);
        const Index threads = pool.size(), blocks = ceil_div(w.rows, block_terms);
        const Index kept = blocks * c.rows * round_up(w.cols, 64);
        constexpr Index long_run = (Index{8} << 10) / Index{sizeof(W)}, most_kept = Index{1} << 20;
        if (Isa::depth == 1 && c.rows <= stream_rows && w.cols < threads * long_run && blocks >= 4 * threads && kept <= most_kept)
            by_blocks(pool, scratch.shared<float>(kept), p, in, w, g);
        else
            by_columns(pool, scratch, p, in, w, g);
    }

  private:
    static constexpr Index block_terms = block_depth * Isa::depth;
    static constexpr Index strip = 2 * Isa::lanes, most_together = 32;  // columns that a kernel takes at once, and rows of W of a walk at most
    using Rest = std::array<W, most_together * strip>;

    /// Columns are cut as wide as threads and the second cache allow, and as many for every thread.
    static void by_columns(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const E> c, View<const W> w, View<float> g) {
        const Index threads = pool.size(), widest = std::max<Index>(256, (Index{128} << 10) / Index{sizeof(float)} / c.rows);
        const Index width = round_up(ceil_div(w.cols, round_up(ceil_div(w.cols, widest), threads)), 64), panels = ceil_div(w.cols, width);
        pool.parallel_for(panels, [&](Index panel, unsigned worker) {
            const Index first = panel * width, cols = std::min(width, w.cols - first);
            float* block = scratch.own<float>(worker, 2 * c.rows * width);
            float* total = block + c.rows * width;
            std::fill_n(total, c.rows * width, 0.0f);
            for (Index from = 0; from < w.rows; from += block_terms) {
                sum_block(c, w, from, first, cols, block, width);
                for (Index i = 0; i < c.rows * width; ++i) total[i] += block[i];
            }
            for (Index t = 0; t < c.rows; ++t) put_columns(p, total + t * width, cols, g.row(t) + first);
        });
    }
    /// Whole rows of W: the sums of every block are kept, [blocks][rows of c][columns], and then added up.
    static void by_blocks(ThreadPool& pool, float* sums, const Product& p, View<const E> c, View<const W> w, View<float> g) {
        const Index width = round_up(w.cols, 64), blocks = ceil_div(w.rows, block_terms);
        pool.parallel_for(blocks, [&](Index block) { sum_block(c, w, block * block_terms, 0, w.cols, sums + block * c.rows * width, width); });
        constexpr Index part = 256;
        pool.parallel_for(ceil_div(w.cols, part), [&](Index i) {
            const Index first = i * part, cols = std::min(part, width - first);
            for (Index t = 0; t < c.rows; ++t) {
                std::array<float, part> total{};
                for (Index block = 0; block < blocks; ++block) {
                    const float* from = sums + (block * c.rows + t) * width + first;
                    for (Index k = 0; k < cols; ++k) total[static_cast<std::size_t>(k)] += from[k];
                }
                put_columns(p, total.data(), std::min(part, w.cols - first), g.row(t) + first);
            }
        });
    }
    /// sums[t] <- c[t] W over the rows of one block, `cols` columns from `first` on, up to a whole strip of them.
    static void sum_block(View<const E> c, View<const W> w, Index from, Index first, Index cols, float* sums, Index lds) {
        std::fill_n(sums, c.rows * lds, 0.0f);
        const Index whole = cols / strip * strip, end = std::min(w.rows, from + block_terms);
        const Index together = Isa::walk_rows(c.rows);
        for (Index n = from; n < end; n += together) {
            const Index rows = std::min(together, end - n);
            const View<const E> factors{c.data + n / Isa::depth, c.rows, ceil_div(rows, Isa::depth), c.stride};
            each(factors, w.row(n) + first, w.stride, rows, whole, sums, lds);
            if (whole == cols) continue;
            Rest rest{};  // the last columns, with zeros to a strip
            for (Index i = 0; i < rows; ++i) std::copy_n(w.row(n + i) + first + whole, cols - whole, rest.begin() + i * strip);
            each(factors, rest.data(), strip, rows, strip, sums + whole, lds);
        }
    }
    /// Sums over columns, which sum_block left as they were unpacked, to where they belong.
    static void put_columns(const Product& p, float* sums, Index cols, float* out) {
        if constexpr (std::same_as<W, bf16>) undo_unpack_order<Isa::lanes>(sums, round_up(cols, strip));
        put_sums(p, sums, cols, out);
    }

    /// Terms of a dot product that are added up in registers: x's part of so many stays in the second cache.
    static constexpr Index dot_terms = 2048;

    /// x as it is, or as pairs of bf16.
    static View<const E> elements(ThreadPool& pool, ProductScratch& scratch, View<const float> x) {
        if constexpr (Isa::depth == 1) {
            return x;
        } else {
            const Index pairs = ceil_div(x.cols, Index{2});
            E* packed = scratch.shared<E>(x.rows * pairs);
            pool.parallel_for(x.rows, [&](Index t) { Isa::elements(x.row(t), x.cols, packed + t * pairs); });
            return {packed, x.rows, pairs};
        }
    }
    /// How many of `rows` rows go together from row `t` on: the rest, in parts as even as they come, none above `most`.
    template <int most>
    static Index share(Index rows, Index t) {
        return ceil_div(rows - t, ceil_div(rows - t, Index{most}));
    }

    /// `alone`: one kernel takes all rows of x.
    template <bool alone>
    static void dots(ThreadPool& pool, const Product& p, View<const E> x, View<const W> w, View<float> y) {
        pool.parallel_ranges(ceil_div(w.rows, 4), most_fours, [&](Index begin, Index end, unsigned) {
            for (Index first = 0; first < x.rows; first += resident)
                for (Index n = 4 * begin; n < std::min(w.rows, 4 * end); n += 4) {
                    const Index count = std::min<Index>(4, w.rows - n), last = std::min(x.rows, first + resident);
                    for (Index t = first; t < last;) {
                        const Index some = share<Isa::most_dots>(last, t);
                        rows<1, alone>(p, x.rows_from(t, some), w, n, count, y.rows_from(t, some));
                        t += some;
                    }
                }
        });
    }
    template <int T, bool alone>
    static void rows(const Product& p, View<const E> x, View<const W> w, Index n, Index count, View<float> y) {
        if constexpr (T < Isa::most_dots) {
            if (x.rows > T) return rows<T + 1, alone>(p, x, w, n, count, y);
        }
        std::array<float, 4 * T> out{};
        for (Index k = 0; k < w.cols; k += dot_terms) {
            const Index terms = std::min(dot_terms, w.cols - k);
            if (count == 4) {
                Isa::template dot<T, 4, alone>(x.data + k / Isa::depth, x.stride, w.row(n) + k, w.stride, terms, out.data());
            } else {
                for (Index i = 0; i < count; ++i) Isa::template dot<T, 1, alone>(x.data + k / Isa::depth, x.stride, w.row(n + i) + k, w.stride, terms, out.data() + i);
            }
        }
        for (Index t = 0; t < T; ++t) put_sums(p, out.data() + 4 * t, count, &y(t, n));
    }
    /// sums[t] += sum over i of c[t, i] w_i, for all rows of c.
    static void each(View<const E> c, const W* w, Index stride, Index rows, Index width, float* sums, Index lds) {
        if (c.rows <= Isa::most_sums) return add<1, true>(c, w, stride, rows, width, sums, lds);
        for (Index t = 0; t < c.rows;) {
            const Index some = share<Isa::most_sums>(c.rows, t);
            add<1, false>(c.rows_from(t, some), w, stride, rows, width, sums + t * lds, lds);
            t += some;
        }
    }
    template <int T, bool alone>
    static void add(View<const E> c, const W* w, Index stride, Index rows, Index width, float* sums, Index lds) {
        if constexpr (T < Isa::most_sums) {
            if (c.rows > T) return add<T + 1, alone>(c, w, stride, rows, width, sums, lds);
        }
        Isa::template axpy<T, alone>(c.data, c.stride, w, stride, rows, width, sums, lds);
    }
};

}  // namespace lrp::detail
