// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Units and edits as a user writes them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <lrp/analysis/condition.hpp>
#include <lrp/analysis/steering.hpp>

namespace lrp::cli {

/// "3/118" (a neuron) or "head:1/3"; `option` names the flag in errors.
[[nodiscard]] UnitRef parse_unit(std::string_view option, std::string_view text);

/// "3/118=4.0" (a neuron) or "head:1/3=0" as an edit; `option` names the flag, or file and line, in errors. What becomes 0 is written without a value.
[[nodiscard]] UnitEdit parse_edit(std::string_view option, std::string_view text, UnitEdit::Kind kind);
[[nodiscard]] UnitEdit parse_zero(std::string_view option, std::string_view text);
/// "1/3=0": a head and the factor of its output.
[[nodiscard]] UnitEdit parse_head(std::string_view option, std::string_view text);

/// The edits of a file, one a line: `set 3/118=4`, `scale 2/40=0`, `add head:0/1=0.5`, `zero 4/7`, `head 1/3=0`; empty lines and those that begin with # are skipped.
[[nodiscard]] std::vector<UnitEdit> read_edits(const std::string& file);

/// "FILE" or "FILE*2": directions of a .safetensors file (tensors [d] called layers.L.resid_post) or of a JSON object with lists of these names.
[[nodiscard]] std::vector<DirectionEdit> read_directions(const std::string& argument);

/// "0-3,7" as rows.
[[nodiscard]] std::vector<RowSpan> parse_positions(const std::string& text);

/// "10=0": how many units, and their factor; `option` names the flag. Where no factor is needed, "10" will do, and one that is there counts for nothing.
[[nodiscard]] std::pair<std::size_t, double> parse_top(const char* option, const std::string& text, bool factor = true);

/// "fruit*2": a label and a factor. Where no factor is needed, "fruit" is the label as it stands, and "fruit*2" is still one with a factor.
[[nodiscard]] std::pair<std::string, double> parse_label(const std::string& text, bool factor = true);

}  // namespace lrp::cli
