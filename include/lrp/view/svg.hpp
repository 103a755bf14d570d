// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/analysis/trace.hpp>
#include <lrp/view/colormap.hpp>
#include <lrp/view/label.hpp>

namespace lrp {

/// The heatmap as a stand-alone SVG: tokens across, layers down with the last on top, a colour bar, and the raw value of a cell as its
/// title (shown on hovering).
[[nodiscard]] inline std::string svg_heatmap(const Trace& trace, Normalize how, bool include_embedding) {
    const auto raw = heat_rows(trace, include_embedding);
    auto rows = raw;
    normalize_rows(rows, how == Normalize::none ? Normalize::global : how);
    const int cell_w = 30, cell_h = 22, left = 90, top = 44;
    int longest = 1;
    for (std::size_t t = 0; t < trace.tokens_count; ++t) longest = std::max(longest, std::min(display_width(visible(trace.tokens[t])), 24));
    const int grid_w = cell_w * static_cast<int>(trace.tokens_count), grid_h = cell_h * static_cast<int>(rows.size());
    const int width = left + grid_w + 110, height = top + grid_h + 30 + longest * 8;
    const auto number = [](int value) { return std::to_string(value); };
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) + " " + number(height) + "\" width=\"" + number(width) +
                      "\" height=\"" + number(height) + "\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    const std::string what = !trace.unit.empty() ? trace.unit
                             : trace.contrast    ? "'" + visible(trace.target_token) + "' against '" + visible(trace.contrast_token) + "'"
                                                 : "'" + visible(trace.target_token) + "'";
    out += "<text x=\"" + number(left) + "\" y=\"22\" font-size=\"15\">Relevance for " + markup(what) + " by layer and token</text>\n";
    for (std::size_t index = rows.size(); index-- > 0;) {
        const int y = top + cell_h * static_cast<int>(rows.size() - 1 - index);
        const std::string name = include_embedding && index == 0 ? "embedding" : "layer " + std::to_string(index + (include_embedding ? 0 : 1));
        out += "<text x=\"" + number(left - 8) + "\" y=\"" + number(y + 15) + "\" text-anchor=\"end\">" + name + "</text>\n";
        for (std::size_t t = 0; t < trace.tokens_count; ++t) {
            out += "<rect x=\"" + number(left + cell_w * static_cast<int>(t)) + "\" y=\"" + number(y) + "\" width=\"" + number(cell_w) + "\" height=\"" +
                   number(cell_h) + "\" fill=\"" + hex_color(diverging_color(static_cast<double>(rows[index][t]))) + "\" stroke=\"#e4e4e4\" stroke-width=\"0.5\"><title>" +
                   name + ", token " + std::to_string(t) + " '" + markup(visible(trace.tokens[t])) + "': " + number_text(raw[index][t]) + "</title></rect>\n";
        }
    }
    for (std::size_t t = 0; t < trace.tokens_count; ++t) {
        const int x = left + cell_w * static_cast<int>(t) + cell_w / 2 + 4, y = top + grid_h + 8;
        std::string text = visible(trace.tokens[t]);
        if (display_width(text) > 24) text = fit(text, 23) + "\xE2\x80\xA6";
        out += "<text transform=\"translate(" + number(x) + "," + number(y) + ") rotate(-90)\" text-anchor=\"end\" xml:space=\"preserve\">" + markup(text) + "</text>\n";
    }
    const int bar_x = left + grid_w + 24, bar_h = std::max(grid_h, 88);
    out += "<defs><linearGradient id=\"scale\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\">";
    for (int i = 0; i <= 8; ++i) out += "<stop offset=\"" + number_text(i / 8.0) + "\" stop-color=\"" + hex_color(diverging_color(1 - i / 4.0)) + "\"/>";
    out += "</linearGradient></defs>\n<rect x=\"" + number(bar_x) + "\" y=\"" + number(top) + "\" width=\"14\" height=\"" + number(bar_h) + "\" fill=\"url(#scale)\" stroke=\"#bbbbbb\"/>\n";
    float peak = 0;
    for (const auto& row : raw)
        for (const float value : row) peak = std::max(peak, std::abs(value));
    const std::string limit = how == Normalize::layer ? "1" : number_text(static_cast<double>(peak), 3);
    const auto tick = [&](int y, const std::string& text) { out += "<text x=\"" + number(bar_x + 20) + "\" y=\"" + number(y) + "\">" + text + "</text>\n"; };
    tick(top + 10, "+" + limit);
    tick(top + bar_h / 2 + 4, "0");
    tick(top + bar_h, "\xE2\x88\x92" + limit);
    return out + "</svg>\n";
}

}  // namespace lrp
