// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/eigen/product/amx_product.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <sstream>
#include <vector>

#include <lrp/eigen/product/self_check.hpp>

#include "support/catch.hpp"
#include "support/cpu.hpp"
#include "support/guarded.hpp"

using namespace lrp;
using namespace lrp::detail;
using lrp::test::Guard;
using lrp::test::GuardedMatrix;

namespace {

/// Emulated tiles in a program that is otherwise compiled as for the real ones: vector instructions, inlining and all.
struct VectorTiles : SoftTiles {
    template <class Work, class... Args>
    static void call(Args... args) {
        HardwareTiles::call<Work>(args...);
    }
    static void transpose(const void* in, void* out) { HardwareTiles::transpose(in, out); }
    static void interleave(const bf16* even, const bf16* odd, bf16* low, bf16* high) { HardwareTiles::interleave(even, odd, low, high); }
};

/// Buffers as the caller provides them: exactly as long as asked for, on a cache line, before a page that may not be touched.
class Packed {
  public:
    Packed(Index tokens, Index depth, int terms)
        : numbers_(1, std::max<Index>(32, static_cast<Index>(amx_packed_bytes(tokens, depth, terms) / sizeof(bf16))), 0, Guard::after) {
        std::fill_n(numbers_.view().data, numbers_.size(), bf16(std::numeric_limits<float>::quiet_NaN()));
    }
    bf16* data() { return numbers_.view().data; }

  private:
    GuardedMatrix<bf16> numbers_;
};

struct Problem {
    Direction direction;
    Index tokens, k, n;
    GuardedMatrix<float> x;
    GuardedMatrix<bf16> w;
    std::vector<double> truth;  // sums without alpha and beta
    std::vector<float> before;

    [[nodiscard]] bool backward() const { return direction == Direction::backward; }
    [[nodiscard]] Index depth() const { return backward() ? n : k; }
    [[nodiscard]] Index width() const { return backward() ? k : n; }

    Problem(Direction direction_, Index tokens_, Index k_, Index n_, Guard guard = Guard::after)
        : direction(direction_), tokens(tokens_), k(k_), n(n_), x(tokens, depth(), depth() + 3, guard), w(n, k, k + 5, guard) {
        std::mt19937 random(static_cast<unsigned>(tokens + 100 * k + 7 * n));
        std::normal_distribution<float> normal;
        // What lies between rows must never count.
        std::fill_n(x.view().data, x.size(), std::numeric_limits<float>::quiet_NaN());
        std::fill_n(w.view().data, w.size(), bf16(std::numeric_limits<float>::quiet_NaN()));
        for (Index t = 0; t < tokens; ++t)
            for (Index d = 0; d < depth(); ++d) x.view()(t, d) = normal(random);
        for (Index row = 0; row < n; ++row)
            for (Index col = 0; col < k; ++col) w.view()(row, col) = bf16(normal(random) * 0.02f);
        before.resize(static_cast<std::size_t>(tokens * width()));
        for (auto& v : before) v = normal(random);
        truth.assign(before.size(), 0.0);
        for (Index t = 0; t < tokens; ++t)
            for (Index d = 0; d < depth(); ++d)
                for (Index j = 0; j < width(); ++j)
                    truth[static_cast<std::size_t>(t * width() + j)] += double{x.view()(t, d)} * widen<double>(backward() ? w.view()(d, j) : w.view()(j, d));
    }

    template <class Tiles>
    void pack(int terms, Packed& packed, Index blocks_at_a_time) const {
        const Index blocks = amx_token_blocks(tokens);
        for (Index first = 0; first < blocks; first += blocks_at_a_time)
            amx_pack<Tiles>(direction, x.view(), terms, first, std::min(blocks, first + blocks_at_a_time), packed.data());
    }

