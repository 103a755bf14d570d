// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What self-contained pages share: head, what is explained, provenance, and data and scripts at the end. They need no network and open from file://.
#pragma once

#include <initializer_list>

#include <lrp/view/html_assets.hpp>
#include <lrp/view/json.hpp>

namespace lrp::detail {

/// A page's beginning up to its body. `title` is markup; a page without scripts forbids them.
inline std::string html_head(const std::string& title, std::string_view style, bool scripts = true) {
    return "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'" +
           std::string(scripts ? "; script-src 'unsafe-inline'" : "") + "\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" + title +
           "</title>\n<style>" + std::string(html_shared_style) + std::string(style) + "</style></head>\n<body>\n";
}

/// JSON that may stand inside a script element: no '<', no '&', none of the line ends that scripts trip over.
inline std::string script_safe(const std::string& json) {
    std::string out;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const std::string_view rest = std::string_view(json).substr(i);
        if (json[i] == '<') {
            out += "\\u003c";
        } else if (json[i] == '>') {
            out += "\\u003e";
        } else if (json[i] == '&') {
            out += "\\u0026";
        } else if (rest.starts_with("\xE2\x80\xA8") || rest.starts_with("\xE2\x80\xA9")) {
            out += rest[2] == '\xA8' ? "\\u2028" : "\\u2029";
            i += 2;
        } else {
            out += json[i];
        }
    }
    return out;
}

/// A page's end: its own scripts behind the shared one, which find `data` (JSON), if there is any, in the element #data.
inline std::string html_end(const std::string& data, std::initializer_list<std::string_view> scripts) {
    std::string out = "<div id=\"tip\"></div>\n";
    if (!data.empty()) out += "<script type=\"application/json\" id=\"data\">" + script_safe(data) + "</script>\n";
    out += "<script>" + std::string(html_shared_script);
    for (const std::string_view script : scripts) out += script;
    return out + "</script>\n</body></html>\n";
}

/// Names and values as rows of a table.
inline std::string html_rows(const std::map<std::string, std::string>& facts) {
    std::string out;
    for (const auto& [key, value] : facts) out += "<tr><th>" + markup(key) + "</th><td>" + markup(visible(value)) + "</td></tr>\n";
    return out;
}

/// A trace's provenance, at the foot of a page; `format`: what data files of the same content are called.
inline std::string html_footer(const Trace& trace, const std::string& format = "lrpxx-trace") {
    auto facts = trace_metadata(trace, format);
    facts.erase("prompt");
    return "<footer><h2>Provenance</h2>\n<table class=\"list\">\n" + html_rows(facts) + "</table></footer>\n";
}

/// What a trace explains, as markup: "Why “ dogs” and not “ cats”".
inline std::string html_question(const Trace& trace) {
    if (!trace.unit.empty()) return "Why " + markup(trace.unit);
    const auto quoted = [](const std::string& token) { return markup("\xE2\x80\x9C" + visible(token) + "\xE2\x80\x9D"); };
    return "Why " + quoted(trace.target_token) + (trace.contrast ? " and not " + quoted(trace.contrast_token) : "");
}

/// "The explained logit is 13.2, after token 16", as markup.
inline std::string html_explained(const Trace& trace) {
    const char* what = !trace.unit.empty() ? "activation" : trace.contrast ? "difference of logits" : "logit";
    return "The explained " + std::string(what) + " is " + number_text(trace.explained, 6) + ", after token " + std::to_string(trace.position) +
           (trace.through().empty() ? "" : ", and only what comes through " + markup(trace.through()));
}

/// The beginning of a page with a heatmap: what the trace explains, as a question with `more` behind it, and how to read the colours.
inline std::string html_trace_head(const Trace& trace, const std::string& more = "") {
    const std::string question = html_question(trace);
    return html_head(question, html_heat_style) + "<h1>" + question + more + "?</h1>\n<p class=\"lead\">" + html_explained(trace) +
           (trace.unit.empty() ? ". Red speaks for it, blue against it.</p>\n" : ". Red raises it, blue lowers it.</p>\n");
}

/// The colours' scale, and a switch that raises faint values.
inline std::string html_scale(const Trace& trace) {
    return std::string("<label title=\"colours go by the square root\"><input type=\"checkbox\" id=\"faint\"> raise faint values</label>\n<span class=\"scale\">") +
           (trace.unit.empty() ? "against <i id=\"scale\"></i> for" : "lowers <i id=\"scale\"></i> raises") + "</span>\n";
}

/// The prompt for scripts: `ids`, `tokens`, and `text`, the tokens of a running text, where tabs stay, hidden characters are spelled out, and lines end behind a
/// spelled-out end.
inline void put_prompt(JsonWriter& json, const Trace& trace) {
    const auto strings = [&](const auto& change) {
        std::string out = "[";
        for (const std::string& token : trace.tokens) out += (out.size() > 1 ? "," : "") + JsonWriter::quoted(change(token));
        return out + "]";
    };
    json.raw("ids", json.array(trace.ids, {trace.tokens_count}, "ids"));
    json.raw("tokens", strings([](const std::string& token) { return visible(token); }));
    json.raw("text", strings([](const std::string& token) {
                 std::string out;
                 for (const auto& c : characters(token)) out += (c.code == '\t' ? std::string(c.bytes) : visible(c.bytes)) + (c.code == '\n' ? "\n" : "");
                 return out;
             }));
    json.raw("position", std::to_string(trace.position));
}

}  // namespace lrp::detail
