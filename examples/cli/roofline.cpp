// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Each kernel is compiled for its instructions whatever the program is compiled for, and called only where the processor has them.
#include "roofline.hpp"

#include <sched.h>
#include <sys/mman.h>

#include <array>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <functional>
#include <new>
#include <thread>
#include <vector>

#include <lrp/core/thread_pool.hpp>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lrp::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr long steps = 100'000;  // of a kernel, a spell: some hundred microseconds
constexpr int chains = 12;       // independent sums: enough to hide the latency of two units

/// A kernel does `steps` steps and returns something that depends on all of them.
using Kernel = float (*)();

float plain_kernel() {
    std::array<float, 4 * chains> sums{};
    volatile float one = 1e-3f;
    const float factor = one;
    for (long i = 0; i < steps; ++i)
        for (float& sum : sums) sum = sum * factor + factor;
    float total = 0;
    for (const float sum : sums) total += sum;
    return total;
}
constexpr double plain_flops = 2.0 * 4 * chains * steps;

#if defined(__x86_64__)

__attribute__((target("avx2,fma"))) float avx2_kernel() {
    __m256 sums[chains];
    for (auto& sum : sums) sum = _mm256_setzero_ps();
    volatile float one = 1e-3f;
    const __m256 factor = _mm256_set1_ps(one);
    for (long i = 0; i < steps; ++i)
        for (int c = 0; c < chains; ++c) sums[c] = _mm256_fmadd_ps(factor, factor, sums[c]);
    __m256 total = _mm256_setzero_ps();
    for (const auto& sum : sums) total = _mm256_add_ps(total, sum);
    return _mm256_cvtss_f32(total);
}

__attribute__((target("avx512f"))) float avx512_kernel() {
    __m512 sums[chains];
    for (auto& sum : sums) sum = _mm512_setzero_ps();
    volatile float one = 1e-3f;
    const __m512 factor = _mm512_set1_ps(one);
    for (long i = 0; i < steps; ++i)
        for (int c = 0; c < chains; ++c) sums[c] = _mm512_fmadd_ps(factor, factor, sums[c]);
    __m512 total = _mm512_setzero_ps();
    for (const auto& sum : sums) total = _mm512_add_ps(total, sum);
    return _mm512_cvtss_f32(total);
}

__attribute__((target("avx512f,avx512bf16"))) float bf16_dot_kernel() {
    __m512 sums[chains];
    for (auto& sum : sums) sum = _mm512_setzero_ps();
    volatile float one = 1e-3f;
    const __m512bh factor = _mm512_cvtne2ps_pbh(_mm512_set1_ps(one), _mm512_set1_ps(one));
    for (long i = 0; i < steps; ++i)
        for (int c = 0; c < chains; ++c) sums[c] = _mm512_dpbf16_ps(sums[c], factor, factor);
    __m512 total = _mm512_setzero_ps();
    for (const auto& sum : sums) total = _mm512_add_ps(total, sum);
    return _mm512_cvtss_f32(total);
}

constexpr long tile_steps = steps / 20;

__attribute__((target("amx-tile,amx-bf16"))) float amx_kernel() {
    struct alignas(64) {
        std::uint8_t palette = 1, start_row = 0;
        std::array<std::uint8_t, 14> reserved{};
        std::array<std::uint16_t, 16> row_bytes{64, 64, 64, 64, 64, 64, 64, 64};
        std::array<std::uint8_t, 16> rows{16, 16, 16, 16, 16, 16, 16, 16};
    } shape;
    alignas(64) static thread_local std::array<std::uint16_t, 4 * 16 * 32> operands{};  // four tiles of 1 KiB
    alignas(64) std::array<float, 16 * 16> sums;
    _tile_loadconfig(&shape);
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    for (long i = 0; i < tile_steps; ++i) {
        _tile_loadd(4, operands.data(), 64);
        _tile_loadd(5, operands.data() + 512, 64);
        _tile_loadd(6, operands.data() + 1024, 64);
        _tile_loadd(7, operands.data() + 1536, 64);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, sums.data(), 64);
    _tile_release();
    return sums[0];
}
constexpr double amx_flops = 4.0 * tile_steps * 16 * 16 * 32 * 2;

bool has_bf16_dot() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __builtin_cpu_supports("avx512f") && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a >> 5 & 1u) != 0;
}

/// The processor has the tiles, and the kernel lets this program use them.
bool has_amx() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d >> 22 & 1u) == 0 || (d >> 24 & 1u) == 0) return false;
    constexpr int request_permission = 0x1023, tile_data = 18;
    return ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

#endif

