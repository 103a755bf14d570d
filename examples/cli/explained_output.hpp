// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// New tokens with their explanations, on screen and as JSON.
#pragma once

#include <string>

#include <lrp/analysis/explained.hpp>
#include <lrp/io/json.hpp>
#include <lrp/text/tokenizer.hpp>

namespace lrp::cli {

/// A token as text, or its id where there is no tokenizer that knows it.
[[nodiscard]] std::string token_name(const Tokenizer* tokenizer, std::int32_t id);

/// One entry a new token: id, token, logit, probability, target, target_token, explained, relevance (of each token before it), neurons and heads.
[[nodiscard]] nlohmann::json explained_json(const Explained& explained, const Tokenizer* tokenizer);

/// The prompt's tokens and the new ones, as text.
[[nodiscard]] nlohmann::json token_names(const std::vector<std::int32_t>& prompt, const Explained& explained, const Tokenizer* tokenizer);

/// The first five units as "LAYER/UNIT RELEVANCE", each behind two spaces.
[[nodiscard]] std::string ranked_units(const std::vector<UnitRelevance>& units);

/// The line of one token: its text, probability, and the tokens that speak most for and against it.
[[nodiscard]] std::string explained_line(const ExplainedToken& token, const Tokenizer* tokenizer);

}  // namespace lrp::cli
