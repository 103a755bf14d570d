// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What the commands share: the model's files as a user names them, token arguments, and where results go.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <lrp/core/human.hpp>
#include <lrp/text/tokenizer.hpp>

#include "engine.hpp"

namespace lrp::cli {

/// The options of every command that runs a model.
struct ModelOptions {
    std::string folder;
    std::string prompt;
    bool has_prompt = false;
    std::string ids;
    RuleChoice rules;
    std::string target;
    std::string contrast;
    std::optional<long long> position;
    std::string backend = backends().front().name;
    unsigned threads = 0;
    Products products = Products::exact;
    std::string recompute = "auto";
    bool special_in_text = true;
};

/// The backends of this program and those it was built without, for --help.
[[nodiscard]] std::string backend_help();

/// A prompt turned into ids, with the tokenizer if there is one.
struct Prompt {
    std::vector<std::int32_t> ids;
    std::optional<Tokenizer> tokenizer;
    std::optional<Encoding> encoding;  ///< unset where ids were given
};

/// Adds those options to a command: all of them, or those that name the model and the prompt.
void add_model_options(CLI::App& command, ModelOptions& options);
void add_prompt_options(CLI::App& command, ModelOptions& options, const std::string& prompt_help);

/// Options that choose what computes: --backend, --threads, --products; and how relevance is computed: --rules, --softmax-rule, --recompute.
void add_backend_options(CLI::App& command, ModelOptions& options);
/// Text that an option asks for must not be empty; a prompt may be.
void refuse_empty_values(CLI::App& app);
/// --threads, with what does not depend on it as a note.
void add_threads_option(CLI::App& command, unsigned& threads, const std::string& note = "");
void add_recompute_option(CLI::App& command, ModelOptions& options);
/// --seed, with what it is a seed of.
void add_seed_option(CLI::App& command, std::uint64_t& seed, const std::string& note);
void add_compute_options(CLI::App& command, ModelOptions& options);

/// The options of generation, which ends at `stop` strings and, unless told otherwise, at the model's ends of text.
struct GenerationOptions {
    GenerateOptions choice;
    std::vector<std::string> stop;
    bool ignore_eos = false;
};
void add_generation_options(CLI::App& command, GenerationOptions& options);

/// Adds `--json [FILE]`: `file` becomes "-" where no name is given.
void add_json_option(CLI::App& command, std::string& file);

/// The options as the library takes them, ends of text included. Warns where generation may go beyond what the model was made for.
[[nodiscard]] GenerateOptions generate_options(const GenerationOptions& options, const ModelOptions& model, const Prompt& prompt);

/// UsageError unless exactly one of prompt and ids is given and is well formed; Error where a tokenizer is needed and missing.
[[nodiscard]] Prompt read_prompt(const ModelOptions& options);

/// What the options say about the explained token, position and memory.
[[nodiscard]] AttributeOptions attribute_options(const ModelOptions& options, const Prompt& prompt);

/// UsageError for an option on what is explained, where nothing is without the options that `without` names.
void refuse_explanation(const ModelOptions& options, const std::string& without);

/// One line on what a trace explains: "Explained: logit 13.2 for ' dogs' at position 16, rules attnlrp".
[[nodiscard]] std::string what_is_explained(const Trace& trace, const RuleChoice& rules);

/// Opens configuration and weights for a prompt of so many tokens; `checkpoint` keeps the files open. Notes about the files go to standard
/// error.
[[nodiscard]] EngineRequest open_files(const ModelOptions& options, std::size_t tokens, std::optional<Checkpoint>& checkpoint);

/// The hash of a folder's model, from its configuration and its weights, all of which it reads: to be asked once.
[[nodiscard]] std::string folder_hash(const std::string& folder, const Checkpoint& checkpoint);

/// Where results come from: model, model_hash, version, rules, backend and products.
[[nodiscard]] std::map<std::string, std::string> provenance_of(const ModelOptions& options, const std::string& model_hash);

/// Opens the files and makes the engine of the backend that the options name.
[[nodiscard]] std::unique_ptr<Engine> open_engine(const ModelOptions& options, std::size_t tokens, std::optional<Checkpoint>& checkpoint);

/// A result that a user names a file for: the option, the name (empty: not asked for), and whether it is text.
struct ResultName {
    const char* option;
    const std::string& name;
    bool text = true;
};
/// Whether a result takes the place of standard output ("-"). UsageError where two do, where one does that is not text, and where two results have one name.
[[nodiscard]] bool takes_stdout(std::initializer_list<ResultName> results);

/// Writes a result to a file (whole or not at all), or to standard output where the name is "-".
void write_result(const std::string& name, const std::string& bytes);

/// The name of a checkpoint: that of its folder.
[[nodiscard]] std::string model_name(const std::string& folder);
/// What a command was given beyond what it takes, in quotes, with the option that may have been meant or a word about quotes.
[[nodiscard]] std::string unexpected(const CLI::App& command);

/// "1,5,7" as token ids; UsageError naming --ids.
[[nodiscard]] std::vector<std::int32_t> parse_ids(const std::string& text);

/// Cuts "a,b,c" at the commas.
[[nodiscard]] std::vector<std::string> split_list(const std::string& text);

/// A token as a user names it: an id in decimal, or text that is exactly one token. UsageError naming `option` otherwise.
[[nodiscard]] std::int32_t token_argument(const std::string& text, const char* option, const std::optional<Tokenizer>& tokenizer);

// The commands. Each registers itself with the program; `run` is called if the user chose it.
void add_trace_command(CLI::App& app);
void add_check_command(CLI::App& app);
void add_inspect_command(CLI::App& app);
void add_tokenize_command(CLI::App& app);
void add_generate_command(CLI::App& app);
void add_steer_command(CLI::App& app);
void add_chat_command(CLI::App& app);
void add_neurons_command(CLI::App& app);
void add_flow_command(CLI::App& app);
void add_faithfulness_command(CLI::App& app);
void add_make_random_command(CLI::App& app);
void add_bench_command(CLI::App& app);
// Where the program is built with the store.
void add_collect_command(CLI::App& app);
void add_merge_command(CLI::App& app);
void add_label_command(CLI::App& app);
void add_show_command(CLI::App& app);

/// Set by a command that wants another exit code than 0.
extern int exit_code;

}  // namespace lrp::cli