/// Keeps this thread on one core of those the program may use, each thread on another: left alone, two that wait for each other may share one.
void pin_to_core([[maybe_unused]] unsigned thread) {
#if defined(__linux__)
    cpu_set_t allowed, mine;
    if (::sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    unsigned left = thread % static_cast<unsigned>(CPU_COUNT(&allowed));
    CPU_ZERO(&mine);
    for (std::size_t core = 0; core < CPU_SETSIZE; ++core)
        if (CPU_ISSET(core, &allowed) && left-- == 0) CPU_SET(core, &mine);
    ::sched_setaffinity(0, sizeof mine, &mine);
#endif
}

/// The best rate of `amount` a spell on every thread, over `seconds`. A spell is short, and the threads begin it together.
double best_rate(unsigned threads, double seconds, double amount, const std::function<void(unsigned thread, std::size_t spell)>& work) {
    std::vector<Clock::time_point> begin(threads), end(threads);
    const auto deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    double best = 0;
    bool more = true;
    const auto finished = [&]() noexcept {
        const auto spent = *std::max_element(end.begin(), end.end()) - *std::min_element(begin.begin(), begin.end());
        best = std::max(best, amount * threads / std::chrono::duration<double>(spent).count());
        more = Clock::now() < deadline;
    };
    std::barrier start(threads);
    std::barrier stop(threads, finished);
    const auto run = [&](unsigned thread) {
        pin_to_core(thread);
        for (std::size_t spell = 0; more; ++spell) {
            start.arrive_and_wait();
            begin[thread] = Clock::now();
            work(thread, spell);
            end[thread] = Clock::now();
            stop.arrive_and_wait();
        }
    };
    std::vector<std::jthread> all;
    for (unsigned t = 0; t < threads; ++t) all.emplace_back(run, t);
    all.clear();  // joins them
    return best;
}

constexpr std::size_t line = 64 / sizeof(std::uint64_t);  // words of a cache line

/// Words of each of `streams` streams in `words` words: where there are several, an odd number of lines apart, as those a power of two apart get in each
/// other's way.
std::size_t stream_words(std::size_t words, std::size_t streams) { return streams == 1 ? words / line * line : words / (streams * line + 1) * line; }

void read_streams(const std::uint64_t* from, std::size_t run, std::size_t streams) {
    std::array<std::uint64_t, line> sums{};
    for (std::size_t i = 0; i < run; i += line)
        for (std::size_t s = 0; s < streams; ++s)
            for (std::size_t j = 0; j < line; ++j) sums[j] += from[s * run + i + j];
    volatile std::uint64_t sink = 0;
    for (const std::uint64_t sum : sums) sink = sink + sum;
}

double arithmetic_rate(unsigned threads, Kernel kernel, double flops) {
    return best_rate(threads, 0.04, 2 * flops, [&](unsigned, std::size_t) {
        volatile float sink = kernel();
        sink = kernel();
        (void)sink;
    });
}

}  // namespace

double measure_read_rate(unsigned threads) {
    threads = all_if_none(threads);
    constexpr std::size_t total = std::size_t{256} << 20, spells = 8;
    const std::size_t spell_words = total / threads / spells / (line * sizeof(std::uint64_t)) * line, words = spell_words * spells;  // of a thread
    void* memory = ::mmap(nullptr, words * threads * sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::bad_alloc();
    ::madvise(memory, words * threads * sizeof(std::uint64_t), MADV_HUGEPAGE);
    auto* const first = static_cast<std::uint64_t*>(memory);
    best_rate(threads, 0, 1, [&](unsigned t, std::size_t) { std::memset(first + t * words, 1, words * sizeof(std::uint64_t)); });  // pages come when touched
    double best = 0;
    for (const std::size_t streams : {1, 4}) {
        const std::size_t run = stream_words(spell_words, streams);
        const double rate = best_rate(threads, 0.1, static_cast<double>(run * streams * sizeof(std::uint64_t)),
                                      [&](unsigned t, std::size_t spell) { read_streams(first + t * words + spell % spells * spell_words, run, streams); });
        best = std::max(best, rate);
    }
    ::munmap(memory, words * threads * sizeof(std::uint64_t));
    return best;
}

void read_once(ThreadPool& pool, std::span<const std::byte> memory, std::size_t streams) {
    const std::size_t words = memory.size() / sizeof(std::uint64_t) / pool.size();
    const auto* first = reinterpret_cast<const std::uint64_t*>(memory.data());
    pool.parallel_for(static_cast<Index>(pool.size()), [&](Index part) { read_streams(first + static_cast<std::size_t>(part) * words, stream_words(words, streams), streams); });
}

Roofline measure_roofline(unsigned threads) {
    threads = all_if_none(threads);
    Roofline roofline;
    roofline.read = measure_read_rate(threads);
    const auto better = [&](Kernel kernel, double flops, const char* name) {
        const double rate = arithmetic_rate(threads, kernel, flops);
        if (rate <= roofline.f32) return;
        roofline.f32 = rate;
        roofline.f32_by = name;
    };
    for (int round = 0; round < 3; ++round) {  // on a shared machine a core may be gone for a tenth of a second
        better(plain_kernel, plain_flops, "plain code");
#if defined(__x86_64__)
        if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) better(avx2_kernel, 2.0 * 8 * chains * steps, "AVX2");
        if (__builtin_cpu_supports("avx512f")) better(avx512_kernel, 2.0 * 16 * chains * steps, "AVX-512");
        if (has_bf16_dot()) roofline.bf16_dot = std::max(roofline.bf16_dot, arithmetic_rate(threads, bf16_dot_kernel, 4.0 * 16 * chains * steps));
        if (has_amx()) roofline.amx = std::max(roofline.amx, arithmetic_rate(threads, amx_kernel, amx_flops));
#endif
    }
    return roofline;
}

}  // namespace lrp::cli
