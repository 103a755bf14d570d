// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/eigen/product/tiles.hpp>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "support/catch.hpp"
#include "support/cpu.hpp"

using namespace lrp;
using namespace lrp::detail;
using Catch::Matchers::Contains;

namespace {

bf16 b(float value) { return bf16(value); }

/// Tiles 0 = 0 += 1 * 2 with one row of pairs, times one column of them, and what it gives.
template <std::size_t N>
float dots(float c, const std::array<bf16, N>& left, const std::array<bf16, N>& right) {
    TileConfig config;
    config.palette = 1;
    config.rows = {1, 1, N / 2};
    config.colsb = {4, 2 * N, 4};
    SoftTiles::configure(config);
    SoftTiles::load<0>(&c, 64);
    SoftTiles::load<1>(left.data(), 64);
    SoftTiles::load<2>(right.data(), 4);
    SoftTiles::dot<0, 1, 2>();
    SoftTiles::store<0>(&c, 64);
    SoftTiles::release();
    return c;
}
float one_dot(float c, bf16 a0, bf16 a1, bf16 b0, bf16 b1) { return dots<2>(c, {a0, a1}, {b0, b1}); }

}  // namespace

TEST_CASE("an emulated tile holds its shape: loads cut and pad, stores write no more") {
    TileConfig config;
    config.palette = 1;
    config.rows[3] = 2;
    config.colsb[3] = 8;
    config.rows[4] = 16;
    config.colsb[4] = 64;
    SoftTiles::configure(config);
    std::vector<std::uint8_t> in(100);
    std::iota(in.begin(), in.end(), std::uint8_t{1});
    SoftTiles::load<3>(in.data(), 20);
    std::vector<std::uint8_t> out(100, 0xee);
    SoftTiles::store<3>(out.data(), 30);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const bool first = i < 8;
        const bool second = i >= 30 && i < 38;
        CHECK(int{out[i]} == (first ? static_cast<int>(i) + 1 : second ? static_cast<int>(i) - 30 + 21 : 0xee));
    }
    std::vector<std::uint8_t> full(1024, 7);
    SoftTiles::load<4>(full.data(), 64);
    SoftTiles::zero<4>();
    SoftTiles::store<4>(full.data(), 64);
    CHECK(full == std::vector<std::uint8_t>(1024, 0));
    CHECK(SoftTiles::configured());
    SoftTiles::release();
    CHECK_FALSE(SoftTiles::configured());
}

TEST_CASE("an emulated configuration refuses what the processor refuses") {
    const auto refused = [](auto change, const std::string& why) {
        TileConfig config = TileConfig::full();
        change(config);
        CHECK_THROWS_WITH(SoftTiles::configure(config), Contains(why));
    };
    refused([](TileConfig& c) { c.palette = 2; }, "palette 1 is expected, found 2");
    refused([](TileConfig& c) { c.start_row = 1; }, "start row");
    refused([](TileConfig& c) { c.reserved[5] = 1; }, "reserved");
    refused([](TileConfig& c) { c.rows[7] = 17; }, "tile 7 has 17 rows");
    refused([](TileConfig& c) { c.colsb[0] = 65; }, "tile 0 has 16 rows of 65");
    refused([](TileConfig& c) { c.colsb[1] = 0; }, "tile 1 has 16 rows of 0");
    refused([](TileConfig& c) { c.rows[8] = 1, c.colsb[8] = 4; }, "tile 8");

    SoftTiles::release();
    CHECK_THROWS_WITH(SoftTiles::zero<0>(), Contains("tile 0 is used and not configured"));
    TileConfig config = TileConfig::full();
    config.rows[2] = 15;  // the right operand's rows are the left one's pairs
    SoftTiles::configure(config);
    CHECK_THROWS_WITH((SoftTiles::dot<0, 1, 2>()), Contains("16 x 16 sums do not fit 16 x 16 times 15 x 16 pairs"));
    for (const int wrong : {0, 1, 2}) {  // rows of the left operand, columns of the right one, half a number
        config = TileConfig::full();
        if (wrong == 0) config.rows[1] = 15;
        if (wrong >= 1) config.colsb[2] = 62;
        if (wrong == 2) config.colsb[0] = 62;
        SoftTiles::configure(config);
        CHECK_THROWS_WITH((SoftTiles::dot<0, 1, 2>()), Contains("sums do not fit"));
    }
    SoftTiles::release();
}

