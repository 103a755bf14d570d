// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Pictures of a trace whose tokens do their worst: nothing breaks out, everything stays aligned, numbers are the trace's.
#include <sstream>

#include <lrp/view/ansi.hpp>
#include <lrp/view/html.hpp>
#include <lrp/view/svg.hpp>
#include <lrp/view/tex.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

Trace nasty() {
    Trace trace;
    trace.tokens = {"<|begin|>", " cats", "</script><script>alert(1)</script>", "\n", "\x1b[31m", "\xE2\x80\xAE", "\xE6\x97\xA5\xE6\x9C\xAC", "e\xCC\x81",
                    "\\{}$&#^_~%`'\"|<>-", "\xE4\xFF", "\xF0\x9F\x99\x82", std::string("\0x", 2), "\xE2\x80\xA8", "]]>"};
    trace.tokens_count = trace.tokens.size();
    trace.layers = 3;
    trace.heads = 2;
    trace.neurons = 4;
    for (std::size_t t = 0; t < trace.tokens_count; ++t) {
        trace.ids.push_back(static_cast<std::int32_t>(t));
        trace.offsets.emplace_back(t, t + 1);
        trace.embedding.push_back(t == 1 ? 2.0f : -0.1f * static_cast<float>(t));
    }
    for (std::size_t i = 0; i < trace.layers * trace.tokens_count; ++i) trace.residual.push_back(static_cast<float>(i % 7) / 3.0f - 1);
    for (std::size_t i = 0; i < trace.layers * trace.tokens_count * 2; ++i) trace.head.push_back(static_cast<float>(i % 5) - 2);
    for (std::size_t i = 0; i < trace.layers * trace.tokens_count * 4; ++i) trace.neuron.push_back(static_cast<float>(i % 11) - 5);
    trace.position = trace.tokens_count - 1;
    trace.prompt = "a \"prompt\" </script> & <b>";
    trace.target = 1;
    trace.target_token = "</title><b>";
    trace.explained = 1.25;
    trace.logits = {0.5f, 1.25f, -3e-9f};
    trace.predictions = {{1, "</td>", 1.25, 0.6}, {0, "\x07", 0.5, 0.3}};
    trace.provenance = {{"model", "m<i>"}, {"rules", "attnlrp"}};
    return trace;
}

/// Every '<' of a tag has its '>', and elements close in order (void elements of HTML apart).
bool balanced(const std::string& text) {
    std::vector<std::string> open;
    for (std::size_t at = text.find('<'); at != std::string::npos; at = text.find('<', at)) {
        const std::size_t end = text.find('>', at);
        if (end == std::string::npos) return false;
        const std::string tag = text.substr(at + 1, end - at - 1);
        at = end;
        if (tag[0] == '!' || tag.back() == '/') continue;
        const std::string name = tag.substr(tag[0] == '/', tag.find_first_of(" \n", 1) - (tag[0] == '/'));
        if (name == "meta" || name == "input") continue;
        if (tag[0] == '/') {
            if (open.empty() || open.back() != name) return false;
            open.pop_back();
        } else {
            open.push_back(name);
            if (name == "script" || name == "style") at = text.find("</" + name, at);
        }
    }
    return open.empty();
}

std::size_t count(const std::string& text, const std::string& what) {
    std::size_t n = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
}

}  // namespace

TEST_CASE("the page: one file, nothing breaks out of it, numbers are exact") {
    const Trace trace = nasty();
    const std::string page = html_page(trace, Normalize::global);
    CHECK(balanced(page));
    CHECK(count(page, "<script") == 2);
    CHECK(count(page, "alert(1)") == 2);  // as data only: a token and its running text
    CHECK(count(page, "http") == 1);      // the http-equiv of the security policy, no address
    CHECK_THAT(page, Contains("Content-Security-Policy") && !Contains("\xE2\x80\xA8") && !Contains("<b>") && !Contains("<i>"));
    const std::size_t begin = page.find("id=\"data\">") + 10;
    const auto data = nlohmann::json::parse(page.substr(begin, page.find("</script>", begin) - begin));
    CHECK(data["normalize"] == "global");
    CHECK(data["position"] == trace.position);
    CHECK(data["tokens"][3] == "\\n");
    CHECK(data["text"][3] == "\\n\n");
    CHECK(data["tokens"][4] == "\\x1b[31m");
    CHECK(data["tokens"][5] == "\\u202e");
    for (std::size_t i = 0; i < trace.residual.size(); ++i) CHECK(data["residual"][i / trace.tokens_count][i % trace.tokens_count].get<float>() == trace.residual[i]);
    CHECK((data["heads"][0].size() == 6 && data["neurons"][0].size() == 10));
    CHECK(std::abs(data["neurons"][0][0][2].get<double>()) == 5);
}

