// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What attention does to rows of scores, once per instruction set and once plainly.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include <lrp/core/exponential.hpp>
#include <lrp/eigen/product/fma.hpp>

namespace lrp::detail {

/// Plain loops, the specification.
struct RowsPlain {
    static float peak(const float* x, Index count) { return *std::max_element(x, x + count); }
    /// x <- factor exp(x - shift); the sum of what is written.
    static float exponentials(float* x, Index count, float shift, float factor) {
        std::array<float, 16> part{};
        for (Index i = 0; i < count; ++i) part[static_cast<std::size_t>(i % 16)] += x[i] = factor * exponential(x[i] - shift);
        float sum = 0;
        for (const float value : part) sum += value;
        return sum;
    }
    /// e <- p (e - delta)
    static void weigh(float* e, const float* p, float delta, Index count) {
        for (Index i = 0; i < count; ++i) e[i] = p[i] * (e[i] - delta);
    }
};

#if defined(__x86_64__)

struct RowsAvx2 {
    /// `exponential`, eight at a time.
    [[gnu::target("avx2,fma")]] static __m256 exp(__m256 x) {
        x = _mm256_min_ps(_mm256_set1_ps(87.3f), _mm256_max_ps(_mm256_set1_ps(-87.3f), x));  // in this order a NaN stays one
        const __m256 n = _mm256_round_ps(_mm256_mul_ps(x, _mm256_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        const __m256 r = _mm256_fmadd_ps(n, _mm256_set1_ps(2.12194440e-4f), _mm256_fnmadd_ps(n, _mm256_set1_ps(0.693359375f), x));
        __m256 s = _mm256_set1_ps(1.0f / 5040);
        s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(1.0f / 720));
        s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(1.0f / 120));
        s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(1.0f / 24));
        s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(1.0f / 6));
        s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(0.5f));
        s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(1.0f));
        s = _mm256_fmadd_ps(s, r, _mm256_set1_ps(1.0f));
        return _mm256_mul_ps(s, _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23)));
    }
    [[gnu::target("avx2,fma")]] static float peak(const float* x, Index count) {
        if (count < 8) return RowsPlain::peak(x, count);
        __m256 most = _mm256_loadu_ps(x);
        for (Index i = 8; i + 8 <= count; i += 8) most = _mm256_max_ps(most, _mm256_loadu_ps(x + i));
        most = _mm256_max_ps(most, _mm256_loadu_ps(x + count - 8));
        alignas(32) std::array<float, 8> part;
        _mm256_store_ps(part.data(), most);
        return RowsPlain::peak(part.data(), 8);
    }
    [[gnu::target("avx2,fma")]] static float exponentials(float* x, Index count, float shift, float factor) {
        __m256 total = _mm256_setzero_ps();
        Index i = 0;
        for (; i + 8 <= count; i += 8) {
            const __m256 value = _mm256_mul_ps(_mm256_set1_ps(factor), exp(_mm256_sub_ps(_mm256_loadu_ps(x + i), _mm256_set1_ps(shift))));
            _mm256_storeu_ps(x + i, value);
            total = _mm256_add_ps(total, value);
        }
        alignas(32) std::array<float, 8> part;
        _mm256_store_ps(part.data(), total);
        float sum = 0;
        for (const float value : part) sum += value;
        for (; i < count; ++i) sum += x[i] = factor * exponential(x[i] - shift);
        return sum;
    }
    [[gnu::target("avx2,fma")]] static void weigh(float* e, const float* p, float delta, Index count) {
        Index i = 0;
        for (; i + 8 <= count; i += 8) _mm256_storeu_ps(e + i, _mm256_mul_ps(_mm256_loadu_ps(p + i), _mm256_sub_ps(_mm256_loadu_ps(e + i), _mm256_set1_ps(delta))));
        for (; i < count; ++i) e[i] = p[i] * (e[i] - delta);
    }
};

