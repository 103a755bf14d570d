// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <memory>

#include <lrp/io/json.hpp>
#include <lrp/text/regex.hpp>

namespace lrp::text {

/// {"String": ...} or {"Regex": ...} of tokenizer.json.
class Pattern {
  public:
    Pattern(const nlohmann::json& json, const std::string& source) {
        const JsonFields fields(json, source);
        const auto literal = fields.text("String");
        if (literal && !literal->empty()) {
            literal_ = *literal;
        } else if (literal) {
            regex_ = std::make_shared<Regex>("", source);  // between all characters
        } else {
            regex_ = std::make_shared<Regex>(fields.must(fields.text("Regex"), "Regex (or String)"), source);
        }
    }
    [[nodiscard]] std::vector<Match> find_all(std::string_view text) const { return regex_ ? regex_->find_all(text) : text::find_all(text, literal_); }

  private:
    std::string literal_;
    std::shared_ptr<const Regex> regex_;
};

/// What becomes of the stretches that a splitting pattern matched.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

[[nodiscard]] inline SplitBehavior parse_split_behavior(const std::string& name, const std::string& source) {
    if (name == "Removed") return SplitBehavior::removed;
    if (name == "Isolated") return SplitBehavior::isolated;
    if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
    if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
    if (name == "Contiguous") return SplitBehavior::contiguous;
    fail(source, ": behavior: expected Removed, Isolated, MergedWithPrevious, MergedWithNext or Contiguous, found '", name, "'");
}

/// Turns matches that cover a text into the pieces to keep, in order; none is empty.
[[nodiscard]] inline std::vector<Match> split_pieces(std::vector<Match> matches, SplitBehavior behavior) {
    std::vector<Match> pieces;
    const auto join = [&pieces](const Match& match, bool joins) {
        if (joins && !pieces.empty()) {
            pieces.back().begin = std::min(pieces.back().begin, match.begin);
            pieces.back().end = std::max(pieces.back().end, match.end);
        } else {
            pieces.push_back(match);
        }
    };
    bool previous = false;
    switch (behavior) {
        case SplitBehavior::isolated: return matches;
        case SplitBehavior::removed: std::erase_if(matches, [](const Match& match) { return match.matched; }); return matches;
        case SplitBehavior::contiguous:
            for (const Match& match : matches) {
                join(match, !pieces.empty() && match.matched == previous);
                previous = match.matched;
            }
            return pieces;
        case SplitBehavior::merged_with_previous:
            for (const Match& match : matches) {
                join(match, match.matched && !previous);
                previous = match.matched;
            }
            return pieces;
        case SplitBehavior::merged_with_next:
            std::reverse(matches.begin(), matches.end());
            for (const Match& match : matches) {
                join(match, match.matched && !previous);
                previous = match.matched;
            }
            std::reverse(pieces.begin(), pieces.end());
            return pieces;
    }
    return pieces;
}

}  // namespace lrp::text
