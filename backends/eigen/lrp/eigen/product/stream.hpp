// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Products with few rows, where the time is that of reading W once: W is not packed but widened in registers on its way through, for some rows of x
// at a time, and what is ahead is fetched.
//   forward   y [T, N] (+)= alpha x W^T    dot products, four rows of W at a time
//   backward  g [T, K] (+)= alpha c W      multiples of W's rows added up, some rows at a time, in the order of the blocked product
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <type_traits>

#include <lrp/eigen/product/blocked.hpp>
#include <lrp/eigen/product/stream_kernels.hpp>

namespace lrp::detail {

template <class Isa, class W>
class Streamed {
  public:
    using E = typename Isa::element;
    static constexpr Index resident = 32;    // rows of x that go past a panel of W before the next do
    static constexpr Index most_fours = 16;  // of W's rows, to a panel

    static void forward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> x, View<const W> w, View<float> y) {
        const View<const E> in = elements(pool, x, [&] { return scratch.shared<E>(x.rows * ceil_div(x.cols, Isa::depth)); });
        pool.parallel_ranges(ceil_div(w.rows, 4), most_fours, [&](Index begin, Index end, unsigned) {
            for (Index first = 0; first < x.rows; first += resident) {
                const Index some = std::min(resident, x.rows - first);
                for (Index n = 4 * begin; n < std::min(w.rows, 4 * end); n += 4) dots(p, in.rows_from(first, some), w, n, y.rows_from(first, some));
            }
        });
    }

