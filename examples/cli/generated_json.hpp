// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/analysis/generate.hpp>
#include <lrp/io/json.hpp>

#include "text_stream.hpp"

namespace lrp::cli {

/// new_ids, text (null without a tokenizer), end (length, stop_id or stop_string) and token_logits.
[[nodiscard]] inline nlohmann::json generated_json(const Generated& generated, const TextStream& stream, bool has_text) {
    nlohmann::json out{{"new_ids", generated.new_ids}, {"token_logits", generated.token_logits}};
    out["text"] = has_text ? nlohmann::json(stream.text()) : nlohmann::json();
    out["end"] = stream.stopped() ? "stop_string" : end_name(generated.end);
    return out;
}

/// As text; what is no UTF-8 becomes U+FFFD.
[[nodiscard]] inline std::string json_text(const nlohmann::json& json) { return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

}  // namespace lrp::cli