TEST_CASE("top units are the largest of all layers at that token") {
    Trace trace = nasty();
    std::fill(trace.neuron.begin(), trace.neuron.end(), 0.0f);
    trace.neuron[(2 * trace.tokens_count + 6) * 4 + 3] = -9;  // layer 2, token 6, neuron 3
    const auto units = nlohmann::json::parse(detail::top_units(trace, trace.neuron, trace.neurons, 1));
    CHECK(units[6] == nlohmann::json::parse("[[2,3,-9.0]]"));
}

TEST_CASE("the SVG is well-formed and names each cell's value") {
    const std::string svg = svg_heatmap(nasty(), Normalize::layer, true);
    CHECK(balanced(svg));
    CHECK(count(svg, "<title>") == 4 * 14);
    CHECK_THAT(svg, Contains("xmlns=\"http://www.w3.org/2000/svg\"") && !Contains("<script") && !Contains("\x1b") && Contains("layer 2, token 0"));
}

TEST_CASE("a long prompt's SVG is cut into bands of even length, and blanks can be seen") {
    Trace trace = nasty();
    trace.tokens_count = 100;
    trace.tokens.assign(100, " x");
    trace.tokens[60] = "  ";
    trace.residual.assign(300, 0.5f);
    trace.embedding.assign(100, 0.5f);
    const std::string svg = svg_heatmap(trace, Normalize::layer, true);
    CHECK(balanced(svg));
    CHECK(count(svg, "<title>") == 4 * 100);
    CHECK(count(svg, ">layer 2</text>") == 3);
    CHECK(count(svg, "<rect x=\"1080\"") == 2 * 4);  // 34, 34 and 32 columns of 30 from 90 on
    CHECK(count(svg, ">\xE2\x90\xA3\xE2\x90\xA3</text>") == 1);
    CHECK(count(svg_heatmap(nasty(), Normalize::layer, false), ">layer 2</text>") == 1);
}

TEST_CASE("a unit's colours raise and lower") {
    Trace trace = nasty();
    TerminalStyle style;
    style.color = true;
    style.width = 200;
    CHECK_THAT(ansi_heatmap(trace, style, Normalize::layer, true), Contains("red speaks for the prediction, blue against it"));
    CHECK_THAT(html_page(trace, Normalize::layer), Contains("Red speaks for it, blue against it") && Contains("against <i"));
    trace.unit = "neuron 3/118";
    CHECK_THAT(ansi_heatmap(trace, style, Normalize::layer, true), Contains("red raises the activation, blue lowers it"));
    CHECK_THAT(html_page(trace, Normalize::layer), Contains("Red raises it, blue lowers it") && Contains("lowers <i"));
}

TEST_CASE("TeX: specials are commands, the file is ASCII") {
    const std::string tex = tex_tokens(nasty());
    CHECK(std::all_of(tex.begin(), tex.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80 && (c == '\n' || c >= 0x20); }));
    CHECK(count(tex, "\\lrptoken{") == 14);
    CHECK_THAT(tex, Contains("\\textbackslash{}\\{\\}\\$\\&\\#\\textasciicircum{}\\_\\textasciitilde{}\\%\\textasciigrave{}\\textquotesingle{}\\textquotedbl{}") &&
                        Contains("\\symbol{26085}"));
}

TEST_CASE("JSON parses, holds the sites asked for, and refuses what is not finite") {
    Trace trace = nasty();
    const auto json = nlohmann::json::parse(trace_json(trace, {"residual", "head"}));
    CHECK((json["format"] == "lrpxx-trace" && json["format_version"] == 1 && json["target"] == nlohmann::json({1})));
    CHECK((!json.contains("embedding") && !json.contains("neuron") && json["head"][2][13].size() == 2));
    CHECK(json["logits"][2].get<float>() == -3e-9f);
    CHECK(json["predictions"][0] == nlohmann::json({{"token", "</td>"}, {"id", 1}, {"logit", 1.25}, {"probability", 0.6}}));
    CHECK(json["tokens"][2] == "</script><script>alert(1)</script>");
    CHECK((json["metadata"]["prompt"] == trace.prompt && json["metadata"]["target"] == "1" && json["metadata"]["rules"] == "attnlrp"));
    CHECK(json["metadata"] == trace_metadata(trace));
    trace.residual[3] = NAN;
    CHECK_THROWS_WITH(trace_json(trace, {"residual"}), Contains("a value of 'residual' is not finite"));
}

