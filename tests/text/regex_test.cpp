// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Patterns of tokenizer.json mean what they mean to Hugging Face: cuts of Split(Regex(pattern), "isolated") by tokenizers 0.21.4.
#include <lrp/text/regex.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

std::vector<std::string> cut(const std::string& pattern, const std::string& text) {
    std::vector<std::string> pieces;
    for (const text::Match& match : text::Regex(pattern, "test").find_all(text))
        if (match.end > match.begin) pieces.push_back(text.substr(match.begin, match.end - match.begin));
    return pieces;
}
using Pieces = std::vector<std::string>;

}  // namespace

TEST_CASE("a pattern has Ruby's meaning where PCRE2 has another") {
    CHECK(cut(R"(\s+$)", "ab  \ncd  ") == Pieces{"ab", "  ", "\ncd", "  "});
    CHECK(cut(R"(^\s+)", "  x\n  y\n") == Pieces{"  ", "x\n", "  ", "y\n"});
    CHECK(cut(R"(\p{N}{1,3}+)", "0123 12 4567") == Pieces{"0123", " ", "12", " ", "4567"});
    CHECK(cut(R"(\p{N}{1,3})", "0123 12 4567") == Pieces{"012", "3", " ", "12", " ", "456", "7"});
    CHECK(cut(R"(x{0,2}+y)", "xxxxy y") == Pieces{"xxxxy", " ", "y"});
    CHECK(cut(R"(\h+)", "deadBEEF_xyz 12") == Pieces{"deadBEEF", "_xyz ", "12"});
    CHECK(cut(R"([\H]+)", "deadBEEF_xyz 12") == Pieces{"deadBEEF", "_xyz ", "12"});
    CHECK(cut("a.c", "a\nc abc ABC It'S") == Pieces{"a\nc ", "abc", " ABC It'S"});
    CHECK(cut("[]a]+", "ab]]a c") == Pieces{"a", "b", "]]a", " c"});
    CHECK(cut("[[:alpha:]]+", "deadBEEF_xyz 12") == Pieces{"deadBEEF", "_", "xyz", " 12"});
}

TEST_CASE("sets of characters are Oniguruma's: scripts without extensions, word characters, classes of POSIX, and all but a set within a class") {
    CHECK(cut(R"([\p{Han}]+|[^\p{Han}]+)", "\u65e5\u672c\u3001\u4e2d") == Pieces{"\u65e5\u672c", "\u3001", "\u4e2d"});
    CHECK(cut(R"(\p{^Han}+)", "\u65e5\u672c\u3001\u4e2dx") == Pieces{"\u65e5\u672c", "\u3001", "\u4e2d", "x"});
    CHECK(cut(R"(\P{Hiragana}+)", "\u3072\u30fc\u3001x") == Pieces{"\u3072", "\u30fc\u3001x"});
    CHECK(cut(R"(\w+|[^\w\s]+)", "\u0924\u0947\u0902 a\u0330b\u00b2 x-\u65e5\u672c\u3001") == Pieces{"\u0924\u0947\u0902", " ", "a\u0330b\u00b2", " ", "x", "-", "\u65e5\u672c", "\u3001"});
    CHECK(cut(R"(\W+)", "\u0924\u0947\u0902 a\u0330b\u00b2 x-\u65e5\u672c\u3001") == Pieces{"\u0924\u0947\u0902", " ", "a\u0330b\u00b2", " ", "x", "-", "\u65e5\u672c", "\u3001"});
    CHECK(cut(R"([\W_]+)", "ab, _1\u00e9\u00b2 x") == Pieces{"ab", ", _", "1\u00e9", "\u00b2 ", "x"});
    CHECK(cut(R"([^\W\d]+)", "ab1, _\u00b2\u00e9") == Pieces{"ab", "1, ", "_", "\u00b2", "\u00e9"});
    CHECK(cut(R"([\W\S])", "a ") == Pieces{"a", " "});
    CHECK(cut(R"([^\W\H]+)", "xdeadz \u00b2f") == Pieces{"x", "dead", "z \u00b2", "f"});
    CHECK(cut(R"(\b)", "ab, _1\u00e9 \u0924\u0947") == Pieces{"ab", ", ", "_1\u00e9", " ", "\u0924\u0947"});
    CHECK(cut(R"(\B)", "ab, _1") == Pieces{"a", "b,", " _", "1"});
    CHECK(cut(R"(\p{N}{1,3}(?=(?:\p{N}{3})*\b))", "1234567 12") == Pieces{"1", "234", "567", " ", "12"});
    CHECK(cut(R"([[:punct:]]+)", "a+b, $x_y\u300c\u65e5\u300d") == Pieces{"a", "+", "b", ",", " ", "$", "x", "_", "y", "\u300c", "\u65e5", "\u300d"});
    CHECK(cut(R"(\p{punct}+)", "a+b, $x_y\u300c\u65e5\u300d") == Pieces{"a+b", ",", " $x", "_", "y", "\u300c", "\u65e5", "\u300d"});
    CHECK(cut(R"([[:^alpha:]x]+)", "ab1x y") == Pieces{"ab", "1x ", "y"});
    CHECK(cut(R"([^[:space:]]+)", "a \u180eb\u00a0c") == Pieces{"a", " ", "\u180eb", "\u00a0", "c"});
    CHECK(cut(R"([[:upper:][:digit:]]+)", "ABc12\u24b6d") == Pieces{"AB", "c", "12\u24b6", "d"});
    CHECK(cut(R"(\p{word}+)", "ab\u00b2c_ d") == Pieces{"ab\u00b2c_", " ", "d"});
    CHECK(cut(R"([\s\S])", "a b") == Pieces{"a", " ", "b"});
    CHECK(cut(R"([^\S\n]+)", "a \n\tb") == Pieces{"a", " ", "\n", "\t", "b"});
    CHECK(cut(R"(\p{Alnum}+)", "ab1-\u2167\u00b2") == Pieces{"ab1", "-", "\u2167", "\u00b2"});
    CHECK(cut(R"([\]\[x]+)", "a]b[x") == Pieces{"a", "]", "b", "[x"});
}