    /// The result, in panels that begin at `cuts`; columns before the first cut stay as they are.
    template <class Tiles>
    std::vector<float> run(int terms, float alpha, float beta, const std::vector<Index>& cuts, Guard guard = Guard::after) const {
        Packed packed(tokens, depth(), terms);
        pack<Tiles>(terms, packed, 2);
        const GuardedMatrix<float> result(tokens, width(), width() + 2, guard);
        const View<float> y = result.view();
        std::fill_n(y.data, result.size(), 99.0f);
        for (Index t = 0; t < tokens; ++t)
            for (Index j = 0; j < width(); ++j) y(t, j) = beta == 0 ? std::numeric_limits<float>::quiet_NaN() : before[static_cast<std::size_t>(t * width() + j)];
        // Whatever scratch holds when a product begins must not count: here every number in it is NaN.
        std::memset(AmxScratch::of_this_thread().weights(), 0xff, 2 * most_tiles * tile_bytes);
        for (std::size_t i = 0; i < cuts.size(); ++i)
            amx_product<Tiles>(direction, {packed.data(), w.view(), y, cuts[i], i + 1 < cuts.size() ? cuts[i + 1] : width(), alpha, beta}, terms);
        std::vector<float> out;
        bool between_rows = true;
        for (Index t = 0; t < tokens; ++t) {
            out.insert(out.end(), y.row(t), y.row(t) + width());
            if (t + 1 < tokens) between_rows = between_rows && y.row(t)[width()] == 99.0f && y.row(t)[width() + 1] == 99.0f;
        }
        CHECK(between_rows);
        return out;
    }

    /// Largest deviation of alpha * truth + beta * before, relative to the largest of it; infinity if one is not finite.
    [[nodiscard]] double deviation(const std::vector<float>& result, float alpha, float beta) const {
        double largest = 0;
        double worst = 0;
        for (std::size_t i = 0; i < result.size(); ++i) {
            const double expected = double{alpha} * truth[i] + (beta == 0 ? 0.0 : double{beta} * before[i]);
            if (!std::isfinite(result[i])) return std::numeric_limits<double>::infinity();
            largest = std::max(largest, std::fabs(expected));
            worst = std::max(worst, std::fabs(result[i] - expected));
        }
        return worst / largest;
    }
};

/// What a loop in float32 makes of the problem.
std::vector<float> float_loop(const Problem& p) {
    std::vector<float> out(p.truth.size(), 0.0f);
    for (Index t = 0; t < p.tokens; ++t)
        for (Index d = 0; d < p.depth(); ++d)
            for (Index j = 0; j < p.width(); ++j)
                out[static_cast<std::size_t>(t * p.width() + j)] += p.x.view()(t, d) * widen<float>(p.backward() ? p.w.view()(d, j) : p.w.view()(j, d));
    return out;
}

constexpr Direction both_directions[] = {Direction::forward, Direction::backward};
constexpr double exact = 1e-6;  // of the largest result, as float32 products are; sums of many thousands are held against such a product
constexpr double rounded = 1e-2;

struct Shape {
    Index tokens, k, n;
};

template <class Tiles>
void agrees_with_the_loop(const std::vector<Shape>& shapes) {
    for (const Shape& shape : shapes)
        for (const Direction direction : both_directions) {
            const Problem problem(direction, shape.tokens, shape.k, shape.n);
            for (const int terms : {1, 3}) {
                CAPTURE(shape.tokens, shape.k, shape.n, problem.backward(), terms);
                const double allowed = terms == 1 ? rounded : problem.depth() <= 4096 ? exact : problem.deviation(float_loop(problem), 1, 0);
                CHECK(problem.deviation(problem.run<Tiles>(terms, 1, 0, {0}), 1, 0) <= allowed);
            }
        }
}

/// Every branch: one and two token blocks and more, odd numbers of them; depth and width below, at and beyond tiles, panels and blocks.
const std::vector<Shape> small_shapes = {{1, 1, 1},    {1, 33, 17},  {2, 31, 5},   {5, 70, 37},  {8, 64, 32},   {15, 32, 16}, {16, 96, 48}, {17, 100, 50},
                                         {31, 63, 65}, {32, 64, 64}, {33, 65, 33}, {47, 47, 90}, {48, 128, 96}, {49, 1, 40},  {64, 40, 1},  {70, 70, 70}};
const std::vector<Shape> large_shapes = {
    {3, 8290, 35},                   // few tokens: more than the 256 steps whose padded tiles fit into scratch
    {3, 40, 2100},                   // and backward more than 64
    {20, 1100, 300},                 // backward wider than 64 tiles
    {40, 1090, 290},                 // many tokens: more than 32 steps, wider than 16 tiles
    {40, 290, 1090}, {530, 20, 260}, {530, 260, 20},  // more than 32 token blocks, over whole panels
};

}  // namespace

