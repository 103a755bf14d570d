// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Token texts made fit to be shown: nothing that moves a cursor, turns text around or breaks a file reaches a reader's screen.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include <lrp/core/utf8.hpp>

namespace lrp {

namespace detail {

struct Character {
    char32_t code = 0;
    std::string_view bytes;
    bool valid = false;
};

/// The characters of a text; bytes that are no UTF-8 come one by one, not valid.
inline std::vector<Character> characters(std::string_view text) {
    std::vector<Character> out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t begin = at;
        const bool valid = utf8::prefix(text.substr(at)).whole;
        const char32_t code = valid ? utf8::next(text, at) : static_cast<unsigned char>(text[at++]);
        out.push_back({code, text.substr(begin, at - begin), valid});
    }
    return out;
}

/// Controls, and characters that change direction, join or hide: not to be written out as they are.
inline bool is_hidden(char32_t c) {
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0xAD || (c >= 0x200B && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) ||
           c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFB) || (c >= 0xE0000 && c <= 0xE0FFF) || c == 0x061C || (c & 0xFFFE) == 0xFFFE;
}

inline bool is_combining(char32_t c) {
    return (c >= 0x300 && c <= 0x36F) || (c >= 0x483 && c <= 0x489) || (c >= 0x591 && c <= 0x5BD) || (c >= 0x610 && c <= 0x61A) || (c >= 0x64B && c <= 0x65F) ||
           (c >= 0x93A && c <= 0x94F && c != 0x93D) || (c >= 0xE31 && c <= 0xE3A && c != 0xE32 && c != 0xE33) || (c >= 0xE47 && c <= 0xE4E) ||
           (c >= 0x1AB0 && c <= 0x1AFF) || (c >= 0x1DC0 && c <= 0x1DFF) || (c >= 0x20D0 && c <= 0x20FF) || (c >= 0xFE00 && c <= 0xFE0F) ||
           (c >= 0xFE20 && c <= 0xFE2F);
}

inline bool is_wide(char32_t c) {
    return (c >= 0x1100 && c <= 0x115F) || (c >= 0x2E80 && c <= 0x303E) || (c >= 0x3041 && c <= 0xA4CF) || (c >= 0xA960 && c <= 0xA97F) ||
           (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE6F) || (c >= 0xFF00 && c <= 0xFF60) ||
           (c >= 0xFFE0 && c <= 0xFFE6) || (c >= 0x1F300 && c <= 0x1F64F) || (c >= 0x1F680 && c <= 0x1F6FF) || (c >= 0x1F900 && c <= 0x1F9FF) ||
           (c >= 0x20000 && c <= 0x3FFFD);
}

}  // namespace detail

/// A token's text with every hidden character spelled out: \n, \t, \x1b, \u202e; bytes that are no UTF-8 as \xE4.
[[nodiscard]] inline std::string visible(std::string_view text) {
    std::string out;
    for (const auto& c : detail::characters(text)) {
        std::array<char, 16> code{};
        if (c.valid && !detail::is_hidden(c.code)) {
            out += c.bytes;
        } else if (c.code == '\n' || c.code == '\t' || c.code == '\r') {
            out += c.code == '\n' ? "\\n" : c.code == '\t' ? "\\t" : "\\r";
        } else {
            std::snprintf(code.data(), code.size(), !c.valid ? "\\x%02X" : c.code < 0x100 ? "\\x%02x" : c.code < 0x10000 ? "\\u%04x" : "\\U%06x",
                          static_cast<unsigned>(c.code));
            out += code.data();
        }
    }
    return out;
}

/// A token's text for where nothing else shows that it is there: `visible`, with the blanks of a text that is nothing else as open boxes (U+2423).
[[nodiscard]] inline std::string axis_text(std::string_view text) {
    if (text.find_first_not_of(' ') != std::string_view::npos) return visible(text);
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) out += "\xE2\x90\xA3";
    return out;
}

/// Columns that a visible text takes on a terminal.
[[nodiscard]] inline int display_width(std::string_view text) {
    int width = 0;
    for (const auto& c : detail::characters(text)) width += detail::is_combining(c.code) ? 0 : detail::is_wide(c.code) ? 2 : 1;
    return width;
}

/// A visible text cut and padded to exactly `width` columns.
[[nodiscard]] inline std::string fit(std::string_view text, int width) {
    std::string out;
    int used = 0;
    for (const auto& c : detail::characters(text)) {
        const int own = detail::is_combining(c.code) ? 0 : detail::is_wide(c.code) ? 2 : 1;
        if (used + own > width) break;
        out += c.bytes;
        used += own;
    }
    return out + std::string(static_cast<std::size_t>(width - used), ' ');
}

/// "'cats'", padded to `width` columns; what does not fit ends with "…'".
[[nodiscard]] inline std::string fit_quoted(std::string_view text, int width) {
    if (display_width(text) + 2 <= width) return fit("'" + std::string(text) + "'", width);
    std::string cut = fit(text, std::max(0, width - 3));
    while (cut.ends_with(' ')) cut.pop_back();
    return fit("'" + cut + "\xE2\x80\xA6'", width);
}

/// Text broken at spaces into lines of at most `width` columns (a longer word keeps its line); its own line ends stay.
[[nodiscard]] inline std::string wrapped(std::string_view text, int width) {
    std::string out;
    int used = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
        const int own = display_width(text.substr(0, end));
        if (used > 0 && used + 1 + own > width) {
            out += '\n';
            used = 0;
        } else if (used > 0) {
            out += ' ';
            ++used;
        }
        out += text.substr(0, end);
        used += own;
        if (end < text.size() && text[end] == '\n') {
            out += '\n';
            used = 0;
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return out;
}

/// A number in its shortest form that reads back the same.
template <class T>
[[nodiscard]] std::string number_text(T value) {
    std::array<char, 48> text{};
    const auto [end, code] = std::to_chars(text.data(), text.data() + text.size(), value);
    return code == std::errc() ? std::string(text.data(), end) : "?";
}

/// A number with `digits` significant digits.
[[nodiscard]] inline std::string number_text(double value, int digits) {
    std::array<char, 48> text{};
    std::snprintf(text.data(), text.size(), "%.*g", digits, value);
    return text.data();
}

/// For the text of XML and HTML: escaped, without characters that XML forbids (they become U+FFFD).
[[nodiscard]] inline std::string markup(std::string_view text) {
    std::string out;
    for (const auto& c : detail::characters(text)) {
        const bool legal = c.valid && (c.code >= 0x20 || c.code == '\n' || c.code == '\t') && c.code != 0xFFFE && c.code != 0xFFFF;
        if (!legal) {
            out += "\xEF\xBF\xBD";
        } else if (c.code == '&') {
            out += "&amp;";
        } else if (c.code == '<') {
            out += "&lt;";
        } else if (c.code == '>') {
            out += "&gt;";
        } else if (c.code == '"') {
            out += "&quot;";
        } else if (c.code == '\'') {
            out += "&#39;";
        } else {
            out += c.bytes;
        }
    }
    return out;
}

}  // namespace lrp
