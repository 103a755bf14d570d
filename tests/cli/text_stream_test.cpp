// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Text as it is generated: what has been shown is never taken back, and is whole characters.
#include "cli/text_stream.hpp"

#include <lrp/core/utf8.hpp>

#include "support/catch.hpp"

using namespace lrp;
using namespace lrp::cli;

namespace {

/// What is shown when these tokens come, piece by piece; "|" between what came at different times.
std::string shown(const std::vector<std::string>& tokens, const std::vector<std::string>& stops = {}) {
    static const Tokenizer tokenizer = Tokenizer::from_file(LRP_TEST_DATA "/golden/text/llama2.json");
    std::string pieces, whole;
    TextStream stream(&tokenizer, tokenizer.encode("hello").ids, stops, [&](const std::string& piece) {
        CHECK(utf8::find_invalid(piece) == std::string::npos);
        pieces += (pieces.empty() ? "" : "|") + piece;
        whole += piece;
    });
    for (const std::string& token : tokens)
        if (!stream.push(tokenizer.token_to_id(token).value())) break;
    stream.finish();
    CHECK(whole == stream.text());
    return pieces;
}

}  // namespace

TEST_CASE("text is shown as it comes, but for bytes that others may yet change and what may become a stop string") {
    CHECK(shown({"\u2581the", "s", "\u2581ar"}) == " the|s| ar");
    CHECK(shown({"\u2581a", "<0x0A>", "\u2581b"}) == " a|\n b");
    CHECK(shown({"<0x0A>", "<0xF0>", "<0x9F>", "<0x99>", "<0x82>"}) == "\n\xF0\x9F\x99\x82");
    CHECK(shown({"<0x0A>", "</s>", "<0xF0>"}) == "\uFFFD\uFFFD");  // control tokens do not part them
    CHECK(shown({"<0x0A>", "<0xF0>"}) == "\uFFFD\uFFFD");
    CHECK(shown({"s", "<0x0A>", "<0xF0>", "\u2581b"}) == "s|\uFFFD\uFFFD b");
    CHECK(shown({"\u2581a", "s", "\u2581ar", "\u2581b"}, {"s ar"}) == " a");
    CHECK(shown({"\u2581a", "s", "\u2581b"}, {"s ar"}) == " a|s b");
}
