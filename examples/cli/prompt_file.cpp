// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "prompt_file.hpp"

#include <limits>

#include <lrp/io/hf_config.hpp>
#include <lrp/pipeline/pretrained.hpp>

namespace lrp::cli {

PromptList read_prompt_file(const std::string& file, const ModelOptions& options) {
    PromptList list;
    CorpusOptions choice;
    choice.vocabulary = read_hf_config(options.folder).vocab_size;
    choice.context = std::numeric_limits<std::size_t>::max();  // the model is opened for the longest, which warns
    list.tokenizer = load_tokenizer(options.folder);
    list.prompts = read_corpus({file}, list.tokenizer, choice).documents;
    for (const StoredDocument& prompt : list.prompts) list.longest = std::max(list.longest, prompt.ids.size());
    return list;
}

PromptList read_prompts(const std::string& file, const ModelOptions& options) {
    if (file.empty()) {
        if (!options.has_prompt && options.ids.empty()) fail<UsageError>("give a prompt, token ids with --ids, or a file of prompts with --file");
        Prompt prompt = read_prompt(options);
        PromptList list;
        list.tokenizer = std::move(prompt.tokenizer);
        list.longest = prompt.ids.size();
        list.prompts.push_back({0, "", 1, options.prompt, std::move(prompt.ids)});
        return list;
    }
    if (options.has_prompt || !options.ids.empty()) fail<UsageError>("give one of a prompt, --ids and --file, not several");
    return read_prompt_file(file, options);
}

}  // namespace lrp::cli
