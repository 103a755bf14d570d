// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string>

namespace lrp::cli {

/// A line on a terminal that tells how far the work is, how fast, and how long it will take; nothing where standard error is no terminal. With
/// several ranks, one shows its own pace times their number.
class CollectProgress {
  public:
    CollectProgress(bool shown, int ranks, std::int64_t total, std::int64_t before)
        : shown_(shown && ::isatty(STDERR_FILENO) == 1), ranks_(ranks), total_(total), done_(before), before_(before) {}
    CollectProgress(const CollectProgress&) = delete;
    CollectProgress& operator=(const CollectProgress&) = delete;
    ~CollectProgress() {
        if (drawn_) std::fputs("\r\x1b[K", stderr);
    }

    void add(std::int64_t tokens) {
        done_ = std::min(total_, done_ + tokens * ranks_);
        const auto now = std::chrono::steady_clock::now();
        if (!shown_ || (drawn_ && now - last_ < std::chrono::milliseconds(100))) return;
        last_ = now;
        drawn_ = true;
        const double seconds = std::chrono::duration<double>(now - start_).count();
        const double rate = seconds > 0 ? static_cast<double>(done_ - before_) / seconds : 0;
        std::fputs(text(static_cast<double>(done_) / static_cast<double>(std::max<std::int64_t>(total_, 1)), rate, rate > 0 ? static_cast<double>(total_ - done_) / rate : 0).c_str(), stderr);
    }

    /// "\r[####      ]  40 %   12345 tokens/s   0:42 left"
    [[nodiscard]] static std::string text(double share, double rate, double left) {
        constexpr int width = 30;
        const int filled = std::clamp(static_cast<int>(share * width), 0, width);
        const auto whole = static_cast<long long>(left + 0.5);
        char numbers[96];
        if (whole >= 3600) {
            std::snprintf(numbers, sizeof numbers, "] %3.0f %%  %.0f tokens/s  %lld:%02lld:%02lld left", 100 * share, rate, whole / 3600, whole / 60 % 60, whole % 60);
        } else {
            std::snprintf(numbers, sizeof numbers, "] %3.0f %%  %.0f tokens/s  %lld:%02lld left", 100 * share, rate, whole / 60, whole % 60);
        }
        return "\r[" + std::string(static_cast<std::size_t>(filled), '#') + std::string(static_cast<std::size_t>(width - filled), ' ') + numbers + "\x1b[K";
    }

  private:
    bool shown_, drawn_ = false;
    int ranks_;
    std::int64_t total_, done_, before_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now(), last_{};
};

}  // namespace lrp::cli
