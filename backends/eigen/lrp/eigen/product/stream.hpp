// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Products with few rows, where the time is that of reading W once: no packing, W widened in registers on its way through.
//   forward   y [T, N] (+)= alpha x W^T    dot products, four rows of W at a time
//   backward  g [T, K] (+)= alpha c W      multiples of W's rows added up, eight rows at a time, in the order of the blocked product
#pragma once

#include <array>

#include <lrp/eigen/product/blocked.hpp>

namespace lrp::detail {

/// Rows of x that the kernels below are made for.
inline constexpr Index stream_rows = 4;

/// Neighbours first, as a tree.
template <std::size_t N>
float sum_of(std::array<float, N> parts) {
    for (std::size_t step = 1; step < N; step *= 2)
        for (std::size_t i = 0; i + step < N; i += 2 * step) parts[i] += parts[i + step];
    return parts[0];
}

#if defined(__x86_64__)

struct StreamAvx2 {
    /// out[i * T + t] = w_i . x_t over `count` terms, rows of w `stride` apart.
    template <int T, int R, class W>
    [[gnu::target("avx2,fma")]] static void dot(const float* x, Index ldx, const W* w, Index stride, Index count, float* out) {
        constexpr Index lanes = 8;
        __m256 sum[R][T];
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) sum[i][t] = _mm256_setzero_ps();
        Index k = 0;
        for (; k + lanes <= count; k += lanes) {
            __m256 right[R];
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) right[i] = FmaAvx2::load(w + i * stride + k);
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                const __m256 left = _mm256_loadu_ps(x + t * ldx + k);
#pragma GCC unroll 16
                for (int i = 0; i < R; ++i) sum[i][t] = _mm256_fmadd_ps(left, right[i], sum[i][t]);
            }
        }
        for (int i = 0; i < R; ++i)
            for (int t = 0; t < T; ++t) {
                alignas(32) std::array<float, lanes> parts;
                _mm256_store_ps(parts.data(), sum[i][t]);
                float total = sum_of(parts);
                for (Index rest = k; rest < count; ++rest) total += x[t * ldx + rest] * lrp::widen<float>(w[i * stride + rest]);
                out[i * T + t] = total;
            }
    }
    /// sums[t] += sum over i of c[t, i] w_i, `width` columns.
    template <int T, int R, class W>
    [[gnu::target("avx2,fma")]] static void axpy(const float* c, Index ldc, const W* w, Index stride, Index width, float* sums, Index lds) {
        constexpr Index lanes = 8;
        Index k = 0;
        for (; k + lanes <= width; k += lanes) {
            __m256 sum[T];
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) sum[t] = _mm256_loadu_ps(sums + t * lds + k);
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) {
                const __m256 right = FmaAvx2::load(w + i * stride + k);
#pragma GCC unroll 16
                for (int t = 0; t < T; ++t) sum[t] = _mm256_fmadd_ps(_mm256_broadcast_ss(c + t * ldc + i), right, sum[t]);
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) _mm256_storeu_ps(sums + t * lds + k, sum[t]);
        }
        for (; k < width; ++k)
            for (int t = 0; t < T; ++t)
                for (int i = 0; i < R; ++i) sums[t * lds + k] = __builtin_fmaf(c[t * ldc + i], lrp::widen<float>(w[i * stride + k]), sums[t * lds + k]);
    }
};

