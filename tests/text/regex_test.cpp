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
    for (const text::Match& match : text::Regex(pattern, "test").find_all(text)) pieces.push_back(text.substr(match.begin, match.end - match.begin));
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

TEST_CASE("what PCRE2 cannot be told is refused by name") {
    CHECK_THROWS_WITH(text::Regex("[a&&b]", "test"), Contains("test: the pattern '[a&&b]' has an intersection of sets"));
    CHECK_THROWS_WITH(text::Regex("[a[bc]]", "test"), Contains("a set in a set"));
    CHECK_THROWS_WITH(text::Regex("(?m:a.)", "test"), Contains("the option 'm'"));
    CHECK_THROWS_WITH(text::Regex("(?i-m)a", "test"), Contains("the option 'm'"));
    CHECK_THROWS_WITH(text::Regex("a{2,3}+", "test"), Contains("has '{2,3}+'"));
    CHECK_NOTHROW(text::Regex(R"(\{2,3}+(?:m)(?<m>a)[\[&])", "test"));
    CHECK_THROWS_WITH(text::Regex("(", "test"), Contains("test: the pattern '(' does not compile"));
}
