// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/backend/primitives.hpp>
#include <lrp/core/thread_pool.hpp>
#include <lrp/eigen/product/amx.hpp>
#include <lrp/eigen/product/scratch.hpp>

namespace lrp::detail {

/// A product on AMX tiles: activations packed by blocks of tokens, then panels of the result, both shared among the threads. `terms` is 3, exact as
/// float32, or 1, bf16. The panels are cut by shape alone, as if for `shares` threads.
template <class Tiles>
struct TileProduct {
    static constexpr unsigned shares = 16;

    static void forward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> x, View<const bf16> w, View<float> y, int terms) {
        run(Direction::forward, pool, scratch, p, x, w, y, terms);
    }
    static void backward(ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> c, View<const bf16> w, View<float> g, int terms) {
        run(Direction::backward, pool, scratch, p, c, w, g, terms);
    }

  private:
    static void run(Direction direction, ThreadPool& pool, ProductScratch& scratch, const Product& p, View<const float> in, View<const bf16> w, View<float> out, int terms) {
        bf16* packed = scratch.shared<bf16>(static_cast<Index>(amx_packed_bytes(in.rows, in.cols, terms) / sizeof(bf16)));
        pool.parallel_for(amx_token_blocks(in.rows), [&](Index block) { amx_pack<Tiles>(direction, in, terms, block, block + 1, packed); });
        const Index width = amx_columns(direction, in.rows, out.cols, shares);
        pool.parallel_for(ceil_div(out.cols, width), [&](Index panel) {
            const Index first = panel * width;
            amx_product<Tiles>(direction, {packed, w, out, first, std::min(first + width, out.cols), static_cast<float>(p.alpha), static_cast<float>(p.beta)}, terms);
        });
    }
};
using OnTiles = TileProduct<HardwareTiles>;

}  // namespace lrp::detail