struct StreamAvx512 {
    template <int T, int R, class W>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static void dot(const float* x, Index ldx, const W* w, Index stride, Index count, float* out) {
        constexpr Index lanes = 16;
        __m512 sum[R][T];
#pragma GCC unroll 16
        for (int i = 0; i < R; ++i)
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) sum[i][t] = _mm512_setzero_ps();
        Index k = 0;
        for (; k + lanes <= count; k += lanes) {
            __m512 right[R];
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) right[i] = FmaAvx512::load(w + i * stride + k);
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) {
                const __m512 left = _mm512_loadu_ps(x + t * ldx + k);
#pragma GCC unroll 16
                for (int i = 0; i < R; ++i) sum[i][t] = _mm512_fmadd_ps(left, right[i], sum[i][t]);
            }
        }
        for (int i = 0; i < R; ++i)
            for (int t = 0; t < T; ++t) {
                alignas(64) std::array<float, lanes> parts;
                _mm512_store_ps(parts.data(), sum[i][t]);
                float total = sum_of(parts);
                for (Index rest = k; rest < count; ++rest) total += x[t * ldx + rest] * lrp::widen<float>(w[i * stride + rest]);
                out[i * T + t] = total;
            }
    }
    template <int T, int R, class W>
    [[gnu::target("avx512f,avx512bw,avx512vl,avx2,fma")]] static void axpy(const float* c, Index ldc, const W* w, Index stride, Index width, float* sums, Index lds) {
        constexpr Index lanes = 16;
        Index k = 0;
        for (; k + lanes <= width; k += lanes) {
            __m512 sum[T];
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) sum[t] = _mm512_loadu_ps(sums + t * lds + k);
#pragma GCC unroll 16
            for (int i = 0; i < R; ++i) {
                const __m512 right = FmaAvx512::load(w + i * stride + k);
#pragma GCC unroll 16
                for (int t = 0; t < T; ++t) sum[t] = _mm512_fmadd_ps(_mm512_set1_ps(c[t * ldc + i]), right, sum[t]);
            }
#pragma GCC unroll 16
            for (int t = 0; t < T; ++t) _mm512_storeu_ps(sums + t * lds + k, sum[t]);
        }
        for (; k < width; ++k)
            for (int t = 0; t < T; ++t)
                for (int i = 0; i < R; ++i) sums[t * lds + k] = __builtin_fmaf(c[t * ldc + i], lrp::widen<float>(w[i * stride + k]), sums[t * lds + k]);
    }
};

#endif

template <class Isa, class W>
class Streamed {
  public:
    static void forward(ThreadPool& pool, ProductScratch&, const Product& p, View<const float> x, View<const W> w, View<float> y) {
        const Index height = std::clamp<Index>(w.rows / 32 / 4 * 4, 4, 256), panels = ceil_div(w.rows, height);
        pool.parallel_for(panels, [&](Index panel) {
            const Index end = std::min(w.rows, (panel + 1) * height);
            for (Index n = panel * height; n < end; n += 4) rows<1>(p, x, w, n, std::min<Index>(4, end - n), y);
        });
    }

    static void backward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> c, View<const W> w, View<float> g) {
        const Index width = std::clamp<Index>(round_up(ceil_div(w.cols, 8), 64), 256, 1024), panels = ceil_div(w.cols, width);
        pool.parallel_for(panels, [&](Index panel, unsigned worker) {
            const Index first = panel * width, cols = std::min(width, w.cols - first);
            float* block = scratch.own<float>(worker, 2 * stream_rows * width);
            float* total = block + stream_rows * width;
            std::fill_n(total, c.rows * width, 0.0f);
            for (Index from = 0; from < w.rows; from += block_depth) {
                std::fill_n(block, c.rows * width, 0.0f);
                const Index end = std::min(w.rows, from + block_depth);
                Index n = from;
                for (; n + 8 <= end; n += 8) add<8, 1>(c, w, n, first, cols, block, width);
                for (; n < end; ++n) add<1, 1>(c, w, n, first, cols, block, width);
                for (Index i = 0; i < c.rows * width; ++i) total[i] += block[i];
            }
            const View<float> out = g.columns(first, cols);
            for (Index t = 0; t < c.rows; ++t)
                for (Index k = 0; k < cols; ++k) out(t, k) = written_sum(p, total[t * width + k], p.beta == 0 ? 0.0f : out(t, k));
        });
    }

  private:
    template <int T>
    static void rows(const Product& p, View<const float> x, View<const W> w, Index n, Index count, View<float> y) {
        if constexpr (T < stream_rows) {
            if (x.rows > T) return rows<T + 1>(p, x, w, n, count, y);
        }
        std::array<float, 4 * T> out;
        if (count == 4) {
            Isa::template dot<T, 4>(x.data, x.stride, w.row(n), w.stride, w.cols, out.data());
        } else {
            for (Index i = 0; i < count; ++i) Isa::template dot<T, 1>(x.data, x.stride, w.row(n + i), w.stride, w.cols, out.data() + i * T);
        }
        for (Index i = 0; i < count; ++i)
            for (Index t = 0; t < T; ++t) y(t, n + i) = written_sum(p, out[static_cast<std::size_t>(i * T + t)], p.beta == 0 ? 0.0f : y(t, n + i));
    }
    template <int R, int T>
    static void add(View<const float> c, View<const W> w, Index n, Index first, Index cols, float* sums, Index lds) {
        if constexpr (T < stream_rows) {
            if (c.rows > T) return add<R, T + 1>(c, w, n, first, cols, sums, lds);
        }
        Isa::template axpy<T, R>(c.data + n, c.stride, w.row(n) + first, w.stride, cols, sums, lds);
    }
};

}  // namespace lrp::detail
