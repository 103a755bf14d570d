// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The tile registers of AMX, in plain C++: what a tile program computes on a machine that has them, bit for bit, on one that has not.
// Slow and literal; it serves to test programs written over a tile policy (product/tiles.hpp names the other policy).
#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include <lrp/core/error.hpp>
#include <lrp/core/scalar.hpp>

namespace lrp::detail {

/// The shapes of the eight tiles as the instruction LDTILECFG reads them. Palette 1: tiles of at most 16 rows of 64 bytes.
struct alignas(64) TileConfig {
    std::uint8_t palette = 0;
    std::uint8_t start_row = 0;
    std::array<std::uint8_t, 14> reserved{};
    std::array<std::uint16_t, 16> colsb{};  // bytes of a row; the last eight are reserved
    std::array<std::uint8_t, 16> rows{};

    /// Eight tiles of 16 x 64 bytes.
    static constexpr TileConfig full() {
        TileConfig config;
        config.palette = 1;
        for (std::size_t tile = 0; tile < 8; ++tile) {
            config.colsb[tile] = 64;
            config.rows[tile] = 16;
        }
        return config;
    }
};
static_assert(sizeof(TileConfig) == 64);

/// Tile policy: eight emulated tiles per thread. What the processor answers with a fault throws Error here.
///   configure: zeroes all tiles; refuses a palette, reserved byte or shape that LDTILECFG refuses.
///   load:      row r = colsb bytes at base + r * stride; what lies beyond the configured shape becomes zero.
///   dot:       C[m, n] += sum_k A[m, 2k] B[k, 2n] + A[m, 2k+1] B[k, 2n+1], bf16 pairs, each of the two sums over k in float32 from
///              zero, then both added, then added to C; denormals are zero on the way in and out, rounding is to nearest even.
/// Source: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2 (LDTILECFG, TILELOADD, TILESTORED, TDPBF16PS).
struct SoftTiles {
    static void configure(const TileConfig& config) {
        require(config.palette == 1, "tile configuration: palette 1 is expected, found ", int{config.palette});
        require(config.start_row == 0, "tile configuration: start row 0 is expected, found ", int{config.start_row});
        for (const auto byte : config.reserved) require(byte == 0, "tile configuration: a reserved byte is ", int{byte});
        for (std::size_t tile = 0; tile < 16; ++tile) {
            const int rows = config.rows[tile];
            const int colsb = config.colsb[tile];
            require(rows <= 16 && colsb <= 64 && (rows == 0) == (colsb == 0) && (tile < 8 || rows == 0), "tile configuration: tile ", tile, " has ", rows,
                    " rows of ", colsb, " bytes, at most 16 rows of 64 bytes in tiles 0 to 7 are expected");
        }
        state() = State{config, {}};
    }
    static void release() { state() = State{}; }
    /// Whether this thread's tiles are configured.
    static bool configured() { return state().config.palette != 0; }

    template <int Tile>
    static void zero() {
        shape(Tile);
        state().tiles[Tile] = {};
    }

    template <int Tile>
    static void load(const void* base, Index stride) {
        const Shape is = shape(Tile);
        Bytes& tile = state().tiles[Tile];
        tile = {};
        for (std::size_t row = 0; row < is.rows; ++row)
            std::memcpy(tile.data() + row * 64, static_cast<const std::byte*>(base) + static_cast<Index>(row) * stride, is.colsb);
    }

    template <int Tile>
    static void store(void* base, Index stride) {
        const Shape is = shape(Tile);
        const Bytes& tile = state().tiles[Tile];
        for (std::size_t row = 0; row < is.rows; ++row)
            std::memcpy(static_cast<std::byte*>(base) + static_cast<Index>(row) * stride, tile.data() + row * 64, is.colsb);
    }

    template <int C, int A, int B>
    static void dot() {
        static_assert(C != A && C != B && A != B, "the three tiles must differ");
        const Shape c = shape(C);
        const Shape a = shape(A);
        const Shape b = shape(B);
        require(c.rows == a.rows && c.colsb == b.colsb && a.colsb == 4 * b.rows && c.colsb % 4 == 0, "tile product: ", c.rows, " x ", c.colsb / 4,
                " sums do not fit ", a.rows, " x ", a.colsb / 4, " times ", b.rows, " x ", b.colsb / 4, " pairs");
        for (std::size_t m = 0; m < c.rows; ++m) {
            std::array<float, 32> sums{};
            for (std::size_t k = 0; k < b.rows; ++k)
                for (std::size_t n = 0; n < c.colsb / 2; ++n) sums[n] = fused(widened(A, m, 2 * k + n % 2), widened(B, k, n), sums[n]);
            for (std::size_t n = 0; n < c.colsb / 4; ++n) {
                std::byte* at = state().tiles[C].data() + m * 64 + n * 4;
                float sum;
                std::memcpy(&sum, at, sizeof(sum));
                sum = flushed(flushed(sum) + flushed(sums[2 * n] + sums[2 * n + 1]));
                std::memcpy(at, &sum, sizeof(sum));
            }
        }
    }

    /// Runs Work::run(args...), compiled for the instructions of this policy: here none beyond the program's own.
    template <class Work, class... Args>
    static void call(Args... args) {
        Work::run(args...);
    }

    /// out[j, i] = in[i, j], 16 x 16 units of four bytes; rows lie 64 bytes apart.
    static void transpose(const void* in, void* out) {
        for (std::size_t row = 0; row < 16; ++row)
            for (std::size_t col = 0; col < 16; ++col)
                std::memcpy(static_cast<std::byte*>(out) + col * 64 + row * 4, static_cast<const std::byte*>(in) + row * 64 + col * 4, 4);
    }

    /// The pairs (even[i], odd[i]): those of i < 16 at `low`, the others at `high`.
    static void interleave(const bf16* even, const bf16* odd, bf16* low, bf16* high) {
        for (int i = 0; i < 16; ++i) {
            low[2 * i] = even[i];
            low[2 * i + 1] = odd[i];
            high[2 * i] = even[16 + i];
            high[2 * i + 1] = odd[16 + i];
        }
    }

  private:
    using Bytes = std::array<std::byte, 1024>;
    struct State {
        TileConfig config;
        std::array<Bytes, 8> tiles{};
    };
    struct Shape {
        std::size_t rows, colsb;
    };
    static State& state() {
        thread_local State own;
        return own;
    }
    static Shape shape(std::size_t tile) {
        require(tile < 8 && state().config.rows[tile] != 0, "tile ", tile, " is used and not configured");
        return {state().config.rows[tile], state().config.colsb[tile]};
    }

    static float flushed(float value) { return std::fabs(value) < 0x1p-126f ? std::copysign(0.0f, value) : value; }
    static float widened(std::size_t tile, std::size_t row, std::size_t col) {
        bf16 value;
        std::memcpy(&value, state().tiles[tile].data() + row * 64 + col * 2, sizeof(value));
        return flushed(static_cast<float>(value));
    }
    /// a * b + c rounded once. The product of two bf16 is exact in float32 unless it leaves the normal range.
    static float fused(float a, float b, float c) {
        const float product = a * b;
        const bool exact = a == 0 || b == 0 || !(std::fabs(product) < 0x1p-126f || std::isinf(product));
        return flushed(exact ? product + c : std::fma(a, b, c));
    }
};

}  // namespace lrp::detail
