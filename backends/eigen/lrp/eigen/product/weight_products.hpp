// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Which code forms a product of float activations with a matrix of weights, by what the CPU has and by how many rows there are. Nobody need
// choose; tests and benchmarks may.
#pragma once

#include <algorithm>
#include <chrono>

#include <lrp/core/products.hpp>
#include <lrp/eigen/product/amx_product.hpp>
#include <lrp/eigen/product/panels.hpp>
#include <lrp/eigen/product/self_check.hpp>
#include <lrp/eigen/product/stream.hpp>

namespace lrp {

/// The ways a product can be formed.
enum class ProductPath { panels, avx2, avx512, dot_bf16, amx_exact, amx_fast };

[[nodiscard]] constexpr const char* product_path_name(ProductPath path) {
    switch (path) {
        case ProductPath::avx2: return "AVX2";
        case ProductPath::avx512: return "AVX-512";
        case ProductPath::dot_bf16: return "vdpbf16ps";
        case ProductPath::amx_exact: return "AMX in three terms";
        case ProductPath::amx_fast: return "AMX in one term";
        default: return "panels";
    }
}

/// Products y = x W^T and g = c W, W [N, K] of float or bf16 where it lies, everything else float; sums in float.
class WeightProducts {
    /// Up to how many rows W is streamed: measured on Zen 4.
    static constexpr Index few_rows(ProductPath path, bool forward) {
        if (path == ProductPath::dot_bf16) return forward ? 28 : 60;
        if (path == ProductPath::avx512) return forward ? 48 : 36;
        if (path == ProductPath::avx2) return forward ? 12 : 24;
        return 0;
    }

  public:
    explicit WeightProducts(unsigned threads) : scratch_(threads) {}

    Products products = Products::exact;       ///< may be set at any time
    CpuFeatures cpu = CpuFeatures::detect();   ///< may be cut down
    detail::PanelProvider provider = detail::has_cblas() ? detail::PanelProvider::cblas : detail::PanelProvider::eigen;  ///< of the panels path
    Index sharing = 1;  ///< prompts among which the rows are shared: code is chosen as for the rows of one, so that packing them changes no bit

    /// The path that a product with `rows` rows and weights of W takes.
    template <Storage W>
    [[nodiscard]] ProductPath path(Index rows) const {
        if constexpr (std::same_as<W, bf16>) {
            const ProductPath tiles = products == Products::fast ? ProductPath::amx_fast : ProductPath::amx_exact;
            if (cpu.amx && rows >= amx_from_rows && usable<W>(tiles)) return tiles;
            if (products == Products::fast && rows > detail::stream_rows && cpu.avx512_bf16 && usable<W>(ProductPath::dot_bf16) && dot_is_faster()) return ProductPath::dot_bf16;
        }
        if constexpr (!std::same_as<W, double>) {
            if (cpu.avx512 && usable<W>(ProductPath::avx512)) return ProductPath::avx512;
            if (cpu.avx2 && usable<W>(ProductPath::avx2)) return ProductPath::avx2;
        }
        return ProductPath::panels;
    }

    /// C <- alpha A op(B) + beta C, where op(B) is W or its transpose.
    template <Storage W>
    void run(ThreadPool& pool, const Product& p, View<const float> a, View<const W> b, View<float> c) {
        if (p.transpose_a || c.rows == 0 || c.cols == 0) return detail::PanelProduct<float>::run(pool, scratch_, provider, p, a, b, c);
        const Index rows_of_one = std::max<Index>(1, a.rows / sharing);
        const ProductPath chosen = path<W>(rows_of_one);
        const Way way{chosen, (p.transpose_b ? rows_of_one : a.rows) <= few_rows(chosen, p.transpose_b)};  // backward, streamed and packed are the same bits
        // Long prompts in pieces: what a piece packs stays in the caches.
        constexpr Index piece = 512;
        for (Index first = 0; first < a.rows; first += piece) {
            const Index rows = std::min(piece, a.rows - first);
            run_piece(way, pool, scratch_, provider, p, a.rows_from(first, rows), b, c.rows_from(first, rows));
        }
    }

    /// Whether prompts of `a` and of `b` rows, and of all numbers between, may share products and each be the same bits as alone, in both directions.
    template <Storage W>
    [[nodiscard]] bool alike(Index a, Index b) const {
        const ProductPath taken = path<W>(a);
        if (taken == ProductPath::panels) return false;  // a library chooses by sizes of its own
        return taken == path<W>(b) && (a <= few_rows(taken, true)) == (b <= few_rows(taken, true));
    }

