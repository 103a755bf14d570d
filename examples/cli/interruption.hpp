// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <csignal>

namespace lrp::cli {

inline volatile std::sig_atomic_t stop_flag = 0;
extern "C" inline void raise_stop_flag(int) { stop_flag = 1; }

/// Whether Ctrl-C or SIGTERM has come since watch_signals.
[[nodiscard]] inline bool stop_asked() { return stop_flag != 0; }

/// From now on the first Ctrl-C or SIGTERM only asks to stop, where that leaves things tidy; a second one ends the program at once, as if killed.
inline void watch_signals() {
    struct sigaction action {};
    action.sa_handler = raise_stop_flag;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
}

}  // namespace lrp::cli
