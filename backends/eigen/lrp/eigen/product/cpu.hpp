// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What this CPU can execute, as far as matrix products care. Kernels are compiled for their instructions function by function, so a program
// needs no compiler flag and runs anywhere; which of them is called is decided here, at run time.
#pragma once

#include <string>

#include <lrp/core/error.hpp>
#include <lrp/eigen/product/tiles.hpp>

namespace lrp {

/// Instruction sets that products have code for. Any may be struck out, which is how tests and users run the paths of lesser machines.
struct CpuFeatures {
    bool avx2 = false;         ///< AVX2 with FMA
    bool avx512 = false;       ///< AVX-512 F, BW, VL
    bool avx512_bf16 = false;  ///< vdpbf16ps
    bool amx = false;          ///< AMX tiles with bf16, and leave of the kernel to use them

    /// Those of this machine.
    [[nodiscard]] static CpuFeatures detect() {
        CpuFeatures cpu;
#if defined(__x86_64__)
        __builtin_cpu_init();
        cpu.avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
        cpu.avx512 = cpu.avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
        cpu.avx512_bf16 = cpu.avx512 && __builtin_cpu_supports("avx512bf16");
        cpu.amx = cpu.avx512 && detail::amx_available();
#endif
        return cpu;
    }

    /// This machine's features up to a level: "plain", "avx2", "avx512", "avx512-bf16" or "amx". UsageError for another name, or for a level
    /// that the machine lacks.
    [[nodiscard]] static CpuFeatures up_to(const std::string& level) {
        const CpuFeatures here = detect();
        const CpuFeatures want{level != "plain", level == "avx512" || level == "avx512-bf16" || level == "amx", level == "avx512-bf16" || level == "amx", level == "amx"};
        if (level != "plain" && level != "avx2" && !want.avx512) fail<UsageError>("cpu: expected plain, avx2, avx512, avx512-bf16 or amx, found '", level, "'");
        const bool lacking = (want.avx2 && !here.avx2) || (want.avx512 && !here.avx512) || (want.avx512_bf16 && !here.avx512_bf16) || (want.amx && !here.amx);
        if (lacking) fail<UsageError>("cpu: '", level, "' was asked for, this machine has no more than '", here.level(), "'");
        return want;
    }

    /// The best level, as up_to names it.
    [[nodiscard]] const char* level() const { return amx ? "amx" : avx512_bf16 ? "avx512-bf16" : avx512 ? "avx512" : avx2 ? "avx2" : "plain"; }
};

}  // namespace lrp
