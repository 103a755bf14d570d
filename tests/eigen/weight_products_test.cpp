// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Every way of forming a product with weights against a double loop, on sizes that fit nothing, and as on machines that lack instruction sets.
#include <algorithm>
#include <array>
#include <cmath>
#include <concepts>
#include <random>

#include <lrp/eigen/product/weight_products.hpp>

#include "support/catch.hpp"
#include "support/guarded.hpp"

using namespace lrp;
using lrp::test::Guard;
using lrp::test::GuardedMatrix;
using Catch::Matchers::Contains;

namespace {

/// A machine, and how it is asked.
struct Machine {
    const char* level;
    Products products;
    detail::PanelProvider provider = detail::PanelProvider::eigen;
    bool dots = false;  ///< by vdpbf16ps, whether or not it is faster here
};

#if defined(__x86_64__)
void by_dots(ThreadPool& pool, detail::ProductScratch& scratch, const Product& p, View<const float> x, View<const bf16> w, View<float> y) {
    using Few = detail::Streamed<detail::StreamDot, bf16>;
    using Many = detail::Blocked<detail::DotAvx512, bf16>;
    if (p.transpose_b) {
        x.rows <= 28 ? Few::forward(pool, scratch, p, x, w, y) : Many::forward(pool, scratch, p, x, w, y);
    } else {
        x.rows <= 60 ? Few::backward(pool, scratch, p, x, w, y) : Many::backward(pool, scratch, p, x, w, y);
    }
}
#endif

std::vector<Machine> machines() {
    std::vector<Machine> list{{"plain", Products::exact}};
    if (detail::has_cblas()) list.push_back({"plain", Products::exact, detail::PanelProvider::cblas});
    for (const char* level : {"avx2", "avx512", "avx512-bf16", "amx"}) {
        const CpuFeatures here = CpuFeatures::detect();
        const std::string name = level;
        const bool has = name == "avx2" ? here.avx2 : name == "avx512" ? here.avx512 : name == "avx512-bf16" ? here.avx512_bf16 : here.amx;
        if (!has) continue;
        list.push_back({level, Products::exact});
        list.push_back({level, Products::fast});
    }
    return list;
}

template <Storage W>
double worst_deviation(const Machine& machine, unsigned threads, Index T, Index K, Index N, bool forward, const Product& form, std::vector<float>* bits = nullptr) {
    std::mt19937 random(static_cast<unsigned>(T * 1000 + K * 10 + N));
    std::normal_distribution<float> draw;
    const Index depth = forward ? K : N, width = forward ? N : K;
    // Rows farther apart than they are long; what lies between is no number. Before the first or after the last number is what may not be touched.
    const Guard guard = T % 5 == 0 ? Guard::before : Guard::after;
    const GuardedMatrix<float> in(T, depth, depth + 3, guard), out(T, width, width + 2, guard);
    const GuardedMatrix<W> weights(N, K, K + 1 + T % 2, guard);
    const View<float> x = in.view(), y = out.view();
    const View<W> w = weights.view();
    std::fill_n(x.data, in.size(), NAN);
    std::fill_n(y.data, out.size(), form.beta == 0 ? NAN : 0.5f);
    std::fill_n(w.data, weights.size(), narrow<W>(static_cast<float>(NAN)));
    for (Index i = 0; i < T; ++i)
        for (Index j = 0; j < depth; ++j) x(i, j) = draw(random);
    for (Index i = 0; i < N; ++i)
        for (Index j = 0; j < K; ++j) w(i, j) = narrow<W>(draw(random));
    ThreadPool pool(threads);
    WeightProducts products(pool.size());
    products.cpu = CpuFeatures::up_to(machine.level);
    products.products = machine.products;
    products.provider = machine.provider;
    Product p = form;
    p.transpose_b = forward;
    const bool dots = std::same_as<W, bf16> && machine.dots;
    if (!dots) products.run(pool, p, View<const float>(x), View<const W>(w), y);
#if defined(__x86_64__)
    if constexpr (std::same_as<W, bf16>)
        if (dots) by_dots(pool, products.scratch(), p, x, w, y);
#endif
    double worst = 0, peak = 0;
    for (Index i = 0; i < T; ++i)
        for (Index j = 0; j < width; ++j) {
            double sum = 0;
            for (Index d = 0; d < depth; ++d) sum += static_cast<double>(x(i, d)) * widen<float>(forward ? w(j, d) : w(d, j));
            sum = form.alpha * sum + (form.beta == 0 ? 0.0 : form.beta * 0.5);
            peak = std::max(peak, std::abs(sum));
            const double off = std::abs(sum - y(i, j));
            worst = std::isfinite(y(i, j)) ? std::max(worst, off) : INFINITY;
            if (bits != nullptr) bits->push_back(y(i, j));
        }
    for (Index i = 0; i + 1 < T; ++i)
        for (Index j = width; j < width + 2; ++j) CHECK((form.beta == 0 ? std::isnan(y(i, j)) : y(i, j) == 0.5f));
    return worst / peak;
}

double allowed(const Machine& machine, bool bf16_weights) {
    if (std::string(machine.level) == "plain") return 2e-6;  // that of a library's float32 product
    return machine.products == Products::fast && bf16_weights && std::string(machine.level) != "avx2" && std::string(machine.level) != "avx512" ? 1e-2 : 1e-6;
}

}  // namespace