    static void backward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> c, View<const W> w, View<float> g) {
        // A column's sum is that of its blocks' sums in turn, so it does not change a bit how columns and blocks are dealt. Memory likes long runs.
        const Index threads = pool.size(), blocks = ceil_div(w.rows, block_terms);
        const Index kept = blocks * c.rows * round_up(w.cols, 64);
        constexpr Index long_run = (Index{8} << 10) / Index{sizeof(W)}, most_kept = Index{1} << 17;  // sums that the second cache holds
        const bool even = blocks >= 4 * threads || blocks % threads == 0;
        const bool whole_rows = Isa::depth == 1 && c.rows <= stream_rows && w.cols < threads * long_run && even && kept <= most_kept;

        const Index packed = c.rows * ceil_div(w.rows, Isa::depth);
        E* const memory = scratch.shared<E>(packed * Isa::depth + (whole_rows ? kept : 0));
        E* const behind = memory + packed;
        const View<const E> factors = turned(pool, elements(pool, c, [&] { return behind; }), memory);
        if (whole_rows)
            by_blocks(pool, reinterpret_cast<float*>(behind), p, factors, w, g);
        else
            by_columns(pool, scratch, p, factors, w, g);
    }

  private:
    static constexpr Index block_terms = block_depth * Isa::depth;
    static constexpr Index strip = 2 * Isa::lanes, most_together = 64;  // columns that a kernel takes at once, and rows of W of a walk at most
    using Rest = std::array<W, most_together * strip>;

    // Factors of products backward: [terms or pairs of them][rows of c].

    /// Columns are cut as wide as threads and the second cache allow, and as many for every thread.
    static void by_columns(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const E> factors, View<const W> w, View<float> g) {
        const Index rows = factors.cols, threads = pool.size(), widest = std::max<Index>(256, (Index{128} << 10) / Index{sizeof(float)} / rows);
        const Index width = round_up(ceil_div(w.cols, round_up(ceil_div(w.cols, widest), threads)), 64), panels = ceil_div(w.cols, width);
        pool.parallel_for(panels, [&](Index panel, unsigned worker) {
            const Index first = panel * width, cols = std::min(width, w.cols - first);
            float* block = scratch.own<float>(worker, 2 * rows * width);
            float* total = block + rows * width;
            std::fill_n(total, rows * width, 0.0f);
            for (Index from = 0; from < w.rows; from += block_terms) {
                sum_block(factors, w, from, first, cols, block, width);
                for (Index i = 0; i < rows * width; ++i) total[i] += block[i];
            }
            for (Index t = 0; t < rows; ++t) put_columns(p, total + t * width, cols, g.row(t) + first);
        });
    }
    /// Whole rows of W: the sums of every block are kept, [blocks][rows of c][columns], and then added up.
    static void by_blocks(ThreadPool& pool, float* sums, const Product& p, View<const E> factors, View<const W> w, View<float> g) {
        const Index rows = factors.cols, width = round_up(w.cols, 64), blocks = ceil_div(w.rows, block_terms);
        pool.parallel_for(blocks, [&](Index block) { sum_block(factors, w, block * block_terms, 0, w.cols, sums + block * rows * width, width); });
        constexpr Index part = 256;
        pool.parallel_for(ceil_div(w.cols, part), [&](Index i) {
            const Index first = i * part, cols = std::min(part, width - first);
            for (Index t = 0; t < rows; ++t) {
                std::array<float, part> total{};
                for (Index block = 0; block < blocks; ++block) {
                    const float* from = sums + (block * rows + t) * width + first;
                    for (Index k = 0; k < cols; ++k) total[static_cast<std::size_t>(k)] += from[k];
                }
                put_columns(p, total.data(), std::min(part, w.cols - first), g.row(t) + first);
            }
        });
    }
    /// sums[t] <- c[t] W over the rows of one block, `cols` columns from `first` on, up to a whole strip of them.
    static void sum_block(View<const E> factors, View<const W> w, Index from, Index first, Index cols, float* sums, Index lds) {
        std::fill_n(sums, factors.cols * lds, 0.0f);
        const Index whole = cols / strip * strip, end = std::min(w.rows, from + block_terms);
        const Index together = Isa::walk_rows(factors.cols);
        for (Index n = from; n < end; n += together) {
            const Index rows = std::min(together, end - n);
            const View<const E> some = factors.rows_from(n / Isa::depth, ceil_div(rows, Isa::depth));
            each(some, w.row(n) + first, w.stride, rows, whole, sums, lds);
            if (whole == cols) continue;
            Rest rest{};  // the last columns, with zeros to a strip
            for (Index i = 0; i < rows; ++i) std::copy_n(w.row(n + i) + first + whole, cols - whole, rest.begin() + i * strip);
            each(some, rest.data(), strip, rows, strip, sums + whole, lds);
        }
    }
    /// Sums over columns, which sum_block left as they were unpacked, to where they belong.
    static void put_columns(const Product& p, float* sums, Index cols, float* out) {
        if constexpr (std::same_as<W, bf16>) undo_unpack_order<Isa::lanes>(sums, round_up(cols, strip));
        put_sums(p, sums, cols, out);
    }

    /// Terms of a dot product that are added up in registers: x's part of so many stays in the second cache.
    static constexpr Index dot_terms = 2048;

    /// x as it is, or as pairs of bf16 in memory that is asked for.
    static View<const E> elements(ThreadPool& pool, View<const float> x, const auto& memory) {
        if constexpr (Isa::depth == 1) {
            return x;
        } else {
            const Index pairs = ceil_div(x.cols, Index{2});
            E* const to = memory();
            pool.parallel_for(x.rows, [&](Index t) { Isa::elements(x.row(t), x.cols, to + t * pairs); });
            return {to, x.rows, pairs};
        }
    }
    /// Rows and columns of `x` exchanged: a kernel then finds what it multiplies a row of W with in one place.
    static View<const E> turned(ThreadPool& pool, View<const E> x, E* to) {
        if (x.rows == 1) return {x.data, x.cols, 1};
        const Index part = ceil_div(Index{8192}, x.rows);  // less is not worth waking a thread for
        pool.parallel_for(ceil_div(x.cols, part), [&](Index i) {
            for (Index k = i * part; k < std::min(x.cols, (i + 1) * part); ++k)
                for (Index t = 0; t < x.rows; ++t) to[k * x.rows + t] = x(t, k);
        });
        return {to, x.cols, x.rows};
    }
    /// How many of `rows` rows go together from row `t` on: the rest, in parts as even as they come, none above `most`.
    template <int most>
    static Index share(Index rows, Index t) {
        return ceil_div(rows - t, ceil_div(rows - t, Index{most}));
    }

    /// Calls `kernel` with a Reader, a constant, and the first row and number of rows of each part of `rows` rows, none above `most`.
    template <int most>
    static void in_parts(Index rows, const auto& kernel) {
        if (rows <= most) return kernel(std::integral_constant<Reader, Reader::only>{}, 0, rows);
        Index t = share<most>(rows, 0);
        kernel(std::integral_constant<Reader, Reader::first>{}, 0, t);
        for (Index some = 0; t < rows; t += some) {
            some = share<most>(rows, t);
            kernel(std::integral_constant<Reader, Reader::later>{}, t, some);
        }
    }
    /// y[:, n..] for up to four rows of W from n on.
    static void dots(const Product& p, View<const E> x, View<const W> w, Index n, View<float> y) {
        const Index count = std::min<Index>(4, w.rows - n);
        std::array<float, 4 * resident> sums{};  // [rows of x][4]
        for (Index k = 0; k < w.cols; k += dot_terms) {
            const Index terms = std::min(dot_terms, w.cols - k);
            const W* const next = k + terms < w.cols ? w.row(n) + k + terms : w.row(n + 4);
            in_parts<Isa::most_dots>(x.rows, [&](auto reader, Index t, Index some) {
                rows<1, reader.value>({&x(t, k / Isa::depth), some, ceil_div(terms, Isa::depth), x.stride}, w.row(n) + k, w.stride, count, terms, sums.data() + 4 * t, next);
            });
        }
        for (Index t = 0; t < x.rows; ++t) put_sums(p, sums.data() + 4 * t, count, &y(t, n));
    }
    template <int T, Reader reader>
    static void rows(View<const E> x, const W* w, Index stride, Index count, Index terms, float* sums, const W* next) {
        if constexpr (T < Isa::most_dots) {
            if (x.rows > T) return rows<T + 1, reader>(x, w, stride, count, terms, sums, next);
        }
        if (count == 4) return Isa::template dot<T, 4, reader>(x.data, x.stride, w, stride, terms, sums, next);
        for (Index i = 0; i < count; ++i) Isa::template dot<T, 1, reader>(x.data, x.stride, w + i * stride, stride, terms, sums + i, next);
    }
    /// sums[t] += sum over i of factors[i, t] w_i, for all rows of c.
    static void each(View<const E> factors, const W* w, Index stride, Index rows, Index width, float* sums, Index lds) {
        in_parts<Isa::most_sums>(factors.cols, [&](auto reader, Index t, Index some) {
            add<1, reader.value>({factors.data + t, factors.rows, some, factors.stride}, w, stride, rows, width, sums + t * lds, lds);
        });
    }
    template <int T, Reader reader>
    static void add(View<const E> factors, const W* w, Index stride, Index rows, Index width, float* sums, Index lds) {
        if constexpr (T < Isa::most_sums) {
            if (factors.cols > T) return add<T + 1, reader>(factors, w, stride, rows, width, sums, lds);
        }
        Isa::template axpy<T, reader>(factors.data, factors.stride, w, stride, rows, width, sums, lds);
    }
};

}  // namespace lrp::detail
