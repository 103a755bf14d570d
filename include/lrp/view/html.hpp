// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/view/html_assets.hpp>
#include <lrp/view/json.hpp>

namespace lrp {

namespace detail {

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

/// For each token, the `count` units of largest magnitude over all layers, as [layer, unit, relevance]. `values` is [L, T, units].
inline std::string top_units(const Trace& trace, const std::vector<float>& values, std::size_t units, std::size_t count) {
    std::string out = "[";
    for (std::size_t t = 0; t < trace.tokens_count; ++t) {
        std::vector<std::size_t> order;
        for (std::size_t l = 0; l < trace.layers; ++l)
            for (std::size_t u = 0; u < units; ++u) order.push_back((l * trace.tokens_count + t) * units + u);
        const std::size_t keep = std::min(count, order.size());
        std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keep), order.end(), [&](std::size_t a, std::size_t b) {
            return std::abs(values[a]) != std::abs(values[b]) ? std::abs(values[a]) > std::abs(values[b]) : a < b;
        });
        out += t > 0 ? ",[" : "[";
        for (std::size_t i = 0; i < keep; ++i)
            out += (i > 0 ? ",[" : "[") + std::to_string(order[i] / units / trace.tokens_count) + "," + std::to_string(order[i] % units) + "," +
                   number_text(values[order[i]]) + "]";
        out += "]";
    }
    return out + "]";
}

inline std::string page_data(const Trace& trace, Normalize initial, bool include_embedding) {
    JsonWriter json;
    const auto strings = [&](const auto& change) {
        std::string out = "[";
        for (const std::string& token : trace.tokens) out += (out.size() > 1 ? "," : "") + JsonWriter::quoted(change(token));
        return out + "]";
    };
    json.raw("ids", json.array(trace.ids, {trace.tokens_count}, "ids"));
    json.raw("tokens", strings([](const std::string& token) { return visible(token); }));
    // In the running text line ends stay; other hidden characters are spelled out.
    json.raw("text", strings([](const std::string& token) {
                 std::string out;
                 for (const auto& c : characters(token)) out += c.code == '\n' || c.code == '\t' ? std::string(c.bytes) : visible(c.bytes);
                 return out;
             }));
    json.raw("embedding", json.array(trace.embedding, {trace.tokens_count}, "embedding"));
    json.raw("residual", json.array(trace.residual, {trace.layers, trace.tokens_count}, "residual"));
    if (!trace.head.empty()) json.raw("heads", top_units(trace, trace.head, trace.heads, 10));
    if (!trace.neuron.empty()) json.raw("neurons", top_units(trace, trace.neuron, trace.neurons, 10));
    std::string predictions = "[";
    for (const Prediction& p : trace.predictions)
        predictions += (predictions.size() > 1 ? ",[" : "[") + JsonWriter::quoted(visible(p.token)) + "," + std::to_string(p.id) + "," + number_text(p.logit) + "," +
                       number_text(p.probability) + "]";
    json.raw("predictions", predictions + "]");
    json.raw("position", std::to_string(trace.position));
    json.raw("normalize", initial == Normalize::layer ? "\"layer\"" : initial == Normalize::global ? "\"global\"" : "\"none\"");
    json.raw("include_embedding", include_embedding ? "true" : "false");
    return script_safe(json.finish());
}

}  // namespace detail

/// A trace as one self-contained page: coloured prompt, predictions, heatmap with exact values on hovering, a switch for the scale, and for
/// a chosen token its way through the layers with its most relevant heads and neurons (where the trace has them). Needs no network, opens
/// from file://; every text of the model is escaped. Error if a value is not finite.
[[nodiscard]] inline std::string html_page(const Trace& trace, Normalize initial, bool include_embedding) {
    const std::string target = markup("\xE2\x80\x9C" + visible(trace.target_token) + "\xE2\x80\x9D");
    std::string what = "Why " + target;
    if (trace.contrast) what += " and not " + markup("\xE2\x80\x9C" + visible(trace.contrast_token) + "\xE2\x80\x9D");
    if (!trace.unit.empty()) what = "Why " + markup(trace.unit);
    const std::string through = trace.through().empty() ? "" : ", and only what comes through " + markup(trace.through());
    std::string out =
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
        what + "</title>\n<style>" + std::string(detail::html_shared_style) + std::string(detail::html_style) + "</style></head>\n<body>\n<h1>" + what + "?</h1>\n<p class=\"lead\">The explained " +
        (!trace.unit.empty() ? "activation is " : trace.contrast ? "difference of logits is " : "logit is ") + number_text(trace.explained, 6) + ", after token " + std::to_string(trace.position) + through +
        ". Red speaks for it, blue against it.</p>\n"
        "<h2>Prompt</h2>\n<div id=\"prompt\"></div>\n"
        "<h2>Way through the layers</h2>\n<div class=\"controls\">\n"
        "<label>Scale <select id=\"how\"><option value=\"layer\">each layer by its largest</option><option value=\"global\">one for all</option>"
        "<option value=\"none\">raw values, one for all</option></select></label>\n"
        "<label><input type=\"checkbox\" id=\"embedding\"> show the embedding</label>\n"
        "<span class=\"scale\">against <i id=\"scale\"></i> for</span>\n</div>\n<div class=\"wide\" id=\"heat\"></div>\n"
        "<p class=\"lead\">Hover for values; click a token for its details. After the last layer only the explained position can carry relevance.</p>\n"
        "<div class=\"panel\" id=\"token\" hidden></div>\n"
        "<h2>Predictions</h2>\n<div id=\"predictions\"></div>\n<footer><h2>Provenance</h2>\n<table class=\"list\">\n";
    for (const auto& [key, value] : trace_metadata(trace))
        if (key != "prompt") out += "<tr><th>" + markup(key) + "</th><td>" + markup(visible(value)) + "</td></tr>\n";
    out += "</table></footer>\n<div id=\"tip\"></div>\n<script type=\"application/json\" id=\"data\">" + detail::page_data(trace, initial, include_embedding) +
           "</script>\n<script>" + std::string(detail::html_shared_script) + std::string(detail::html_script) + "</script>\n</body></html>\n";
    return out;
}

}  // namespace lrp
