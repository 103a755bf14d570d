// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// New tokens as text, while they come.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include <lrp/text/tokenizer.hpp>

namespace lrp::cli {

/// Tokens as text, control tokens left out, and ids that the tokenizer does not know (models have more, to fill up their matrices).
[[nodiscard]] std::string decoded(const Tokenizer& tokenizer, std::span<const std::int32_t> ids);

/// The text of `ids` behind the first `prompt` of them, whose own text is `before`. Decoded with the prompt, as a token's text may depend on what stands before it (a
/// leading space, bytes of one character).
[[nodiscard]] std::string continuation_text(const Tokenizer& tokenizer, const std::string& before, std::span<const std::int32_t> ids, std::size_t prompt);

/// The text that new tokens add behind a prompt, control tokens left out, up to a stop string. What can no longer change is handed to `show` at once:
/// a character whose bytes are not all there, and what may become a stop string, wait.
class TextStream {
  public:
    using Show = std::function<void(const std::string&)>;

    TextStream(const Tokenizer* tokenizer, std::vector<std::int32_t> prompt, std::vector<std::string> stops, Show show = {});

    /// Takes the next token; false where a stop string has come.
    bool push(std::int32_t id);
    /// Shows what is left.
    void finish();

    [[nodiscard]] const std::string& text() const { return text_; }
    [[nodiscard]] bool stopped() const { return stopped_; }

  private:
    /// How many bytes at the end may still change.
    [[nodiscard]] std::size_t open_bytes() const;
    /// How many bytes at the end come from tokens of single bytes: one more that does not fit makes all of them U+FFFD.
    [[nodiscard]] std::size_t bytes_of_run() const;
    void show_up_to(std::size_t end);

    const Tokenizer* tokenizer_;
    std::vector<std::int32_t> ids_;
    std::vector<std::string> stops_;
    Show show_;
    std::string before_, text_;
    std::size_t prompt_ = 0, shown_ = 0;
    bool stopped_ = false;
};

}  // namespace lrp::cli