TEST_CASE("the terminal: aligned, narrow, with and without colour") {
    const Trace trace = nasty();
    for (const bool color : {false, true}) {
        for (const int width : {20, 40, 200}) {
            TerminalStyle style;
            style.color = color;
            style.width = width;
            const std::string map = ansi_heatmap(trace, style, Normalize::layer, true), prompt = ansi_prompt(trace, style);
            CHECK((map.find("\x1b[3") == std::string::npos || color));
            std::istringstream lines(width < 40 ? map : ansi_predictions(trace, style) + map);  // the table of predictions needs 34 columns
            std::size_t layers = 0, bands = 0;
            for (std::string line; std::getline(lines, line);) {
                std::string plain;
                for (std::size_t i = 0; i < line.size(); ++i) {
                    if (line[i] == '\x1b') {
                        i = line.find('m', i);
                    } else {
                        plain += line[i];
                    }
                }
                CHECK(display_width(plain) <= width);
                layers += plain.starts_with("layer ");
                bands += plain.starts_with("embedding");
            }
            CHECK(layers == bands * 3);
            CHECK(bands == (width == 200 ? 1u : width == 40 ? 2u : 5u));
        }
    }
    TerminalStyle style;
    CHECK_THAT(ansi_predictions(trace, style), Contains("'</td>'") && Contains("'\\x07'") && Contains("60.00%"));
    CHECK_THAT(ansi_prompt(trace, style), Contains("\\x1b[31m") && Contains("\\u202e") && !Contains("\x1b"));
    style.color = style.truecolor = true;
    CHECK_THAT(ansi_prompt(trace, style), Contains("\x1b[97;48;2;200;50;47m cats\x1b[0m"));
}

TEST_CASE("labels and colours") {
    CHECK(wrapped("one two three", 7) == "one two\nthree");
    CHECK(wrapped("extraordinary it is\nso be it\n", 5) == "extraordinary\nit is\nso be\nit\n");
    CHECK(wrapped("\xE6\x97\xA5\xE6\x9C\xAC \xE6\x97\xA5", 6) == "\xE6\x97\xA5\xE6\x9C\xAC\n\xE6\x97\xA5");
    CHECK(visible("a\tb\r\xC2\x85\xEF\xBB\xBF") == "a\\tb\\r\\x85\\ufeff");
    CHECK(display_width("\xE6\x97\xA5\xE6\x9C\xAC") == 4);
    CHECK(display_width("e\xCC\x81x") == 2);
    CHECK((fit_quoted("cats", 8) == "'cats'  " && fit_quoted("elephants", 8) == "'eleph\xE2\x80\xA6'" && fit_quoted("a cats", 6) == "'a c\xE2\x80\xA6'"));
    CHECK(fit("\xE6\x97\xA5\xE6\x9C\xAC", 3) == "\xE6\x97\xA5 ");
    CHECK(markup("<&>\"'\x01") == "&lt;&amp;&gt;&quot;&#39;\xEF\xBF\xBD");
    CHECK(diverging_color(0) == Rgb{255, 255, 255});
    CHECK(diverging_color(5) == diverging_color(1));
    CHECK(diverging_color(NAN) == Rgb{255, 255, 255});
    CHECK(hex_color(diverging_color(1)) == "#c8322f");
    CHECK((wants_white_text(diverging_color(1)) && wants_white_text(diverging_color(-1)) && !wants_white_text(diverging_color(0.1))));
    CHECK(xterm_color({255, 255, 255}) == 231);
    CHECK(xterm_color({128, 128, 128}) == 244);
    CHECK(xterm_color({255, 0, 0}) == 196);
    CHECK(number_text(0.1f) == "0.1");
}

TEST_CASE("normalising rows") {
    std::vector<std::vector<float>> rows{{1, -2}, {0, 0}, {4, 1}};
    auto by_layer = rows, overall = rows, raw = rows;
    normalize_rows(by_layer, Normalize::layer);
    normalize_rows(overall, Normalize::global);
    normalize_rows(raw, Normalize::none);
    CHECK(by_layer == std::vector<std::vector<float>>{{0.5f, -1}, {0, 0}, {1, 0.25f}});
    CHECK(overall == std::vector<std::vector<float>>{{0.25f, -0.5f}, {0, 0}, {1, 0.25f}});
    CHECK(raw == rows);
    CHECK_THROWS_AS(parse_normalize("max"), UsageError);
}