TEST_CASE("products agree with a double loop on sizes that fit nothing, on every machine that this one can stand for") {
    const std::vector<std::pair<Index, Index>> shapes{{1, 1}, {70, 37}, {33, 130}, {301, 45}, {515, 97}, {38, 600}, {2079, 7}};
    for (const Machine& machine : machines())
        for (const Index T : {1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 15, 16, 17, 24, 28, 29, 31, 32, 33, 36, 37, 40, 47, 48, 49, 60, 61, 63, 64, 65, 70})
            for (const auto& [K, N] : shapes) {
                if ((K > 1000 || N > 500) && T % 4 != 1) continue;  // several blocks of the depth, in either direction: for some rows
                for (const bool forward : {true, false})
                    for (const Product& form : {Product{}, T % 3 == 0 ? Product{.beta = -2} : Product{.alpha = 0.5, .beta = 1}}) {
                        INFO(machine.level << (machine.products == Products::fast ? ", fast" : "") << ", T " << T << ", K " << K << ", N " << N << (forward ? ", forward" : ", backward"));
                        CHECK(worst_deviation<bf16>(machine, 2, T, K, N, forward, form) <= allowed(machine, true));
                        if (T % 8 < 2) CHECK(worst_deviation<float>(machine, 2, T, K, N, forward, form) <= allowed(machine, false));
                    }
            }
}

TEST_CASE("products by vdpbf16ps agree with a double loop, also where others are faster") {
    if (!CpuFeatures::detect().avx512_bf16) {
        WARN("this machine has no vdpbf16ps");
        return;
    }
    const Machine machine{"avx512-bf16", Products::fast, detail::PanelProvider::eigen, true};
    for (const Index T : {1, 5, 7, 12, 13, 28, 29, 49, 60, 61, 65})
        for (const auto& [K, N] : std::vector<std::pair<Index, Index>>{{1, 1}, {70, 37}, {33, 130}, {300, 45}, {38, 600}, {2079, 7}})
            for (const bool forward : {true, false})
                for (const Product& form : {Product{}, Product{.alpha = 0.5, .beta = -2}}) {
                    INFO("T " << T << ", K " << K << ", N " << N << (forward ? ", forward" : ", backward"));
                    CHECK(worst_deviation<bf16>(machine, 2, T, K, N, forward, form) <= allowed(machine, true));
                }
}

TEST_CASE("products of no rows, no columns and no depth") {
    std::vector<float> numbers(64, 1.0f);
    const std::vector<bf16> weights(64);
    for (const Machine& machine : machines()) {
        ThreadPool pool(2);
        WeightProducts products(pool.size());
        products.cpu = CpuFeatures::up_to(machine.level);
        products.products = machine.products;
        products.provider = machine.provider;
        const auto run = [&](bool forward, Index T, Index K, Index N, double beta) {
            std::vector<float> out(static_cast<std::size_t>(T * (forward ? N : K)), 3.0f);
            products.run(pool, Product{.transpose_b = forward, .beta = beta}, View<const float>(numbers.data(), T, forward ? K : N), View<const bf16>(weights.data(), N, K),
                         View<float>(out.data(), T, forward ? N : K));
            return out;
        };
        INFO(machine.level << (machine.products == Products::fast ? ", fast" : ""));
        for (const bool forward : {true, false}) {
            CHECK(run(forward, 0, 5, 6, 0).empty());
            CHECK(run(forward, 3, forward ? 5 : 0, forward ? 0 : 5, 0).empty());
            for (const Index T : {3, 64}) {
                CHECK(run(forward, T, forward ? 0 : 1, forward ? 1 : 0, 0) == std::vector<float>(static_cast<std::size_t>(T)));
                CHECK(run(forward, T, forward ? 0 : 1, forward ? 1 : 0, 1) == std::vector<float>(static_cast<std::size_t>(T), 3.0f));
            }
        }
    }
}

