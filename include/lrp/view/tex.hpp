// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/analysis/trace.hpp>
#include <lrp/view/colormap.hpp>
#include <lrp/view/label.hpp>

namespace lrp {

namespace detail {

/// A visible text for TeX: specials as commands, characters outside ASCII by number so that the file is pure ASCII.
inline std::string tex_text(std::string_view text) {
    std::string out;
    for (const auto& c : characters(text)) {
        switch (c.code) {
            case '\\': out += "\\textbackslash{}"; break;
            case '{': out += "\\{"; break;
            case '}': out += "\\}"; break;
            case '$': out += "\\$"; break;
            case '&': out += "\\&"; break;
            case '#': out += "\\#"; break;
            case '_': out += "\\_"; break;
            case '%': out += "\\%"; break;
            case '^': out += "\\textasciicircum{}"; break;
            case '~': out += "\\textasciitilde{}"; break;
            case '\'': out += "\\textquotesingle{}"; break;
            case '`': out += "\\textasciigrave{}"; break;
            case '"': out += "\\textquotedbl{}"; break;
            case '<': out += "\\textless{}"; break;
            case '>': out += "\\textgreater{}"; break;
            case '|': out += "\\textbar{}"; break;
            case '-': out += "{-}"; break;
            case ' ': out += "\\ "; break;
            default:
                if (c.code < 0x80) {
                    out += static_cast<char>(c.code);
                } else {
                    out += "\\symbol{" + std::to_string(static_cast<std::uint32_t>(c.code)) + "}";
                }
        }
    }
    return out;
}

}  // namespace detail

/// The prompt as boxes coloured by the relevance of each token's embedding relative to the largest: a `standalone` document for xelatex or
/// lualatex. Long prompts wrap; a character that the font lacks leaves a gap and does not stop the run.
[[nodiscard]] inline std::string tex_tokens(const Trace& trace) {
    std::vector<std::vector<float>> row{trace.embedding};
    normalize_rows(row, Normalize::layer);
    std::string out =
        "% Compile with xelatex or lualatex.\n"
        "\\documentclass[varwidth=16cm,border=3mm]{standalone}\n"
        "\\usepackage{fontspec}\n"
        "\\usepackage{xcolor}\n"
        "\\setlength{\\fboxsep}{1.5pt}\\setlength{\\parindent}{0pt}\\raggedright\n"
        "\\newcommand{\\lrptoken}[3]{\\colorbox[HTML]{#1}{\\textcolor{#2}{\\strut #3}}\\hspace{0pt}}\n"
        "\\begin{document}\n";
    for (std::size_t t = 0; t < trace.tokens_count; ++t) {
        const Rgb color = diverging_color(row[0].empty() ? 0.0 : static_cast<double>(row[0][t]));
        std::string hex = hex_color(color, "");
        for (char& c : hex) c = static_cast<char>(c >= 'a' ? c - 'a' + 'A' : c);
        out += "\\lrptoken{" + hex + "}{" + (wants_white_text(color) ? "white" : "black") + "}{" + detail::tex_text(visible(trace.tokens[t])) + "}%\n";
        if (trace.tokens[t].find('\n') != std::string::npos) out += "\\par\n";
    }
    return out + "\n\\end{document}\n";
}

}  // namespace lrp
