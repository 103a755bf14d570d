// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Maps of tokens by tokens: what stands where, what it is scaled by, and texts that do their worst.
#include <sstream>

#include <lrp/view/token_map.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

Trace three(std::vector<std::string> tokens = {"<s>", " a<b>&\"", "\x1b[31m\n"}) {
    Trace trace;
    trace.tokens_count = 3;
    trace.tokens = std::move(tokens);
    return trace;
}
/// Position below by position above.
const RelevanceFlow flow{{1, 2}, 3, {1, -2, 0.5f, 0, 4, -0.25f, 0, 0, 8}, {1, 2, 8.25f}, {-0.5f, 3.75f, 8}};

std::vector<std::string> lines(const std::string& text) {
    std::istringstream in(text);
    std::vector<std::string> out;
    for (std::string line; std::getline(in, line);) out.push_back(line);
    return out;
}

}  // namespace

TEST_CASE("rows are the positions above: a flow is turned, edges are not") {
    const TokenMap map = token_map(three(), flow);
    CHECK(map.values == std::vector<std::vector<float>>{{1, 0, 0}, {-2, 4, 0}, {0.5f, -0.25f, 8}});
    CHECK_THAT(map.title, Contains("layer 1's output (down)") && Contains("layer 0's output (across)"));
    CHECK_THAT(token_map(three(), RelevanceFlow{{0, 3}, 3, flow.flow, {}, {}}).title, Contains("the embedding (across)"));

    AttentionEdges edges{2, 2, 3, std::vector<float>(36), std::vector<float>(18)};
    for (std::size_t i = 0; i < 36; ++i) edges.head[i] = static_cast<float>(i);
    for (std::size_t i = 0; i < 18; ++i) edges.summed[i] = 100 + static_cast<float>(i);
    CHECK(token_map(three(), edges, 1, 1).values == std::vector<std::vector<float>>{{27, 28, 29}, {30, 31, 32}, {33, 34, 35}});
    CHECK(token_map(three(), edges, 1).values == std::vector<std::vector<float>>{{109, 110, 111}, {112, 113, 114}, {115, 116, 117}});
    CHECK_THAT(token_map(three(), edges, 1, 0).title, Contains("layers.1, head 0"));
}

TEST_CASE("on a terminal: tenths of one scale or of each row's, names in front, nothing that moves the cursor") {
    const TokenMap map = token_map(three(), flow);
    const TerminalStyle plain{false, false, true, 160};
    const auto one = lines(ansi_token_map(map, plain, Normalize::global)), by_row = lines(ansi_token_map(map, plain, Normalize::layer));
    CHECK_THAT(one[0], Contains("one scale for all") && Contains("tenths"));
    CHECK_THAT(one[1], Contains("0 '<s>'") && Contains("  1  .  ."));
    CHECK_THAT(one[2], Contains("1 ' a<b>&\"'") && Contains(" -3  5  ."));  // -2/8 and 4/8
    CHECK_THAT(by_row[2], Contains(" -5  9  ."));
    CHECK_THAT(by_row[3], Contains("2 '\\x1b[31m\\n'") && Contains("  1  .  9"));
    for (const auto& line : one) CHECK(line.find('\x1b') == std::string::npos);
    const TerminalStyle narrow{true, true, true, 24};
    const std::string bands = ansi_token_map(token_map(three({std::string(40, 'x'), "b", "c"}), flow), narrow, Normalize::global);
    for (const auto& line : lines(bands)) {
        int width = 0;
        for (std::size_t i = 0; i < line.size(); ++i) {
            if (line[i] == '\x1b') i = line.find('m', i);
            else ++width;
        }
        CHECK(width <= 24);
    }
}

TEST_CASE("as SVG: raw values in titles, texts escaped, the bar says what full colour is") {
    const std::string svg = svg_token_map(token_map(three(), flow), Normalize::global);
    CHECK_THAT(svg, Contains("1 &#39; a&lt;b&gt;&amp;&quot;&#39;, token 0 &#39;&lt;s&gt;&#39;: -2</title>") || Contains("1 &#39; a&lt;b&gt;&amp;&quot;&#39;, token 0 '&lt;s&gt;': -2</title>"));
    CHECK_THAT(svg, Contains(">+8</text>"));
    CHECK(svg.find("<b>") == std::string::npos);
    CHECK(svg.find('\x1b') == std::string::npos);
    std::size_t cells = 0;
    for (std::size_t at = svg.find("<title>"); at != std::string::npos; at = svg.find("<title>", at + 1)) ++cells;
    CHECK(cells == 9);
    CHECK_THAT(svg_token_map(token_map(three(), flow), Normalize::layer), Contains(">+1</text>"));
}
