// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The tile registers of AMX, the real ones. Every function is compiled for the instructions it needs, whatever the program is compiled
// for; amx_available() says whether this machine has them. A program over tiles takes a policy: HardwareTiles here, or SoftTiles
// (product/soft_tiles.hpp), whose contract block says what each function does.
#pragma once

#include <lrp/eigen/product/soft_tiles.hpp>
#include <lrp/eigen/product/square.hpp>

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace lrp::detail {

#if defined(__x86_64__) && defined(__linux__)

/// Tile policy: the instructions. Written as assembly, because the compiler's intrinsics paste the number of a tile as text, so that
/// a template parameter cannot name one, and because its loads do not say that they read memory written before.
struct HardwareTiles {
    [[gnu::target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")]] static void configure(const TileConfig& config) { asm volatile("ldtilecfg %0" ::"m"(config)); }
    [[gnu::target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")]] static void release() { asm volatile("tilerelease"); }

    template <int Tile>
    [[gnu::target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")]] static inline void zero() {
        asm volatile("tilezero %%tmm%c0" ::"i"(Tile));
    }
    template <int Tile>
    [[gnu::target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")]] static inline void load(const void* base, Index stride) {
        asm volatile("{tileloadd (%0,%1,1), %%tmm%c2|tileloadd %%tmm%c2, [%0+%1*1]}" ::"r"(base), "r"(stride), "i"(Tile) : "memory");
    }
    template <int Tile>
    [[gnu::target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")]] static inline void store(void* base, Index stride) {
        asm volatile("{tilestored %%tmm%c2, (%0,%1,1)|tilestored [%0+%1*1], %%tmm%c2}" ::"r"(base), "r"(stride), "i"(Tile) : "memory");
    }
    template <int C, int A, int B>
    [[gnu::target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")]] static inline void dot() {
        static_assert(C != A && C != B && A != B, "the three tiles must differ");
        asm volatile("{tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0|tdpbf16ps %%tmm%c0, %%tmm%c1, %%tmm%c2}" ::"i"(C), "i"(A), "i"(B));
    }

    /// A `run` that is always inlined becomes part of this function, and with it all that it calls of this policy.
    template <class Work, class... Args>
    [[gnu::target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl"), gnu::noinline]] static void call(Args... args) {
        Work::run(args...);
    }

    [[gnu::target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")]] static inline void transpose(const void* in, void* out) {
        SquareAvx512::turn(in, SquareAvx512::rows, out, SquareAvx512::rows);
    }

    [[gnu::target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl")]] static inline void interleave(const bf16* even, const bf16* odd, bf16* low, bf16* high) {
        using Units = std::uint16_t __attribute__((vector_size(64)));
        Units a;
        Units b;
        std::memcpy(&a, even, sizeof(a));
        std::memcpy(&b, odd, sizeof(b));
        const Units first =
            __builtin_shufflevector(a, b, 0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47);
        const Units second = __builtin_shufflevector(a, b, 16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55, 24, 56, 25, 57, 26, 58, 27, 59, 28, 60,
                                                     29, 61, 30, 62, 31, 63);
        std::memcpy(static_cast<void*>(low), &first, sizeof(first));
        std::memcpy(static_cast<void*>(high), &second, sizeof(second));
    }
};

/// Whether this processor has AMX for bf16 and the vector instructions beside it, and the kernel lets this process use its tiles
/// (asked for once; the permission holds for every thread).
inline bool amx_available() {
    static const bool available = [] {
        const auto cpuid = [](unsigned leaf) {
            std::array<unsigned, 4> regs{};
            asm volatile("cpuid" : "=a"(regs[0]), "=b"(regs[1]), "=c"(regs[2]), "=d"(regs[3]) : "a"(leaf), "c"(0));
            return regs;
        };
        constexpr unsigned osxsave = 1u << 27;
        constexpr unsigned avx512_f_bw_vl = 1u << 16 | 1u << 30 | 1u << 31;
        constexpr unsigned amx_bf16_tile = 1u << 22 | 1u << 24;
        constexpr unsigned vector_and_tile_state = 0xe6u | 3u << 17;
        if (cpuid(0)[0] < 7 || (cpuid(1)[2] & osxsave) == 0) return false;
        const auto features = cpuid(7);
        if ((features[1] & avx512_f_bw_vl) != avx512_f_bw_vl || (features[3] & amx_bf16_tile) != amx_bf16_tile) return false;
        unsigned saved = 0;
        unsigned upper = 0;
        asm volatile("xgetbv" : "=a"(saved), "=d"(upper) : "c"(0));
        if ((saved & vector_and_tile_state) != vector_and_tile_state) return false;
        constexpr long request_permission = 0x1023;  // ARCH_REQ_XCOMP_PERM
        constexpr long tile_data = 18;               // XFEATURE_XTILEDATA
        return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
    }();
    return available;
}

#else

/// Elsewhere there are no such tiles; code that is never reached still compiles.
struct HardwareTiles : SoftTiles {};
inline bool amx_available() { return false; }

#endif

}  // namespace lrp::detail