TEST_CASE("tile products agree with a double loop on emulated tiles") {
    agrees_with_the_loop<SoftTiles>(small_shapes);
    agrees_with_the_loop<SoftTiles>(large_shapes);
}

TEST_CASE("compiled as for real tiles, all but the tile instructions agrees bit for bit") {
    if (!lrp::test::has_avx512()) {
        WARN("SKIPPED: this machine has no AVX-512");
        return;
    }
    for (const auto& shapes : {small_shapes, large_shapes})
        for (const Shape& shape : shapes)
            for (const Direction direction : both_directions)
                for (const int terms : {1, 3}) {
                    CAPTURE(shape.tokens, shape.k, shape.n, direction == Direction::backward, terms);
                    const Problem problem(direction, shape.tokens, shape.k, shape.n);
                    Packed soft(shape.tokens, problem.depth(), terms);
                    Packed hard(shape.tokens, problem.depth(), terms);
                    problem.pack<SoftTiles>(terms, soft, 1);
                    problem.pack<HardwareTiles>(terms, hard, 3);
                    CHECK(std::memcmp(soft.data(), hard.data(), amx_packed_bytes(shape.tokens, problem.depth(), terms)) == 0);
                    if (shape.tokens * shape.k * shape.n < 1000000) CHECK(problem.run<SoftTiles>(terms, 1, 0, {0}) == problem.run<VectorTiles>(terms, 1, 0, {0}));
                }
}

TEST_CASE("tile products on the processor's own tiles") {
    if (!amx_available()) {
        WARN("SKIPPED: this machine has no AMX; its tile instructions are compiled and never run");
        return;
    }
    agrees_with_the_loop<HardwareTiles>(small_shapes);
    agrees_with_the_loop<HardwareTiles>(large_shapes);
    for (const Shape& shape : small_shapes)
        for (const Direction direction : both_directions)
            for (const int terms : {1, 3}) {
                CAPTURE(shape.tokens, shape.k, shape.n, direction == Direction::backward, terms);
                const Problem problem(direction, shape.tokens, shape.k, shape.n);
                CHECK(problem.run<SoftTiles>(terms, 1, 0, {0}) == problem.run<HardwareTiles>(terms, 1, 0, {0}));
            }
}

TEST_CASE("alpha scales, beta adds to what is there, and columns outside the panel are left alone") {
    for (const Direction direction : both_directions)
        for (const Index tokens : {5, 40}) {
            const Problem problem(direction, tokens, 75, 83);
            CHECK(problem.deviation(problem.run<SoftTiles>(3, 0.5f, 0, {0}), 0.5f, 0) <= exact);
            CHECK(problem.deviation(problem.run<SoftTiles>(3, -2, 1, {0}), -2, 1) <= exact);
            const auto part = problem.run<SoftTiles>(3, 1, 1, {21});
            const auto all = problem.run<SoftTiles>(3, 1, 1, {0});
            for (std::size_t i = 0; i < part.size(); ++i) {
                const bool outside = static_cast<Index>(i) % problem.width() < 21;
                REQUIRE(part[i] == (outside ? problem.before[i] : all[i]));
            }
        }
}

TEST_CASE("the bits do not depend on how columns are cut into panels") {
    for (const Direction direction : both_directions)
        for (const Index tokens : {7, 50})
            for (const int terms : {1, 3}) {
                const Problem problem(direction, tokens, 350, 330);
                const auto whole = problem.run<SoftTiles>(terms, 1.5f, 1, {0});
                CHECK(problem.run<SoftTiles>(terms, 1.5f, 1, {0, 32, 64, 96, 128, 160, 192, 224, 256}) == whole);
                CHECK(problem.run<SoftTiles>(terms, 1.5f, 1, {0, 1, 34, 201, 329}) == whole);
            }
}

