// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// How far a long command is: one line on a terminal, nothing anywhere else.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <string>
#include <utility>

#include <lrp/core/human.hpp>
#include <lrp/view/terminal.hpp>

namespace lrp {

/// What a progress line says.
struct ProgressState {
    std::string label;          ///< what is going on: "writing", "collecting"
    std::string unit;           ///< what is counted, in the plural: "prompts"; "bytes" are shown as sizes
    std::uint64_t total = 0;    ///< 0: not known
    std::uint64_t already = 0;  ///< of `done`, what an earlier run had done: no part of the rate
    std::uint64_t done = 0;
    double seconds = 0;  ///< since this run began
};

namespace detail {

inline std::string progress_count(double value, const std::string& unit) {
    if (unit == "bytes") return human_bytes(static_cast<std::uint64_t>(value));
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), value < 100 && value != std::floor(value) ? "%.1f" : "%.0f", value);
    return text.data();
}

}  // namespace detail

/// "writing  42 % [####------] 1.2 GiB of 2.9 GiB, 810.0 MiB/s, 0:03 left", at most `width` characters: the bar takes what room is left
/// (10 to 40 characters, or is left out), and what is still too long is cut. The rate is that of this run; without a total neither share,
/// bar nor time left is shown.
[[nodiscard]] inline std::string progress_line(const ProgressState& state, int width) {
    const auto count = [&](double value) { return detail::progress_count(value, state.unit); };
    const std::string noun = state.unit == "bytes" ? "" : " " + state.unit;
    std::string before = state.label, after = " " + count(static_cast<double>(state.done));
    if (state.total > 0) after += " of " + count(static_cast<double>(state.total));
    after += noun;
    const double here = static_cast<double>(state.done - std::min(state.already, state.done));
    if (state.seconds > 0 && here > 0) {
        const double rate = here / state.seconds;
        after += ", " + count(rate) + noun + "/s";
        if (state.total > state.done) after += ", " + human_clock(static_cast<double>(state.total - state.done) / rate) + " left";
    }
    std::string bar;
    if (state.total > 0) {
        const double share = std::min(1.0, static_cast<double>(state.done) / static_cast<double>(state.total));
        before += " " + std::string(share < 0.1 ? 2 : share < 1 ? 1 : 0, ' ') + std::to_string(static_cast<int>(share * 100)) + " %";
        const int room = std::min(40, width - static_cast<int>(before.size() + after.size()) - 3);
        if (room >= 10) {
            const auto full = static_cast<std::size_t>(share * room);
            bar = " [" + std::string(full, '#') + std::string(static_cast<std::size_t>(room) - full, '-') + "]";
        }
    }
    return (before + bar + after).substr(0, static_cast<std::size_t>(std::max(0, width)));
}

/// Shows progress on a terminal, at most ten times a second, and takes the line away when done; writes nothing to what is no terminal.
/// `add` may be called from any thread.
class Progress {
  public:
    Progress(std::string label, std::string unit, std::uint64_t total, std::uint64_t already = 0, int descriptor = STDERR_FILENO)
        : state_{std::move(label), std::move(unit), total, already, already, 0}, descriptor_(descriptor), terminal_(::isatty(descriptor) == 1), done_(already) {}
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress() { finish(); }

    void add(std::uint64_t count = 1) {
        done_.fetch_add(count);
        if (!terminal_) return;
        const std::unique_lock lock(mutex_, std::try_to_lock);  // somebody else is painting: that will do
        const auto now = clock::now();
        if (!lock || finished_ || now < next_) return;
        next_ = now + std::chrono::milliseconds(100);
        state_.done = done_.load();
        state_.seconds = std::chrono::duration<double>(now - start_).count();
        write("\r" + progress_line(state_, detect_terminal(descriptor_).width - 1) + "\x1b[K");  // and erase to the end of the line
        painted_ = true;
    }

    /// Takes the line away until the next `add`, so that something else can be printed.
    void hide() {
        const std::lock_guard lock(mutex_);
        if (painted_ && !finished_) write("\r\x1b[K");
        painted_ = false;
        next_ = clock::now();
    }

    /// Takes the line away, so that what is printed next begins where it began.
    void finish() {
        const std::lock_guard lock(mutex_);
        if (painted_ && !finished_) write("\r\x1b[K");
        finished_ = true;
    }

  private:
    using clock = std::chrono::steady_clock;

    void write(const std::string& text) const {
        if (::write(descriptor_, text.data(), text.size()) < 0) return;  // a terminal that went away is no reason to stop working
    }

    ProgressState state_;
    int descriptor_;
    bool terminal_;
    bool painted_ = false;
    bool finished_ = false;
    std::atomic<std::uint64_t> done_;
    std::mutex mutex_;
    clock::time_point start_ = clock::now(), next_ = start_ + std::chrono::milliseconds(100);
};

}  // namespace lrp
