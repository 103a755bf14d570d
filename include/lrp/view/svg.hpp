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
    std::size_t most_columns = 0;       ///< more are cut into bands, one below the other; 0: never
    int left = 90;                      ///< room for names
};

inline std::string svg_grid(const SvgGrid& grid) {
    constexpr int cell_w = 30, cell_h = 22, top = 44, longest_text = 24;
    const int left = grid.left;
    const std::size_t count = grid.tokens.size(), bands = grid.most_columns == 0 ? 1 : std::max<std::size_t>(1, (count + grid.most_columns - 1) / grid.most_columns),
                      columns = (count + bands - 1) / bands;
    const int grid_w = cell_w * static_cast<int>(columns), grid_h = cell_h * static_cast<int>(grid.names.size());
    std::vector<int> band_tops{top};  // and where the last one ends
    for (std::size_t band = 0; band < bands; ++band) {
        int longest = 1;
        for (std::size_t t = band * columns; t < std::min(count, (band + 1) * columns); ++t) longest = std::max(longest, std::min(display_width(axis_text(grid.tokens[t])), longest_text));
        band_tops.push_back(band_tops.back() + grid_h + 30 + longest * 8);
    }
    const int width = std::max(left + grid_w + 110, left + 20 + 8 * display_width(grid.title)), height = band_tops.back();
    const auto number = [](int value) { return std::to_string(value); };
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + number(width) + " " + number(height) + "\" width=\"" + number(width) +
                      "\" height=\"" + number(height) + "\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n";
    out += "<text x=\"" + number(left) + "\" y=\"22\" font-size=\"15\">" + markup(grid.title) + "</text>\n";
    for (std::size_t band = 0; band < bands; ++band) {
        const std::size_t first = band * columns, last = std::min(count, first + columns);
        const int band_top = band_tops[band];
        const auto column_x = [&](std::size_t t) { return left + cell_w * static_cast<int>(t - first); };
        for (std::size_t index = 0; index < grid.names.size(); ++index) {
            const int y = band_top + cell_h * static_cast<int>(index);
            out += "<text x=\"" + number(left - 8) + "\" y=\"" + number(y + 15) + "\" text-anchor=\"end\" xml:space=\"preserve\">" + markup(grid.names[index]) + "</text>\n";
            for (std::size_t t = first; t < last; ++t) {
                out += "<rect x=\"" + number(column_x(t)) + "\" y=\"" + number(y) + "\" width=\"" + number(cell_w) + "\" height=\"" + number(cell_h) + "\" fill=\"" +
                       hex_color(diverging_color(static_cast<double>(grid.scaled[index][t]))) + "\" stroke=\"#e4e4e4\" stroke-width=\"0.5\"><title>" +
                       markup(grid.labels[index]) + ", token " + std::to_string(t) + " '" + markup(visible(grid.tokens[t])) + "': " + number_text(grid.raw[index][t]) +
                       "</title></rect>\n";
            }
        }
        for (std::size_t t = first; t < last; ++t) {
            std::string text = axis_text(grid.tokens[t]);
            if (display_width(text) > longest_text) text = fit(text, longest_text - 1) + "\xE2\x80\xA6";
            out += "<text transform=\"translate(" + number(column_x(t) + cell_w / 2 + 4) + "," + number(band_top + grid_h + 8) +
                   ") rotate(-90)\" text-anchor=\"end\" xml:space=\"preserve\">" + markup(text) + "</text>\n";
        }
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
/// title (shown on hovering). Longer prompts are cut into bands of at most 48 tokens.
[[nodiscard]] inline std::string svg_heatmap(const Trace& trace, Normalize how, bool include_embedding) {
    detail::SvgGrid grid;
    grid.raw = heat_rows(trace, include_embedding);
    grid.scaled = grid.raw;
    normalize_rows(grid.scaled, picture_scale(how));
    grid.limit = how == Normalize::layer ? "1" : detail::peak_text(grid.raw);
    grid.names = grid.labels = heat_names(trace, include_embedding);
    grid.tokens = trace.tokens;
    grid.most_columns = 48;
    const std::string what = !trace.unit.empty() ? trace.unit
                             : trace.contrast    ? "'" + visible(trace.target_token) + "' against '" + visible(trace.contrast_token) + "'"
                                                 : "'" + visible(trace.target_token) + "'";
    grid.title = "Relevance for " + what + " by layer and token" + (how == Normalize::layer ? ", each layer by its largest" : "");
    return detail::svg_grid(grid);
}

}  // namespace lrp