TEST_CASE("packing and panels are dealt over threads, and the bits do not depend on their number") {
    for (const Direction direction : both_directions)
        for (const Index tokens : {7, 50})
            for (const int terms : {1, 3}) {
                const Problem problem(direction, tokens, 150, 130);
                const auto dealt = [&](unsigned threads, const Product& form) {
                    const GuardedMatrix<float> result(tokens, problem.width(), problem.width() + 2, Guard::after);
                    const View<float> y = result.view();
                    for (Index t = 0; t < tokens; ++t)
                        for (Index j = 0; j < problem.width(); ++j) y(t, j) = problem.before[static_cast<std::size_t>(t * problem.width() + j)];
                    ThreadPool pool(threads);
                    ProductScratch scratch(threads);
                    if (direction == Direction::forward) {
                        TileProduct<SoftTiles>::forward(pool, scratch, form, problem.x.view(), problem.w.view(), y, terms);
                    } else {
                        TileProduct<SoftTiles>::backward(pool, scratch, form, problem.x.view(), problem.w.view(), y, terms);
                    }
                    std::vector<float> out;
                    for (Index t = 0; t < tokens; ++t) out.insert(out.end(), y.row(t), y.row(t) + problem.width());
                    return out;
                };
                CAPTURE(problem.backward(), tokens, terms);
                CHECK(dealt(1, {}) == problem.run<SoftTiles>(terms, 1, 0, {0}));
                const auto scaled = dealt(3, {.alpha = 0.5, .beta = -2});
                CHECK(scaled == problem.run<SoftTiles>(terms, 0.5f, -2, {0}));
                CHECK(problem.deviation(scaled, 0.5f, -2) <= (terms == 1 ? rounded : exact));
            }
}

TEST_CASE("nothing before the first or after the last number is touched") {
    // A stray access ends the program. Every other test guards the end; this one the beginning.
    for (const Direction direction : both_directions)
        for (const Shape& shape : {Shape{1, 1, 1}, Shape{5, 70, 37}, Shape{33, 64, 32}, Shape{70, 67, 45}}) {
            const Problem problem(direction, shape.tokens, shape.k, shape.n, Guard::before);
            CHECK(problem.deviation(problem.run<SoftTiles>(3, 1, 0, {0}, Guard::before), 1, 0) <= exact);
        }
}

TEST_CASE("three terms hold every bit of a float, one is the nearest bf16") {
    // One token, one weight of 1: the result is the number itself.
    const bf16 one[1] = {bf16(1.0f)};
    const View<const bf16> w(one, 1, 1);
    const auto through = [&](Direction direction, float value, int terms = 3) {
        Packed packed(1, 1, terms);
        amx_pack<SoftTiles>(direction, View<const float>(&value, 1, 1), terms, 0, 1, packed.data());
        float out = 0;
        amx_product<SoftTiles>(direction, {packed.data(), w, View<float>(&out, 1, 1), 0, 1}, terms);
        return out;
    };
    std::mt19937 random(9);
    for (const Direction direction : both_directions) {
        for (int i = 0; i < 300; ++i) {
            const float value = __builtin_bit_cast(float, static_cast<std::uint32_t>(random()));
            if (!std::isfinite(value)) continue;
            CAPTURE(value);
            if (std::fabs(value) >= 0x1p-103f) {
                CHECK(through(direction, value) == value);
                CHECK(through(direction, value, 1) == static_cast<float>(bf16(value)));
            } else {
                CHECK(std::fabs(through(direction, value) - value) <= 0x1p-125f);
            }
        }
        const float most = std::numeric_limits<float>::max();
        CHECK(through(direction, most) == most);
        CHECK(through(direction, -std::numeric_limits<float>::infinity()) == -std::numeric_limits<float>::infinity());
        CHECK(std::isnan(through(direction, __builtin_bit_cast(float, 0x7f800001u))));
    }
}

TEST_CASE("a token that is not finite does not reach the others") {
    for (const Direction direction : both_directions)
        for (const int terms : {1, 3}) {
            const Problem problem(direction, 20, 40, 50);
            const auto clean = problem.run<SoftTiles>(terms, 1, 0, {0});
            problem.x.view()(3, 1) = std::numeric_limits<float>::infinity();
            problem.x.view()(17, 0) = std::numeric_limits<float>::quiet_NaN();
            const auto spoiled = problem.run<SoftTiles>(terms, 1, 0, {0});
            for (Index t = 0; t < 20; ++t)
                for (Index j = 0; j < problem.width(); ++j) {
                    const auto i = static_cast<std::size_t>(t * problem.width() + j);
                    if (t == 3) {
                        REQUIRE(std::isinf(spoiled[i]));
                    } else if (t == 17) {
                        REQUIRE(std::isnan(spoiled[i]));
                    } else {
                        REQUIRE(spoiled[i] == clean[i]);
                    }
                }
        }
}