TEST_CASE("a match of nothing cuts, but not where the one before ended") {
    CHECK(cut(R"((?=(\d{3})+(?!\d)))", "1234") == Pieces{"1", "234"});
    CHECK(cut(R"(x*)", "axxb") == Pieces{"a", "xx", "b"});
    CHECK(cut(R"((?<=[a-z])(?=[A-Z]))", "camelCaseText") == Pieces{"camel", "Case", "Text"});
    CHECK(cut(R"()", "ab\u00e9") == Pieces{"a", "b", "\u00e9"});
    const auto marked = [](const std::string& pattern, const std::string& text) {
        std::string out;
        for (const text::Match& match : text::Regex(pattern, "test").find_all(text)) out += match.matched ? "#" : text.substr(match.begin, match.end - match.begin);
        return out;
    };
    CHECK(marked("x*", "axxb") == "#a#b#");
    CHECK(marked("", "a\u00e9") == "#a#\u00e9#");
    CHECK(marked(R"(\b)", "a b") == "#a# #b#");
    CHECK(marked("x*", "") == "");
}

TEST_CASE("more names and counts that PCRE2 reads otherwise") {
    CHECK(cut(R"([\p{word}]+)", "ab\u00b2c_ d") == Pieces{"ab", "\u00b2", "c_", " ", "d"});
    CHECK(cut("[[:ascii:]]+", "ab\u00e9") == Pieces{"ab", "\u00e9"});
    CHECK(cut(R"(\v+)", "a\x0b\n\x0c") == Pieces{"a", "\x0b", "\n\x0c"});
    CHECK(cut(R"(xa{,3}b)", "xaab xb") == Pieces{"xaab", " ", "xb"});
    CHECK(cut(R"(\p{Decimal_Number}+|\p{Letter})", "12ab") == Pieces{"12", "a", "b"});
    CHECK_THROWS_WITH(text::Regex("x{2}?", "test"), Contains("has '{2}?'"));
    CHECK_THROWS_WITH(text::Regex(R"(\pL)", "test"), Contains("'\\p' without braces"));
    CHECK_NOTHROW(text::Regex("x{2,3}?y{1,}?z{", "test"));
}

TEST_CASE("what PCRE2 cannot be told is refused by name") {
    CHECK_THROWS_WITH(text::Regex("[a&&b]", "test"), Contains("test: the pattern '[a&&b]' has an intersection of sets"));
    CHECK_THROWS_WITH(text::Regex("[a[bc]]", "test"), Contains("a set in a set"));
    CHECK_THROWS_WITH(text::Regex("(?m:a.)", "test"), Contains("the option 'm'"));
    CHECK_THROWS_WITH(text::Regex("(?i-m)a", "test"), Contains("the option 'm'"));
    CHECK_THROWS_WITH(text::Regex("a{2,3}+", "test"), Contains("has '{2,3}+'"));
    CHECK_NOTHROW(text::Regex(R"(\{2,3}+(?:m)(?<m>a)[\[&])", "test"));
    CHECK_THROWS_WITH(text::Regex("[[:vowel:]]", "test"), Contains("has the class 'vowel'"));
    CHECK_THROWS_WITH(text::Regex("[^ab", "test"), Contains("test: the pattern '[^ab' does not compile"));
    CHECK_THROWS_WITH(text::Regex("(", "test"), Contains("test: the pattern '(' does not compile"));
}
