// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Tokens by tokens: pictures of attention's edges and of the flow between two cuts.
#pragma once

#include <optional>

#include <lrp/analysis/token_pairs.hpp>
#include <lrp/view/ansi.hpp>
#include <lrp/view/svg.hpp>

namespace lrp {

/// A map of T x T positions: what the row's position has from the column's. Rows are the positions above (queries), so all lies on and below the diagonal.
struct TokenMap {
    std::string name;                        ///< a few words
    std::string title;                       ///< one line
    std::vector<std::string> tokens;         ///< [T]
    std::vector<std::vector<float>> values;  ///< [T, T] raw
};

/// The flow between two cuts, row by row of the positions above.
[[nodiscard]] inline TokenMap token_map(const Trace& trace, const RelevanceFlow& flow) {
    const auto cut = [&](Index at) { return at == 0 ? std::string("the embedding") : "layer " + std::to_string(at - 1) + "'s output"; };
    TokenMap map{"flow", "relevance of " + cut(flow.cuts.to) + " (down) by where it comes from in " + cut(flow.cuts.from) + " (across)", trace.tokens, {}};
    for (std::size_t j = 0; j < flow.tokens; ++j) {
        map.values.emplace_back();
        for (std::size_t i = 0; i < flow.tokens; ++i) map.values.back().push_back(flow.flow[i * flow.tokens + j]);
    }
    return map;
}

/// The edges of a layer, counted from 0: of one head, or summed over all.
[[nodiscard]] inline TokenMap token_map(const Trace& trace, const AttentionEdges& edges, std::size_t layer, std::optional<std::size_t> head = {}) {
    const std::string of = head ? ", head " + std::to_string(*head) : ", all heads";
    TokenMap map{"attention, layer " + std::to_string(layer) + of, "attention of layers." + std::to_string(layer) + of + ": relevance by query (down) and key (across)", trace.tokens, {}};
    const auto all = head ? edges.head.begin() + static_cast<std::ptrdiff_t>((layer * edges.heads + *head) * edges.tokens * edges.tokens)
                          : edges.summed.begin() + static_cast<std::ptrdiff_t>(layer * edges.tokens * edges.tokens);
    for (std::size_t q = 0; q < edges.tokens; ++q) {
        const auto row = all + static_cast<std::ptrdiff_t>(q * edges.tokens);
        map.values.emplace_back(row, row + static_cast<std::ptrdiff_t>(edges.tokens));
    }
    return map;
}

namespace detail {
/// "12 'cats'", in `width` columns at most.
inline std::string row_name(const TokenMap& map, std::size_t index, int width) {
    const std::string number = std::to_string(index) + ' ';
    std::string name = number + fit_quoted(visible(map.tokens[index]), std::max(3, width - static_cast<int>(number.size())));
    while (name.ends_with(' ')) name.pop_back();
    return name;
}
inline std::vector<std::vector<float>> scaled(const TokenMap& map, Normalize how) {
    auto rows = map.values;
    normalize_rows(rows, picture_scale(how));
    return rows;
}
}  // namespace detail

/// On a terminal; `how`: each row by its largest magnitude (`layer`), or one scale for all.
[[nodiscard]] inline std::string ansi_token_map(const TokenMap& map, const TerminalStyle& style, Normalize how) {
    std::vector<std::string> names, tokens;
    for (std::size_t i = 0; i < map.tokens.size(); ++i) {
        names.push_back(detail::row_name(map, i, std::max(8, style.width / 5)));
        tokens.push_back(visible(map.tokens[i]));
    }
    return wrapped(map.title + (how == Normalize::layer ? "; scaled by row" : "; one scale for all") +
                       (style.color ? "; red speaks for the prediction, blue against it\n" : "; tenths of the scale\n"),
                   style.width) +
           detail::ansi_grid(names, detail::scaled(map, how), tokens, style);
}

/// As a stand-alone SVG, with the raw value of a cell as its title.
[[nodiscard]] inline std::string svg_token_map(const TokenMap& map, Normalize how) {
    detail::SvgGrid grid{map.title, how == Normalize::layer ? "1" : detail::peak_text(map.values), {}, {}, map.tokens, detail::scaled(map, how), map.values, 0, 60};
    for (std::size_t i = 0; i < map.tokens.size(); ++i) {
        grid.names.push_back(detail::row_name(map, i, 24));
        grid.labels.push_back(std::to_string(i) + " '" + visible(map.tokens[i]) + "'");
        grid.left = std::max(grid.left, 20 + 8 * display_width(grid.names.back()));
    }
    return detail::svg_grid(grid);
}

}  // namespace lrp
