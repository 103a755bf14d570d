// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/analysis/trace.hpp>
#include <lrp/view/colormap.hpp>
#include <lrp/view/label.hpp>

namespace lrp {

namespace detail {

/// A picture of named rows, top first, over token texts: cells coloured by scaled values, the raw ones as titles (shown on hovering).
struct SvgGrid {
    std::string title, limit;           ///< what the ends of the colour bar stand for
    std::vector<std::string> names;     ///< of the rows
    std::vector<std::string> labels;    ///< of the rows in a cell's title
    std::vector<std::string> tokens;    ///< of the columns
    std::vector<std::vector<float>> scaled, raw;
    int left = 90;                      ///< room for names
};

inline std::string svg_grid(const SvgGrid& grid) {
    const int cell_w = 30, cell_h = 22, left = grid.left, top = 44;
    int longest = 1;
    for (const std::string& token : grid.tokens) longest = std::max(longest, std::min(display_width(token), 24));
    const int grid_w = cell_w * static_cast<int>(grid.tokens.size()), grid_h = cell_h * static_cast<int>(grid.names.size());
    const int width = std::max(left + grid_w + 110, left + 20 + 8 * display_width(grid.title)), height = top + grid_h + 30 + longest * 8;
    const auto number = [](int value) { return std::to_string(value); };
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) + " " + number(height) + "\" width=\"" + number(width) +
                      "\" height=\"" + number(height) + "\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    out += "<text x=\"" + number(left) + "\" y=\"22\" font-size=\"15\">" + markup(grid.title) + "</text>\n";
    for (std::size_t index = 0; index < grid.names.size(); ++index) {
        const int y = top + cell_h * static_cast<int>(index);
        out += "<text x=\"" + number(left - 8) + "\" y=\"" + number(y + 15) + "\" text-anchor=\"end\" xml:space=\"preserve\">" + markup(grid.names[index]) + "</text>\n";
        for (std::size_t t = 0; t < grid.tokens.size(); ++t) {
            out += "<rect x=\"" + number(left + cell_w * static_cast<int>(t)) + "\" y=\"" + number(y) + "\" width=\"" + number(cell_w) + "\" height=\"" +
                   number(cell_h) + "\" fill=\"" + hex_color(diverging_color(static_cast<double>(grid.scaled[index][t]))) + "\" stroke=\"#e4e4e4\" stroke-width=\"0.5\"><title>" +
                   markup(grid.labels[index]) + ", token " + std::to_string(t) + " '" + markup(grid.tokens[t]) + "': " + number_text(grid.raw[index][t]) + "</title></rect>\n";
        }
    }
    for (std::size_t t = 0; t < grid.tokens.size(); ++t) {
        const int x = left + cell_w * static_cast<int>(t) + cell_w / 2 + 4, y = top + grid_h + 8;
        std::string text = grid.tokens[t];
        if (display_width(text) > 24) text = fit(text, 23) + "\xE2\x80\xA6";
        out += "<text transform=\"translate(" + number(x) + "," + number(y) + ") rotate(-90)\" text-anchor=\"end\" xml:space=\"preserve\">" + markup(text) + "</text>\n";
    }
    const int bar_x = left + grid_w + 24, bar_h = std::max(grid_h, 88);
    out += "<defs><linearGradient id=\"scale\" x1=\"0\" y1=\"0\" x2=\"0\" y2=\"1\">";
    for (int i = 0; i <= 8; ++i) out += "<stop offset=\"" + number_text(i / 8.0) + "\" stop-color=\"" + hex_color(diverging_color(1 - i / 4.0)) + "\"/>";
    out += "</linearGradient></defs>\n<rect x=\"" + number(bar_x) + "\" y=\"" + number(top) + "\" width=\"14\" height=\"" + number(bar_h) + "\" fill=\"url(#scale)\" stroke=\"#bbbbbb\"/>\n";
    const auto tick = [&](int y, const std::string& text) { out += "<text x=\"" + number(bar_x + 20) + "\" y=\"" + number(y) + "\">" + text + "</text>\n"; };
    tick(top + 10, "+" + grid.limit);
    tick(top + bar_h / 2 + 4, "0");
    tick(top + bar_h, "\xE2\x88\x92" + grid.limit);
    return out + "</svg>\n";
}

/// The largest magnitude, with three digits.
inline std::string peak_text(const std::vector<std::vector<float>>& rows) {
    float peak = 0;
    for (const auto& row : rows)
        for (const float value : row) peak = std::max(peak, std::abs(value));
    return number_text(static_cast<double>(peak), 3);
}

}  // namespace detail

/// The heatmap as a stand-alone SVG: tokens across, layers down with the last on top, a colour bar, and the raw value of a cell as its
/// title (shown on hovering).
[[nodiscard]] inline std::string svg_heatmap(const Trace& trace, Normalize how, bool include_embedding) {
    detail::SvgGrid grid;
    grid.raw = heat_rows(trace, include_embedding);
    grid.scaled = grid.raw;
    normalize_rows(grid.scaled, how == Normalize::none ? Normalize::global : how);
    grid.limit = how == Normalize::layer ? "1" : detail::peak_text(grid.raw);
    for (std::size_t index = 0; index < grid.raw.size(); ++index)
        grid.names.push_back(include_embedding && index == 0 ? "embedding" : "layer " + std::to_string(index - (include_embedding ? 1 : 0)));
    for (auto* rows : {&grid.raw, &grid.scaled}) std::reverse(rows->begin(), rows->end());
    std::reverse(grid.names.begin(), grid.names.end());
    grid.labels = grid.names;
    for (const std::string& token : trace.tokens) grid.tokens.push_back(visible(token));
    const std::string what = !trace.unit.empty() ? trace.unit
                             : trace.contrast    ? "'" + visible(trace.target_token) + "' against '" + visible(trace.contrast_token) + "'"
                                                 : "'" + visible(trace.target_token) + "'";
    grid.title = "Relevance for " + what + " by layer and token";
    return detail::svg_grid(grid);
}

}  // namespace lrp