    /// Whether a path's results agree with a plain loop on this machine, which must have its instructions; asked once for all, of each storage. Where they do not, a
    /// line on standard error says so and other code forms the products.
    template <Storage W = bf16>
    [[nodiscard]] static bool usable(ProductPath path) {
        using enum ProductPath;
        static_assert(std::max({few_rows(avx2, true), few_rows(avx2, false), few_rows(avx512, true), few_rows(avx512, false), few_rows(dot_bf16, true), few_rows(dot_bf16, false)}) <
                      detail::checked_shapes.back().tokens);
        static std::array<detail::PathCheck, 5> checks{{{product_path_name(avx2), 1e-5},
                                                        {product_path_name(avx512), 1e-5},
                                                        {product_path_name(dot_bf16), 2e-2},
                                                        {product_path_name(amx_exact), 1e-5},
                                                        {product_path_name(amx_fast), 2e-2}}};
        detail::PathCheck& check = checks[static_cast<std::size_t>(path) - 1];
        const auto product = [path](bool transpose) {
            return [path, transpose](View<const float> x, View<const W> w, float alpha, float beta, View<float> y) {
                ThreadPool alone(1);
                detail::ProductScratch scratch(1);
                const Product p{.transpose_b = transpose, .alpha = alpha, .beta = beta};
                for (const Index rows : {std::min<Index>(3, x.rows), x.rows})  // few rows take other code than many
                    for (Index first = 0; first < x.rows && (rows == x.rows || beta == 0); first += rows) {
                        const Index some = std::min(rows, x.rows - first);
                        run_piece({path, some <= few_rows(path, transpose)}, alone, scratch, detail::PanelProvider::eigen, p, x.rows_from(first, some), w, y.rows_from(first, some));
                    }
            };
        };
        return check.usable<W>(product(true), product(false));
    }

    [[nodiscard]] detail::ProductScratch& scratch() { return scratch_; }

  private:
    /// A path, and whether W is streamed rather than packed.
    struct Way {
        ProductPath path;
        bool few;
    };

    template <Storage W>
    static void run_piece(const Way& way, ThreadPool& pool, detail::ProductScratch& scratch, detail::PanelProvider provider, const Product& p, View<const float> a,
                          View<const W> b, View<float> c) {
        using namespace detail;
#if defined(__x86_64__)
        const ProductPath chosen = way.path;
        if constexpr (std::same_as<W, bf16>) {
            if (chosen == ProductPath::amx_exact || chosen == ProductPath::amx_fast)
                return both<OnTiles>(pool, scratch, p, a, b, c, chosen == ProductPath::amx_exact ? 3 : 1);
            if (chosen == ProductPath::dot_bf16)
                return way.few ? both<Streamed<StreamDot, W>>(pool, scratch, p, a, b, c) : both<Blocked<DotAvx512, W>>(pool, scratch, p, a, b, c);
        }
        if (chosen == ProductPath::avx512)
            return way.few ? both<Streamed<StreamAvx512, W>>(pool, scratch, p, a, b, c) : both<Blocked<FmaAvx512, W>>(pool, scratch, p, a, b, c);
        if (chosen == ProductPath::avx2) return way.few ? both<Streamed<StreamAvx2, W>>(pool, scratch, p, a, b, c) : both<Blocked<FmaAvx2, W>>(pool, scratch, p, a, b, c);
#endif
        (void)way;
        PanelProduct<float>::run(pool, scratch, provider, p, a, b, c);
    }
    template <class Code, Storage W, class... More>
    static void both(ThreadPool& pool, detail::ProductScratch& scratch, const Product& p, View<const float> a, View<const W> b, View<float> c, More... more) {
        p.transpose_b ? Code::forward(pool, scratch, p, a, b, c, more...) : Code::backward(pool, scratch, p, a, b, c, more...);
    }

    /// Whether a bf16 dot product does more in a second than a float multiply-add: twice as much on some processors, half as much on others.
    static bool dot_is_faster();

    static constexpr Index amx_from_rows = 8;  // below, the time is that of reading W, by whatever code

    detail::ProductScratch scratch_;
};

#if defined(__x86_64__)
namespace detail {
/// Seconds that `tile` takes for a fixed amount of work in the first cache.
template <class Isa>
double seconds_of_tiles() {
    using Tile = typename Isa::Packed;
    std::vector<std::byte> memory(static_cast<std::size_t>(Tile::rows * tile_stride + Tile::vectors * Isa::lanes * block_depth) * sizeof(typename Isa::element) + 64);
    const auto at = (reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64;
    auto* a = reinterpret_cast<typename Isa::element*>(at);
    std::vector<float> c(static_cast<std::size_t>(Tile::rows * Tile::vectors * Isa::lanes));
    double best = 1;
    for (int round = 0; round < 5; ++round) {
        const auto start = std::chrono::steady_clock::now();
        for (int i = 0; i < 8; ++i) tile<Isa, Tile>(Tile::rows, Tile::vectors, a, TileStride{}, a + Tile::rows * tile_stride, c.data(), Tile::vectors * Isa::lanes, block_depth, Ahead{});
        best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    return best;
}
}  // namespace detail

inline bool WeightProducts::dot_is_faster() {
    static const bool faster = detail::seconds_of_tiles<detail::DotAvx512>() < 1.6 * detail::seconds_of_tiles<detail::FmaAvx512>();  // two terms a step
    return faster;
}
#else
inline bool WeightProducts::dot_is_faster() { return false; }
#endif

}  // namespace lrp