/// The last numbers of a row under a mask: none is left to plain code. Instructions with a mask where others would do, too: of those without one g++ 12
/// says that they read what nobody wrote.
struct RowsAvx512 {
    static constexpr Index lanes = 16;
    static constexpr __mmask16 all = 0xffff;
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma"), gnu::always_inline]] static inline __mmask16 first(Index count) {
        return static_cast<__mmask16>(count >= lanes ? 0xffffu : (1u << count) - 1);
    }
    /// `exponential`, sixteen at a time.
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma"), gnu::always_inline]] static inline __m512 exp(__m512 x) {
        x = _mm512_maskz_min_ps(all, _mm512_set1_ps(87.3f), _mm512_maskz_max_ps(all, _mm512_set1_ps(-87.3f), x));  // in this order a NaN stays one
        const __m512 n = _mm512_maskz_roundscale_ps(all, _mm512_mul_ps(x, _mm512_set1_ps(1.44269504f)), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
        const __m512 r = _mm512_fmadd_ps(n, _mm512_set1_ps(2.12194440e-4f), _mm512_fnmadd_ps(n, _mm512_set1_ps(0.693359375f), x));
        __m512 s = _mm512_set1_ps(1.0f / 5040);
        s = _mm512_fmadd_ps(s, r, _mm512_set1_ps(1.0f / 720));
        s = _mm512_fmadd_ps(s, r, _mm512_set1_ps(1.0f / 120));
        s = _mm512_fmadd_ps(s, r, _mm512_set1_ps(1.0f / 24));
        s = _mm512_fmadd_ps(s, r, _mm512_set1_ps(1.0f / 6));
        s = _mm512_fmadd_ps(s, r, _mm512_set1_ps(0.5f));
        s = _mm512_fmadd_ps(s, r, _mm512_set1_ps(1.0f));
        s = _mm512_fmadd_ps(s, r, _mm512_set1_ps(1.0f));
        return _mm512_maskz_scalef_ps(all, s, n);
    }
    /// One number of all lanes: quarters, then halves of what is left.
    template <class F>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma"), gnu::always_inline]] static inline float halved(__m512 x, const F& both) {
        alignas(64) std::array<float, lanes> part;
        _mm512_store_ps(part.data(), x);
        const auto quarter = [&](std::size_t i) { return _mm_load_ps(part.data() + 4 * i); };
        __m128 rest = both(both(quarter(0), quarter(1)), both(quarter(2), quarter(3)));
        rest = both(rest, _mm_movehl_ps(rest, rest));
        return _mm_cvtss_f32(both(rest, _mm_movehdup_ps(rest)));
    }
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static float peak(const float* x, Index count) {
        const __m512 lowest = _mm512_set1_ps(-INFINITY);
        __m512 most = lowest;
        for (Index i = 0; i < count; i += lanes) most = _mm512_maskz_max_ps(all, most, _mm512_mask_loadu_ps(lowest, first(count - i), x + i));
        return halved(most, [](__m128 a, __m128 b) { return _mm_max_ps(a, b); });
    }
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static float exponentials(float* x, Index count, float shift, float factor) {
        __m512 total = _mm512_setzero_ps();
        for (Index i = 0; i < count; i += lanes) {
            const __mmask16 some = first(count - i);
            const __m512 value = _mm512_maskz_mul_ps(some, _mm512_set1_ps(factor), exp(_mm512_sub_ps(_mm512_maskz_loadu_ps(some, x + i), _mm512_set1_ps(shift))));
            _mm512_mask_storeu_ps(x + i, some, value);
            total = _mm512_add_ps(total, value);
        }
        return halved(total, [](__m128 a, __m128 b) { return _mm_add_ps(a, b); });
    }
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static void weigh(float* e, const float* p, float delta, Index count) {
        for (Index i = 0; i < count; i += lanes) {
            const __mmask16 some = first(count - i);
            _mm512_mask_storeu_ps(e + i, some, _mm512_mul_ps(_mm512_maskz_loadu_ps(some, p + i), _mm512_sub_ps(_mm512_maskz_loadu_ps(some, e + i), _mm512_set1_ps(delta))));
        }
    }
};

#endif

}  // namespace lrp::detail
