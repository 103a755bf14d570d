// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/view/html_frame.hpp>
#include <lrp/view/token_map.hpp>

namespace lrp {

namespace detail {

/// A map as JSON: of each position above the values up to its own.
inline std::string map_data(const TokenMap& map) {
    std::string rows;
    for (std::size_t j = 0; j < map.values.size(); ++j) {
        rows += rows.empty() ? "[" : ",[";
        for (std::size_t i = 0; i <= j; ++i) rows += (i > 0 ? "," : "") + number_text(map.values[j][i]);
        rows += "]";
    }
    JsonWriter json;
    json.raw("name", JsonWriter::quoted(map.name));
    json.raw("title", JsonWriter::quoted(map.title));
    json.raw("values", "[" + rows + "]");
    return json.finish();
}

}  // namespace detail

/// Maps of one prompt's tokens as one self-contained page: a map to choose (`first` to begin with), and for a chosen position above, to begin with the explained
/// one, the prompt coloured by where its relevance comes from, and lists of where it comes from and goes to. Every text of the model is escaped. Error if
/// there is no map.
[[nodiscard]] inline std::string html_token_maps(const Trace& trace, const std::vector<TokenMap>& maps, std::size_t first, Normalize how) {
    require(first < maps.size(), "page of token maps: expected a map to begin with below ", maps.size(), ", found ", first);
    std::string list;
    for (const TokenMap& map : maps) list += (list.empty() ? "[" : ",") + detail::map_data(map);
    detail::JsonWriter json;
    detail::put_prompt(json, trace);
    json.raw("first", std::to_string(first));
    json.raw("normalize", how == Normalize::layer ? "\"layer\"" : "\"global\"");
    json.raw("maps", list + "]");
    return detail::html_trace_head(trace, ", token by token") +
           "<h2>Where the relevance of <span id=\"what\"></span> comes from</h2>\n<div id=\"prompt\"></div>\n"
           "<h2>All positions</h2>\n<div class=\"controls\">\n<label>Map <select id=\"map\"></select></label>\n"
           "<label>Scale <select id=\"how\"><option value=\"layer\">each row by its largest</option><option value=\"global\">one for all</option></select></label>\n" +
           detail::html_scale(trace) + "</div>\n<p class=\"lead\" id=\"title\"></p>\n<div class=\"wide\" id=\"heat\"></div>\n"
           "<p class=\"lead\">Hover for values; click a row or a token to see where its relevance comes from.</p>\n<div class=\"panel\" id=\"token\"></div>\n" +
           detail::html_footer(trace, "lrpxx-flow") + detail::html_end(json.finish(), {detail::html_heat_script, detail::html_maps_script});
}

}  // namespace lrp