TEST_CASE("a weight that is not finite reaches its own column and no other") {
    for (const Index n : {36, 37})  // the last row of W is one of a pair, or alone
        for (const int terms : {1, 3}) {
            const Problem problem(Direction::backward, 5, 70, n);
            problem.w.view()(n - 1, 69) = bf16(std::numeric_limits<float>::infinity());
            const auto spoiled = problem.run<SoftTiles>(terms, 1, 0, {0});
            for (std::size_t i = 0; i < spoiled.size(); ++i) REQUIRE(std::isfinite(spoiled[i]) == (i % 70 != 69));
        }
}

TEST_CASE("a depth of zero gives zeros, and a number of terms that does not exist is refused") {
    for (const Direction direction : both_directions) {
        std::vector<float> out(6, 5.0f);
        const bf16 none[1] = {};
        const View<const bf16> w = direction == Direction::forward ? View<const bf16>(none, 3, 0) : View<const bf16>(none, 0, 3);
        alignas(64) bf16 packed[1];
        amx_product<SoftTiles>(direction, {packed, w, View<float>(out.data(), 2, 3), 0, 3}, 3);
        CHECK(out == std::vector<float>(6, 0.0f));
        CHECK_THROWS_AS(amx_product<SoftTiles>(direction, {packed, w, View<float>(out.data(), 2, 3), 0, 3}, 2), UsageError);
        CHECK_THROWS_AS(amx_pack<SoftTiles>(direction, View<const float>(out.data(), 2, 3), 2, 0, 1, packed), UsageError);
    }
    CHECK_FALSE(SoftTiles::configured());
}

TEST_CASE("panels are multiples of 32 columns, at least one per thread as long as there are columns") {
    CHECK(amx_columns(Direction::forward, 512, 2048, 2) == 256);
    CHECK(amx_columns(Direction::forward, 16, 2048, 2) == 256);
    CHECK(amx_columns(Direction::backward, 512, 8192, 2) == 256);
    CHECK(amx_columns(Direction::backward, 16, 2048, 2) == 1024);
    CHECK(amx_columns(Direction::backward, 16, 8192, 2) == 1024);
    CHECK((amx_columns(Direction::backward, 32, 8192, 2) == 1024 && amx_columns(Direction::backward, 33, 8192, 2) == 256));
    CHECK(amx_columns(Direction::forward, 16, 1000, 64) == 32);
    CHECK(amx_columns(Direction::forward, 16, 100, 0) == 128);
    CHECK(amx_columns(Direction::forward, 16, 1, 64) == 32);
}

TEST_CASE("the self-check accepts the tile products, and finds a term that is missing") {
    const auto by_tiles = [](Direction direction, int packed_terms) {
        return [=](View<const float> x, View<const bf16> w, float alpha, float beta, View<float> y) {
            Packed packed(x.rows, x.cols, packed_terms);
            amx_pack<SoftTiles>(direction, x, packed_terms, 0, amx_token_blocks(x.rows), packed.data());
            amx_product<SoftTiles>(direction, {packed.data(), w, y, 0, y.cols, alpha, beta}, packed_terms);
        };
    };
    std::ostringstream said;
    PathCheck three("AMX, 3 terms", exact, said);
    CHECK(three.usable<bf16>(by_tiles(Direction::forward, 3), by_tiles(Direction::backward, 3)));
    PathCheck one("AMX, 1 term", rounded, said);
    CHECK(one.usable<bf16>(by_tiles(Direction::forward, 1), by_tiles(Direction::backward, 1)));
    CHECK(said.str().empty());
    PathCheck too_few("AMX, 1 of 3 terms", exact, said);
    CHECK_FALSE(too_few.usable<bf16>(by_tiles(Direction::forward, 1), by_tiles(Direction::backward, 3)));
    CHECK_FALSE(said.str().empty());
}
