// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/view/html_frame.hpp>

namespace lrp {

namespace detail {

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

inline std::string page_data(const Trace& trace, Normalize initial) {
    JsonWriter json;
    put_prompt(json, trace);
    json.raw("embedding", json.array(trace.embedding, {trace.tokens_count}, "embedding"));
    json.raw("residual", json.array(trace.residual, {trace.layers, trace.tokens_count}, "residual"));
    if (!trace.head.empty()) json.raw("heads", top_units(trace, trace.head, trace.heads, 10));
    if (!trace.neuron.empty()) json.raw("neurons", top_units(trace, trace.neuron, trace.neurons, 10));
    std::string predictions = "[";
    for (const Prediction& p : trace.predictions)
        predictions += (predictions.size() > 1 ? ",[" : "[") + JsonWriter::quoted(visible(p.token)) + "," + std::to_string(p.id) + "," + number_text(p.logit) + "," +
                       number_text(p.probability) + "]";
    json.raw("predictions", predictions + "]");
    json.raw("normalize", initial == Normalize::layer ? "\"layer\"" : initial == Normalize::global ? "\"global\"" : "\"none\"");
    return json.finish();
}

}  // namespace detail

/// A trace as one self-contained page: coloured prompt, predictions, heatmap with exact values on hovering, switches for the scale and the embedding, and for
/// a chosen token its way through the layers with its most relevant heads and neurons (where the trace has them). Needs no network, opens
/// from file://; every text of the model is escaped. Error if a value is not finite.
[[nodiscard]] inline std::string html_page(const Trace& trace, Normalize initial) {
    return detail::html_trace_head(trace) +
           "<h2>Prompt</h2>\n<div id=\"prompt\"></div>\n"
           "<h2>Way through the layers</h2>\n<div class=\"controls\">\n"
           "<label>Scale <select id=\"how\"><option value=\"layer\">each layer by its largest</option><option value=\"global\">one for all</option>"
           "<option value=\"none\">raw values, one for all</option></select></label>\n"
           "<label><input type=\"checkbox\" id=\"embedding\" checked> show the embedding</label>\n" +
           detail::html_scale(trace) + "</div>\n<div class=\"wide\" id=\"heat\"></div>\n"
           "<p class=\"lead\">Hover for values; click a token for its details. After the last layer only the explained position can carry relevance.</p>\n"
           "<div class=\"panel\" id=\"token\" hidden></div>\n"
           "<h2>Predictions</h2>\n<div id=\"predictions\"></div>\n" + detail::html_footer(trace) +
           detail::html_end(detail::page_data(trace, initial), {detail::html_heat_script, detail::html_trace_script});
}

}  // namespace lrp