TEST_CASE("long prompts are worked in pieces") {
    for (const Machine& machine : machines())
        for (const bool forward : {true, false}) CHECK(worst_deviation<bf16>(machine, 2, 1030, 50, 40, forward, {}) <= allowed(machine, true));
}

TEST_CASE("large results go past the caches, the same bits as others") {
#if defined(__x86_64__)
    using detail::FmaAvx512;
    constexpr Index T = 512, wide = 4096, depth = 24;
    alignas(64) static std::array<float, T * wide + 16> memory;
    const View<float> aligned(memory.data(), T, wide), moved(memory.data() + 1, T, wide);
    CHECK(detail::goes_past_caches<FmaAvx512>({}, aligned));
    CHECK(detail::goes_past_caches<FmaAvx512>({.alpha = 0.5}, aligned));
    CHECK_FALSE(detail::goes_past_caches<FmaAvx512>({.beta = 1}, aligned));
    CHECK_FALSE(detail::goes_past_caches<FmaAvx512>({}, moved));
    CHECK_FALSE(detail::goes_past_caches<FmaAvx512>({}, aligned.rows_from(0, T - 1)));
    CHECK_FALSE(detail::goes_past_caches<FmaAvx512>({}, View<float>(memory.data(), T, wide, wide + 4)));
    CHECK_FALSE(detail::goes_past_caches<detail::FmaAvx2>({}, aligned));

    std::mt19937 random(3);
    std::normal_distribution<float> draw;
    std::vector<float> x(static_cast<std::size_t>(T * depth));
    std::vector<bf16> w(static_cast<std::size_t>(depth * wide));
    for (float& value : x) value = draw(random);
    for (bf16& value : w) value = bf16(draw(random));
    for (const Machine& machine : machines())
        for (const bool forward : {true, false})
            for (const double alpha : {1.0, 0.5}) {
                ThreadPool pool(2);
                WeightProducts products(pool.size());
                products.cpu = CpuFeatures::up_to(machine.level);
                products.products = machine.products;
                products.provider = machine.provider;
                const auto result = [&](const View<float>& out) {
                    memory.fill(NAN);
                    products.run(pool, Product{.transpose_b = forward, .alpha = alpha}, View<const float>(x.data(), T, depth),
                                 View<const bf16>(w.data(), forward ? wide : depth, forward ? depth : wide), out);
                    CHECK(std::isnan(memory[static_cast<std::size_t>(out.data - memory.data() + T * wide)]));
                    return std::vector<float>(out.data, out.data + T * wide);
                };
                INFO(machine.level << (machine.products == Products::fast ? ", fast" : "") << (forward ? ", forward" : ", backward"));
                const std::vector<float> past = result(aligned);
                CHECK((past == result(moved)));
                CHECK(std::none_of(past.begin(), past.end(), [](float value) { return std::isnan(value); }));
            }
#endif
}

TEST_CASE("products are the same bits for every number of threads, and for every number of rows that take one path") {
    struct Size {
        Index T, K, N;
    };
    for (const Machine& machine : machines())
        for (const bool forward : {true, false})
            for (const Size size : {Size{21, 600, 530}, Size{3, 300, 1300}}) {  // the second: whole rows of W for each thread, where threads are few
                INFO(machine.level << ' ' << size.T << (forward ? " forward" : " back"));
                std::vector<float> one, two, five;
                for (auto* bits : {&one, &two, &five})
                    CHECK(worst_deviation<bf16>(machine, bits == &one ? 1 : bits == &two ? 2 : 5, size.T, size.K, size.N, forward, {}, bits) <= allowed(machine, true));
                CHECK((one == two));
                CHECK((one == five));
            }
}

