// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace lrp {

/// What can be written to: colours, Unicode, and how many columns wide.
struct TerminalStyle {
    bool color = false;
    bool truecolor = false;  ///< 24-bit colours; otherwise the 256-colour table
    bool unicode = true;
    int width = 100;
};

/// Looks at a file descriptor and the environment. NO_COLOR (not empty) and TERM=dumb forbid colours, CLICOLOR_FORCE (not 0) forces
/// them; what is not a terminal gets none. The width is the window's, or COLUMNS, or 100.
[[nodiscard]] inline TerminalStyle detect_terminal(int descriptor) {
    const auto variable = [](const char* name) {
        const char* value = std::getenv(name);
        return std::string(value != nullptr ? value : "");
    };
    TerminalStyle style;
    const bool terminal = ::isatty(descriptor) == 1;
    const std::string force = variable("CLICOLOR_FORCE");
    style.color = (terminal && variable("TERM") != "dumb") || (!force.empty() && force != "0");
    if (!variable("NO_COLOR").empty()) style.color = false;
    const std::string depth = variable("COLORTERM");
    style.truecolor = depth == "truecolor" || depth == "24bit";
    std::string locale;
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        locale = variable(name);
        if (!locale.empty()) break;
    }
    const bool utf8 = locale.find("UTF-8") != std::string::npos || locale.find("utf8") != std::string::npos || locale.find("UTF8") != std::string::npos;
    style.unicode = utf8 || !terminal;
    winsize window{};
    if (terminal && ::ioctl(descriptor, TIOCGWINSZ, &window) == 0 && window.ws_col > 0) {
        style.width = window.ws_col;
    } else if (const int columns = std::atoi(variable("COLUMNS").c_str()); columns > 0) {
        style.width = columns;
    }
    return style;
}

}  // namespace lrp
