// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What attention does to rows of scores, once per instruction set and once plainly.
#pragma once

#include <algorithm>
#include <array>

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

#endif

}  // namespace lrp::detail
