// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/json.hpp>
#include <lrp/view/html_token_maps.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

TEST_CASE("the page of maps: exact values of every position up to its own, and no text that breaks out") {
    Trace trace;
    trace.tokens_count = 3;
    trace.tokens = {"<s>", "</script><b>&\xE2\x80\xA8", "\x1b[31m\n"};
    trace.ids = {0, 5, 7};
    trace.position = 2;
    trace.target_token = " <i>";
    const RelevanceFlow flow{{1, 2}, 3, {1, -2, 0.5f, 0, 4, -0.25f, 0, 0, 8}, {}, {}};  // position below by position above
    const AttentionEdges edges{1, 1, 3, std::vector<float>(9, 0.1f), std::vector<float>(9, 0.1f)};
    const std::string page = html_token_maps(trace, {token_map(trace, flow), token_map(trace, edges, 0)}, 1, Normalize::layer);
    CHECK_THAT(page, Contains("Content-Security-Policy") && Contains("&lt;i&gt;") && !Contains("<b>") && !Contains("<i>") && !Contains("\x1b"));
    const std::size_t begin = page.find("id=\"data\">") + 10;
    const auto data = nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
    CHECK((data["first"] == 1 && data["normalize"] == "layer" && data["position"] == 2 && data["ids"] == trace.ids));
    CHECK(data["text"][2] == "\\x1b[31m\\n\n");
    REQUIRE(data["maps"].size() == 2);
    CHECK(data["maps"][0]["values"] == nlohmann::json::parse("[[1],[-2,4],[0.5,-0.25,8]]"));
    CHECK(data["maps"][1]["name"] == "attention, layer 0, all heads");
    CHECK(data["maps"][1]["values"][2][1].get<float>() == 0.1f);
    CHECK_THROWS_WITH(html_token_maps(trace, {}, 0, Normalize::global), Contains("a map to begin with below 0, found 0"));
}
