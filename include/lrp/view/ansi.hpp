// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A trace on a terminal.
#pragma once

#include <lrp/analysis/trace.hpp>
#include <lrp/view/colormap.hpp>
#include <lrp/view/label.hpp>
#include <lrp/view/terminal.hpp>

namespace lrp {

namespace detail {

inline std::string paint(const std::string& text, double value, const TerminalStyle& style) {
    if (!style.color) return text;
    const Rgb back = diverging_color(value);
    const std::string fore = wants_white_text(back) ? "97" : "30";
    const std::string code = style.truecolor ? "48;2;" + std::to_string(back.red) + ";" + std::to_string(back.green) + ";" + std::to_string(back.blue)
                                             : "48;5;" + std::to_string(xterm_color(back));
    return "\x1b[" + fore + ";" + code + "m" + text + "\x1b[0m";
}

/// A cell without colour: the value in tenths, -9 .. 9; a dot where it rounds to 0, and 10 tenths shown as 9.
inline std::string plain_cell(double value) {
    const int tenths = std::clamp(static_cast<int>(std::lround(value * 10)), -9, 9);
    if (tenths == 0) return "  .";
    return (tenths < 0 ? " -" : "  ") + std::to_string(std::abs(tenths));
}

/// Token texts for a reader: as they are, where a prompt is shown.
inline std::string shown(const Trace& trace, std::size_t token) { return visible(trace.tokens[token]); }

/// Named rows of cells, top first, over token texts that run downward under their columns; bands of columns where these are wider than the terminal. Values are
/// scaled: with colour, cells are coloured blocks; without, signed tenths.
inline std::string ansi_grid(const std::vector<std::string>& names, const std::vector<std::vector<float>>& rows, const std::vector<std::string>& tokens,
                             const TerminalStyle& style) {
    constexpr int cell = 3;
    int margin = 0;
    for (const std::string& name : names) margin = std::max(margin, display_width(name));
    ++margin;
    const int per_band = std::max(1, (style.width - margin) / cell);
    std::string out;
    for (std::size_t first = 0; first < tokens.size(); first += static_cast<std::size_t>(per_band)) {
        const std::size_t last = std::min(tokens.size(), first + static_cast<std::size_t>(per_band));
        for (std::size_t index = 0; index < rows.size(); ++index) {
            out += fit(names[index], margin);
            for (std::size_t t = first; t < last; ++t) {
                const double value = static_cast<double>(rows[index][t]);
                out += style.color ? paint("   ", value, style) : plain_cell(value);
            }
            out += '\n';
        }
        std::vector<std::vector<std::string>> letters;
        std::size_t height = 0;
        for (std::size_t t = first; t < last; ++t) {
            letters.emplace_back();
            for (const auto& c : characters(tokens[t])) {
                if (is_combining(c.code) && !letters.back().empty()) {
                    letters.back().back() += c.bytes;
                } else {
                    letters.back().emplace_back(c.code == ' ' ? (style.unicode ? "\xC2\xB7" : "_") : std::string(c.bytes));
                }
                if (letters.back().size() == 12) break;
            }
            height = std::max(height, letters.back().size());
        }
        for (std::size_t line = 0; line < height; ++line) {
            std::string text(static_cast<std::size_t>(margin), ' ');
            for (const auto& column : letters) text += " " + fit(line < column.size() ? column[line] : "", cell - 1);
            while (text.ends_with(' ')) text.pop_back();
            out += text + '\n';
        }
        if (last < tokens.size()) out += '\n';
    }
    return out;
}

}  // namespace detail

/// The predictions as a table: rank, token, id, logit, probability; closer together where the terminal is narrow.
[[nodiscard]] inline std::string ansi_predictions(const Trace& trace, const TerminalStyle& style) {
    std::vector<std::string> names{"token"};
    int width = 5;
    for (const Prediction& prediction : trace.predictions) {
        names.push_back("'" + visible(prediction.token) + "'");
        width = std::max(width, std::min(display_width(names.back()), 40));
    }
    constexpr int rank_columns = 5, wide_columns = 31, narrow_columns = 24;
    const bool narrow = rank_columns + width + wide_columns > style.width;
    if (narrow) width = std::max(5, std::min(width, style.width - rank_columns - narrow_columns));
    std::array<char, 96> line{};
    std::string out = "     " + fit(names[0], width) + (narrow ? "     id    logit   prob.\n" : "      id      logit  probability\n");
    for (std::size_t i = 0; i < trace.predictions.size(); ++i) {
        const Prediction& prediction = trace.predictions[i];
        std::snprintf(line.data(), line.size(), narrow ? " %6d %8.3f %6.1f%%\n" : "  %7d  %9.4f  %10.2f%%\n", static_cast<int>(prediction.id), prediction.logit,
                      100 * prediction.probability);
        std::string rank = std::to_string(i + 1);
        rank.insert(0, rank.size() < 3 ? 3 - rank.size() : 0, ' ');
        out += rank + ". " + fit(names[i + 1], width) + line.data();
    }
    return out;
}

/// The prompt, each token coloured by the relevance of its embedding relative to the largest; without colour the number follows each
/// token. Lines are broken at the terminal's width.
[[nodiscard]] inline std::string ansi_prompt(const Trace& trace, const TerminalStyle& style) {
    std::vector<std::vector<float>> row{trace.embedding};
    normalize_rows(row, Normalize::layer);
    std::string out;
    int used = 0;
    for (std::size_t t = 0; t < trace.tokens_count; ++t) {
        const double value = row[0].empty() ? 0.0 : static_cast<double>(row[0][t]);
        std::string text = detail::shown(trace, t);
        if (!style.color) text += "[" + number_text(value, 2) + "]";
        const int width = display_width(text);
        if (used > 0 && used + width > style.width) {
            out += '\n';
            used = 0;
        }
        out += detail::paint(text, value, style);
        used += width;
        if (trace.tokens[t].find('\n') != std::string::npos) {
            out += '\n';
            used = 0;
        }
    }
    return out + "\n";
}

/// The heatmap: tokens across, layers down (the last layer on top, the embedding below all), scaled as `how` says; bands of columns where
/// the prompt is wider than the terminal. With colour, cells are coloured blocks; without, signed tenths.
[[nodiscard]] inline std::string ansi_heatmap(const Trace& trace, const TerminalStyle& style, Normalize how, bool include_embedding) {
    auto rows = heat_rows(trace, include_embedding);
    normalize_rows(rows, picture_scale(how));
    std::vector<std::string> tokens;
    for (std::size_t t = 0; t < trace.tokens_count; ++t) tokens.push_back(detail::shown(trace, t));
    return wrapped(std::string("relevance of each layer's output, by token (") +
                       (how == Normalize::layer ? "scaled by layer" : how == Normalize::global ? "one scale for all" : "raw, one scale for all") +
                       (!style.color          ? "; tenths of the scale)\n"
                        : trace.unit.empty() ? "; red speaks for the prediction, blue against it)\n"
                                             : "; red raises the activation, blue lowers it)\n"),
                   style.width) +
           detail::ansi_grid(heat_names(trace, include_embedding), rows, tokens, style);
}

}  // namespace lrp
