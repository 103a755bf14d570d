// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Prompts from a file, one a line.
#pragma once

#include <lrp/pipeline/corpus.hpp>

#include "common.hpp"

namespace lrp::cli {

/// Prompts, the tokenizer if there is one, and the length of the longest.
struct PromptList {
    std::optional<Tokenizer> tokenizer;
    std::vector<StoredDocument> prompts;
    std::size_t longest = 0;

    [[nodiscard]] std::vector<std::vector<std::int32_t>> ids() const {
        std::vector<std::vector<std::int32_t>> all;
        for (const StoredDocument& prompt : prompts) all.push_back(prompt.ids);
        return all;
    }
    /// One of them, as a command that takes a single prompt has it.
    [[nodiscard]] Prompt prompt(std::size_t index) const { return {prompts.at(index).ids, tokenizer, std::nullopt}; }
};

/// Reads the file that a user names: text, or JSONL with `text`, `prompt` or `ids`. Errors as read_corpus throws them.
[[nodiscard]] PromptList read_prompt_file(const std::string& file, const ModelOptions& options);

/// The prompts of --file, or the prompt (or ids) given in its place. UsageError unless it is exactly one of them.
[[nodiscard]] PromptList read_prompts(const std::string& file, const ModelOptions& options);

}  // namespace lrp::cli
