// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/utf8.hpp>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("every code point goes out and comes back") {
    for (char32_t code = 0; code < 0x110000; ++code) {
        if (code >= 0xD800 && code < 0xE000) continue;  // surrogates are not characters
        std::string text;
        utf8::append(text, code);
        std::size_t at = 0;
        const bool good = text.size() == utf8::size(code) && utf8::find_invalid(text) == std::string::npos &&
                          utf8::next(text, at) == code && at == text.size();
        if (!good) FAIL("code point " << static_cast<std::uint32_t>(code));
    }
}

TEST_CASE("what is not UTF-8 is found, and shown as one replacement for each maximal prefix") {
    struct Case {
        std::string bytes;
        std::size_t invalid;
        std::string shown;
    };
    const std::string r = "\xEF\xBF\xBD";
    for (const Case& one :
         {Case{"a\xC3\xA9", std::string::npos, "a\xC3\xA9"}, Case{"a\x80", 1, "a" + r}, Case{"\xC0\xAF", 0, r + r}, Case{"\xE2\x82", 0, r},
          Case{"\xE2\x82x", 0, r + "x"}, Case{"\xED\xA0\x80", 0, r + r + r}, Case{"\xF4\x90\x80\x80", 0, r + r + r + r},
          Case{"\xF0\x9F\x98", 0, r}, Case{"\xE0\x80\x80", 0, r + r + r}, Case{"\xF0\x80\x80\x80", 0, r + r + r + r},
          Case{"\xF5\x80\x80\x80", 0, r + r + r + r}, Case{"", std::string::npos, ""}}) {
        CHECK(utf8::find_invalid(one.bytes) == one.invalid);
        CHECK(utf8::lossy(one.bytes) == one.shown);
    }
}
