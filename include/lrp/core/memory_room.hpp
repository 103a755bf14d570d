// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// How much memory there is to be had, and how much of it a program has: as Linux tells. Elsewhere nothing is known, and nothing limits.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <optional>
#include <string>

namespace lrp {

/// Bytes of memory in use by this program.
struct MemoryUse {
    std::uint64_t own = 0;     ///< that it asked for
    std::uint64_t mapped = 0;  ///< of mapped files, which the system may take back at any time
};

/// Bytes that this program may still ask for, and what says so.
struct MemoryRoom {
    std::uint64_t bytes = std::numeric_limits<std::uint64_t>::max();
    std::string limit = "no limit";

    void limit_to(std::uint64_t left, const std::string& name) {
        if (left < bytes) *this = {left, name};
    }
};

namespace detail {

/// The number behind a word in a file of lines "word number unit"; nothing if the file or the word is not there.
inline std::optional<std::uint64_t> number_behind(const std::filesystem::path& file, const std::string& word) {
    std::ifstream in(file);
    std::string line;
    while (std::getline(in, line)) {
        if (!line.starts_with(word)) continue;
        const auto digit = line.find_first_of("0123456789", word.size());
        if (digit != std::string::npos) return std::strtoull(line.c_str() + digit, nullptr, 10);
    }
    return std::nullopt;
}

/// The only number of a file; nothing for "max".
inline std::optional<std::uint64_t> number_in(const std::filesystem::path& file) { return number_behind(file, ""); }

/// What a control group, or one above it, leaves: its limit less what is used and cannot be taken back.
inline void limit_to_groups(MemoryRoom& room, const std::filesystem::path& top, std::filesystem::path group, const char* limit_file, const char* used_file, const char* cached) {
    for (;; group = group.parent_path()) {
        const auto folder = top / group.relative_path();
        const auto limit = number_in(folder / limit_file), used = number_in(folder / used_file);
        if (limit && used) {
            const std::uint64_t fixed = *used - std::min(*used, number_behind(folder / "memory.stat", cached).value_or(0));
            room.limit_to(*limit - std::min(*limit, fixed), "the control group's limit");
        }
        if (!group.has_relative_path()) return;
    }
}

}  // namespace detail

/// What is in use now.
[[nodiscard]] inline MemoryUse memory_use(const std::filesystem::path& root = "/") {
    const auto status = root / "proc/self/status";
    const auto kib = [&](const char* word) { return detail::number_behind(status, word).value_or(0) * 1024; };
    return {kib("RssAnon:") + kib("RssShmem:"), kib("RssFile:")};
}

/// The least of what the machine has left (MemAvailable), what control groups leave, and what RLIMIT_AS (ulimit -v) leaves of the address space.
/// Files are read below `root`.
[[nodiscard]] inline MemoryRoom memory_room(const std::filesystem::path& root = "/") {
    MemoryRoom room;
    if (const auto left = detail::number_behind(root / "proc/meminfo", "MemAvailable:")) room.limit_to(*left * 1024, "the machine's available memory");
    std::ifstream groups(root / "proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        if (line.starts_with("0::")) detail::limit_to_groups(room, root / "sys/fs/cgroup", line.substr(3), "memory.max", "memory.current", "file ");
        if (const auto at = line.find(":memory:"); at != std::string::npos)
            detail::limit_to_groups(room, root / "sys/fs/cgroup/memory", line.substr(at + 8), "memory.limit_in_bytes", "memory.usage_in_bytes", "total_cache ");
    }
    rlimit space{};
    if (::getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur != RLIM_INFINITY) {
        const std::uint64_t used = detail::number_in(root / "proc/self/statm").value_or(0) * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        room.limit_to(space.rlim_cur - std::min<std::uint64_t>(space.rlim_cur, used), "the limit of the address space (ulimit -v)");
    }
    return room;
}

}  // namespace lrp
