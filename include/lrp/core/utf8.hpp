// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// UTF-8 in and out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lrp::utf8 {

/// The code point at `at`, which is moved past it. Needs valid UTF-8.
inline char32_t next(std::string_view text, std::size_t& at) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const std::size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    char32_t code = length == 1 ? lead : lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3Fu);
    at += length;
    return code;
}

inline void append(std::string& out, char32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0 | (code >> 6));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0 | (code >> 12));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    } else {
        out += static_cast<char>(0xF0 | (code >> 18));
        out += static_cast<char>(0x80 | ((code >> 12) & 0x3F));
        out += static_cast<char>(0x80 | ((code >> 6) & 0x3F));
        out += static_cast<char>(0x80 | (code & 0x3F));
    }
}

inline std::size_t size(char32_t code) { return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4; }

/// Length of the longest prefix of `text` that could begin a valid sequence (at least 1), and whether it is one whole character.
struct Prefix {
    std::size_t length = 1;
    bool whole = false;
};
inline Prefix prefix(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {1, true};
    const std::size_t need = lead >= 0xC2 && lead < 0xE0 ? 2 : lead >= 0xE0 && lead < 0xF0 ? 3 : lead >= 0xF0 && lead < 0xF5 ? 4 : 1;
    if (need == 1) return {1, false};
    for (std::size_t i = 1; i < need; ++i) {
        unsigned low = 0x80, high = 0xBF;
        if (i == 1) {  // no overlong forms, no surrogates, nothing above U+10FFFF
            if (lead == 0xE0) low = 0xA0;
            if (lead == 0xED) high = 0x9F;
            if (lead == 0xF0) low = 0x90;
            if (lead == 0xF4) high = 0x8F;
        }
        if (i >= text.size() || byte(i) < low || byte(i) > high) return {i, false};
    }
    return {need, true};
}

/// Position of the first byte that is not UTF-8; npos if all is.
inline std::size_t find_invalid(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const Prefix p = prefix(text.substr(at));
        if (!p.whole) return at;
        at += p.length;
    }
    return std::string_view::npos;
}

/// Bytes as text: each maximal invalid prefix becomes one U+FFFD.
inline std::string lossy(std::string_view bytes) {
    std::string out;
    while (!bytes.empty()) {
        const Prefix p = prefix(bytes);
        if (p.whole) {
            out.append(bytes.substr(0, p.length));
        } else {
            out += "\xEF\xBF\xBD";
        }
        bytes.remove_prefix(p.length);
    }
    return out;
}

}  // namespace lrp::utf8
