// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <csignal>
#include <initializer_list>

namespace lrp::cli {

inline volatile std::sig_atomic_t stop_flag = 0;
extern "C" inline void raise_stop_flag(int) { stop_flag = 1; }

/// Whether Ctrl-C or SIGTERM has come since watch_signals.
[[nodiscard]] inline bool stop_asked() { return stop_flag != 0; }

/// From now on the first Ctrl-C or SIGTERM only asks to stop, where that leaves things tidy; a second one ends the program at once, as if killed. What came before
/// is forgotten. `flags` are those of sigaction: without SA_RESETHAND each one asks, with SA_RESTART what waits for a file goes on waiting.
inline void watch_signals(std::initializer_list<int> signals = {SIGINT, SIGTERM}, unsigned flags = SA_RESETHAND) {
    stop_flag = 0;
    struct sigaction action {};
    action.sa_handler = raise_stop_flag;
    action.sa_flags = static_cast<int>(flags);
    for (const int signal : signals) sigaction(signal, &action, nullptr);
}

}  // namespace lrp::cli
