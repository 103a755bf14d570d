// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/resource.h>

#include <cstdint>
#include <fstream>
#include <string>

namespace lrp::cli {

/// Forgets the peak so far, where the system can (Linux); otherwise peaks are those since the program began.
inline void reset_peak_memory() { std::ofstream("/proc/self/clear_refs") << "5"; }

/// Bytes that the program had in memory at most since then, mapped files included.
[[nodiscard]] inline std::uint64_t peak_memory() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        std::uint64_t kibibytes = 0;
        if (word == "VmHWM:" && status >> kibibytes) return kibibytes * 1024;
    }
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace lrp::cli