TEST_CASE("rows that prompts share give the bits of each prompt alone") {
    std::mt19937 random(7);
    std::normal_distribution<float> draw;
    constexpr Index K = 600, N = 130;
    std::vector<bf16> weights(static_cast<std::size_t>(N * K));
    for (bf16& value : weights) value = bf16(draw(random));
    const View<const bf16> w(weights.data(), N, K);
    for (const Machine& machine : machines()) {
        if (std::string(machine.level) == "plain") continue;
        for (const bool forward : {true, false})
            for (const Index of_one : {1, 3, 7, 8, 11, 16, 17, 24, 25, 28, 29, 32, 33, 37, 48, 49, 60, 61, 64}) {
                INFO(machine.level << (machine.products == Products::fast ? ", fast, " : ", ") << of_one << " rows a prompt" << (forward ? ", forward" : ", backward"));
                constexpr Index prompts = 40;
                const Index rows = prompts * of_one, depth = forward ? K : N, width = forward ? N : K;
                std::vector<float> in(static_cast<std::size_t>(rows * depth)), shared(static_cast<std::size_t>(rows * width)), alone(shared.size());
                for (float& value : in) value = draw(random);
                const View<const float> x(in.data(), rows, depth);
                ThreadPool pool(2);
                WeightProducts products(pool.size());
                products.cpu = CpuFeatures::up_to(machine.level);
                products.products = machine.products;
                const Product p{.transpose_b = forward};
                for (Index i = 0; i < prompts; ++i) products.run(pool, p, x.rows_from(i * of_one, of_one), w, View<float>(alone.data() + i * of_one * width, of_one, width));
                products.sharing = prompts;
                products.run(pool, p, x, w, View<float>(shared.data(), rows, width));
                CHECK((shared == alone));  // in brackets, as nobody wants to read them
                CHECK(products.alike<bf16>(of_one, of_one));
            }
    }
    WeightProducts plain(1);
    plain.cpu = {};
    CHECK_FALSE(plain.alike<bf16>(40, 40));  // a library chooses by sizes
    if (!CpuFeatures::detect().avx2) return;
    plain.cpu = CpuFeatures::up_to("avx2");
    CHECK((plain.alike<bf16>(40, 41) && plain.alike<bf16>(2, 12) && !plain.alike<bf16>(12, 13)));
}

TEST_CASE("without AMX, AVX2 and AVX-512 give the same bits") {
    const CpuFeatures here = CpuFeatures::detect();
    if (!here.avx512) {
        WARN("this machine has no AVX-512");
        return;
    }
    for (const bool forward : {true, false}) {
        std::vector<float> narrow_bits, wide_bits;
        (void)worst_deviation<bf16>({"avx2", Products::exact}, 2, 65, 700, 90, forward, {}, &narrow_bits);  // more rows than either streams
        (void)worst_deviation<bf16>({"avx512", Products::exact}, 2, 65, 700, 90, forward, {}, &wide_bits);
        CHECK(narrow_bits == wide_bits);
    }
}

// Other tests would pass without noticing: what takes the place of a path that is left aside is right.
TEST_CASE("no path that this machine has is left aside") {
    const CpuFeatures here = CpuFeatures::detect();
    CHECK((!here.avx2 || WeightProducts::usable(ProductPath::avx2)));
    CHECK((!here.avx512 || WeightProducts::usable(ProductPath::avx512)));
    CHECK((!here.avx512_bf16 || WeightProducts::usable(ProductPath::dot_bf16)));
    CHECK((!here.amx || (WeightProducts::usable(ProductPath::amx_exact) && WeightProducts::usable(ProductPath::amx_fast))));
}

TEST_CASE("the path follows the machine, the rows and what is asked") {
    WeightProducts products(1);
    products.cpu = {};
    CHECK(products.path<bf16>(100) == ProductPath::panels);
    if (!CpuFeatures::detect().avx2) {
        WARN("this machine has no AVX2");
        return;
    }
    products.cpu = CpuFeatures::up_to("avx2");
    CHECK(products.path<bf16>(100) == ProductPath::avx2);
    products.products = Products::fast;
    CHECK(products.path<bf16>(100) == ProductPath::avx2);  // nothing faster there
    const CpuFeatures here = CpuFeatures::detect();
    if (here.avx512_bf16) {
        products.cpu = CpuFeatures::up_to("avx512-bf16");
        CHECK(products.path<bf16>(4) == ProductPath::avx512);  // with so few rows the time is that of memory, and nothing is rounded
        CHECK(products.path<float>(100) == ProductPath::avx512);
        CHECK(products.alike<bf16>(4, 5) == (products.path<bf16>(5) == ProductPath::avx512));
    }
    for (const std::string level : {"plain", "avx2", "avx512", "avx512-bf16", "amx"}) {
        if (level == "avx512" ? !here.avx512 : level == "avx512-bf16" ? !here.avx512_bf16 : level == "amx" && !here.amx) continue;
        CHECK(CpuFeatures::up_to(level).level() == level);
    }
    CHECK_THROWS_WITH(CpuFeatures::up_to("mmx"), Contains("cpu: expected plain, avx2, avx512, avx512-bf16 or amx, found 'mmx'"));
    if (!here.amx) CHECK_THROWS_WITH(CpuFeatures::up_to("amx"), Contains("'amx' was asked for, this machine has no more than '" + std::string(here.level())));
}