TEST_CASE("an emulated tile product sums as the processor does") {
    CHECK(one_dot(1, b(2), b(3), b(5), b(7)) == 32);
    // Both sums are formed before they meet the result: one after the other, each 1 would vanish.
    CHECK(one_dot(0x1p24f, b(1), b(1), b(1), b(1)) == 0x1p24f + 2);
    // Denormals are zero: going in as a factor, coming out of a product, and as a result so far.
    CHECK(one_dot(1, bf16(0x1p-127f), b(0), b(0x1p127f), b(0)) == 1);
    CHECK(one_dot(0, b(0x1p-100f), b(0), b(0x1p-30f), b(0)) == 0);
    CHECK(one_dot(0x1p-130f, b(0), b(0), b(0), b(0)) == 0);
    CHECK(one_dot(0, b(0x1p-63f), b(0), b(0x1p-63f), b(0)) == 0x1p-126f);
    CHECK(one_dot(0x1p-127f, b(0x1p-63f), b(0), b(0x1p-63f), b(0)) == 0x1p-126f);
    CHECK(one_dot(0x1p-126f, b(0x1.8p-63f), b(-0x1p-63f), b(0x1p-63f), b(0x1p-63f)) == 0x1p-126f);
    const float below = one_dot(-0x1.8p-126f, b(0x1p-63f), b(0), b(0x1p-63f), b(0));
    CHECK((below == 0 && std::signbit(below)));
    // Infinite is infinite.
    const float most = std::numeric_limits<float>::max();
    CHECK(one_dot(most, b(0x1p64f), b(0), b(0x1p64f), b(0)) == std::numeric_limits<float>::infinity());
    // A product and a sum are rounded once: alone, the second product would be infinite, or lose what tips the balance.
    const auto two_dots = [](bf16 a0, bf16 b0, bf16 a1, bf16 b1) { return dots<4>(0, {a0, b(0), a1, b(0)}, {b0, b(0), b1, b(0)}); };
    CHECK(two_dots(b(-0x1p63f), b(0x1p64f), b(0x1p64f), b(0x1p64f)) == 0x1p127f);
    CHECK(two_dots(b(0x1p-60f), b(0x1p-65f), b(0x1.02p-70f), b(0x1.02p-79f)) == 0x1p-125f + 0x1p-148f);

    // All rows and columns, against a double loop; integers, so that nothing is rounded.
    std::mt19937 random(3);
    std::uniform_int_distribution<int> small(-20, 20);
    std::vector<bf16> left(512);
    std::vector<bf16> right(512);
    std::vector<float> sums(256);
    for (auto& v : left) v = b(static_cast<float>(small(random)));
    for (auto& v : right) v = b(static_cast<float>(small(random)));
    for (auto& v : sums) v = static_cast<float>(small(random));
    std::vector<float> expected = sums;
    for (std::size_t m = 0; m < 16; ++m)
        for (std::size_t n = 0; n < 16; ++n)
            for (std::size_t k = 0; k < 32; ++k)
                expected[16 * m + n] += static_cast<float>(left[32 * m + k]) * static_cast<float>(right[32 * (k / 2) + 2 * n + k % 2]);
    SoftTiles::configure(TileConfig::full());
    SoftTiles::load<5>(sums.data(), 64);
    SoftTiles::load<6>(left.data(), 64);
    SoftTiles::load<7>(right.data(), 64);
    SoftTiles::dot<5, 6, 7>();
    SoftTiles::store<5>(sums.data(), 64);
    SoftTiles::release();
    CHECK(sums == expected);
}

TEST_CASE("vector instructions turn and interleave as plain loops do") {
    std::vector<std::uint32_t> in(256);
    std::iota(in.begin(), in.end(), 1000000u);
    std::vector<std::uint32_t> plain(256);
    SoftTiles::transpose(in.data(), plain.data());
    for (std::size_t i = 0; i < 256; ++i) CHECK(plain[i] == in[i % 16 * 16 + i / 16]);
    bf16 even[32];
    bf16 odd[32];
    for (std::size_t i = 0; i < 32; ++i) {
        even[i].bits = static_cast<std::uint16_t>(100 + i);
        odd[i].bits = static_cast<std::uint16_t>(200 + i);
    }
    bf16 pairs[64];
    SoftTiles::interleave(even, odd, pairs, pairs + 32);
    for (std::size_t i = 0; i < 64; ++i) CHECK(pairs[i].bits == (i % 2 ? 200 : 100) + i / 2);

    if (!lrp::test::has_avx512()) {
        WARN("SKIPPED: this machine has no AVX-512");
        return;
    }
    std::vector<std::uint32_t> fast(256);
    HardwareTiles::transpose(in.data(), fast.data());
    CHECK(fast == plain);
    bf16 fast_pairs[64];
    HardwareTiles::interleave(even, odd, fast_pairs, fast_pairs + 32);
    CHECK(std::memcmp(pairs, fast_pairs, sizeof(pairs)) == 0);
}

namespace {
/// A chain of products over random tiles, denormals among them, and its result.
template <class Tiles>
std::vector<float> chain(const std::vector<bf16>& left, const std::vector<bf16>& right, std::vector<float> sums) {
    static constexpr TileConfig config = TileConfig::full();
    Tiles::configure(config);
    Tiles::template load<0>(sums.data(), 64);
    Tiles::template zero<1>();
    for (int i = 0; i < 4; ++i) {
        Tiles::template load<4>(left.data(), 128);  // every other row of the matrix
        Tiles::template load<6>(right.data() + 512 * i, 64);
        Tiles::template dot<0, 4, 6>();
        Tiles::template dot<1, 4, 6>();
    }
    std::vector<float> other(256);
    Tiles::template store<0>(sums.data(), 64);
    Tiles::template store<1>(other.data(), 64);
    Tiles::release();
    sums.insert(sums.end(), other.begin(), other.end());
    return sums;
}
}  // namespace

TEST_CASE("the processor's tiles and the emulated ones agree bit for bit") {
    if (!amx_available()) {
        WARN("SKIPPED: this machine has no AMX; its tile instructions are compiled and never run");
        return;
    }
    std::mt19937 random(5);
    std::normal_distribution<float> normal;
    std::uniform_int_distribution<int> exponent(-70, 10);
    std::vector<bf16> left(1024);
    std::vector<bf16> right(2048);
    std::vector<float> sums(256);
    for (auto& v : left) v = bf16(std::ldexp(normal(random), exponent(random)));
    for (auto& v : right) v = bf16(std::ldexp(normal(random), exponent(random)));
    for (auto& v : sums) v = std::ldexp(normal(random), exponent(random));
    const auto soft = chain<SoftTiles>(left, right, sums);
    const auto hard = chain<HardwareTiles>(left, right, sums);
    CHECK(std::memcmp(soft.data(), hard.data(), soft.size() * sizeof(float)) == 0);
}
