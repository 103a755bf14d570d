// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "common.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <iostream>
#include <numeric>
#include <utility>

#include <lrp/io/atomic_file.hpp>
#include <lrp/io/hf_config.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/view/label.hpp>

namespace lrp::cli {

int exit_code = 0;

namespace {

/// The whole text as a decimal number, if it is one.
std::optional<std::int32_t> decimal(const std::string& text) {
    std::int32_t value = 0;
    const char* last = text.data() + text.size();
    const auto [end, code] = std::from_chars(text.data(), last, value);
    if (code != std::errc() || end != last) return std::nullopt;
    return value;
}

/// How many letters must be added, taken, changed or exchanged with their neighbour to make one word of the other (Damerau 1964).
std::size_t edits(const std::string& from, const std::string& to) {
    std::vector<std::size_t> before, last(to.size() + 1), row(last.size());
    std::iota(last.begin(), last.end(), std::size_t{0});
    for (std::size_t i = 0; i < from.size(); ++i) {
        row[0] = i + 1;
        for (std::size_t j = 0; j < to.size(); ++j) {
            row[j + 1] = std::min({last[j] + (from[i] == to[j] ? 0 : 1), last[j + 1] + 1, row[j] + 1});
            if (i > 0 && j > 0 && from[i] == to[j - 1] && from[i - 1] == to[j]) row[j + 1] = std::min(row[j + 1], before[j - 1] + 1);
        }
        before = std::exchange(last, row);
    }
    return last.back();
}

/// CLI11 takes what is out of range for the nearest number that is not.
template <class N>
CLI::Validator whole_number(const std::string& expected) {
    return CLI::Validator(
        [expected](const std::string& text) {
            N value{};
            const char* const end = text.data() + text.size();
            const auto [last, code] = std::from_chars(text.data() + (text.starts_with('+') ? 1 : 0), end, value);
            return code == std::errc() && last == end ? std::string() : "expected " + expected + ", found " + text;
        },
        "");
}

}  // namespace

std::int32_t token_argument(const std::string& text, const char* option, const std::optional<Tokenizer>& tokenizer) {
    if (const auto id = decimal(text)) return *id;
    if (!tokenizer) fail<UsageError>(option, ": '", text, "' is not a token id, and the model has no tokenizer.json to look it up in");
    if (const auto id = tokenizer->one_token(text)) return *id;
    std::string hint, split;
    if (const auto spaced = tokenizer->one_token(" " + text)) hint = detail::concat("; ' ", text, "' with a leading space is one token (id ", *spaced, ")");
    const auto pieces = tokenizer->encode(text, {.add_special_tokens = false});
    for (const std::int32_t id : pieces.ids) split += (split.empty() ? ": '" : " '") + tokenizer->token_text(id) + "' (" + std::to_string(id) + ")";
    fail<UsageError>(option, ": expected a token id or the text of one token, found '", text, "' which is ", pieces.ids.size(), " tokens", split, hint);
}

std::string unexpected(const CLI::App& command) {
    const std::vector<std::string> given = command.remaining();
    std::string out, closest;
    for (const std::string& one : given) out += (out.empty() ? "'" : " '") + one + "'";
    if (given.empty()) return out;
    const std::string wrong = given.front().substr(0, given.front().find('='));
    if (wrong[0] != '-') return out + " (a text of several words needs quotes)";
    std::size_t least = 3;  // so many letters may be wrong, and one less
    for (const CLI::Option* option : command.get_options()) {
        const std::string name = option->get_lnames().empty() ? "" : "--" + option->get_lnames().front();
        if (const std::size_t far = edits(wrong, name); far < least) {
            least = far;
            closest = name;
        }
    }
    return closest.empty() ? out : out + " (did you mean " + closest + "?)";
}

std::string model_name(const std::string& folder) {
    auto path = std::filesystem::path(folder).lexically_normal();
    if (path.filename().empty()) path = path.parent_path();
    return path.filename().string();
}

std::string backend_help() {
    const auto built = [](const BackendEntry& entry) { return entry.built(); };
    const std::string absent = backend_names(backends(), ", ", std::not_fn(built));
    return backend_names(backends(), "|", built) + (absent.empty() ? "" : " (this program was built without " + absent + ")");
}

void add_prompt_options(CLI::App& command, ModelOptions& options, const std::string& prompt_help) {
    command.add_option("MODEL_DIR", options.folder, "Hugging Face checkpoint folder (config.json, *.safetensors, tokenizer.json)")->required();
    command.add_option_function<std::string>(
        "PROMPT",
        [&options](const std::string& text) {
            options.prompt = text;
            options.has_prompt = true;
        },
        prompt_help);
    command.add_option("--ids", options.ids, "token ids in place of a prompt, e.g. 1,5,7 (no tokenizer is needed)");
    command.add_flag_callback("--no-special-in-text", [&options] { options.special_in_text = false; }, "treat control tokens spelled in the prompt as plain text");
}

void add_model_options(CLI::App& command, ModelOptions& options) {
    add_prompt_options(command, options, "the prompt; what is explained is the model's next token");
    command.add_option("--target", options.target, "explain this token, as text or id, instead of the most likely one");
    command.add_option("--contrast", options.contrast, "explain logit(target) - logit(this token)");
    command.add_option("--position", options.position, "explain the token after this position, counted from 0; negative: from the end")
        ->type_name("INT")
        ->check(whole_number<long long>("a position"));
    add_compute_options(command, options);
}

void add_compute_options(CLI::App& command, ModelOptions& options) {
    command.add_option("--rules", options.rules.preset, "set of rules")->check(CLI::IsMember({"attnlrp", "cp-lrp", "gradient"}))->capture_default_str();
    command.add_option("--softmax-rule", options.rules.softmax, "another rule for the softmax than the set's own")
        ->check(CLI::IsMember({"taylor", "uniform", "stop"}));
    add_backend_options(command, options);
    add_recompute_option(command, options);
}

void refuse_empty_values(CLI::App& app) {
    for (CLI::App* command : app.get_subcommands([](CLI::App*) { return true; }))
        for (CLI::Option* option : command->get_options([](const CLI::Option* one) { return !one->get_lnames().empty() && one->get_type_size() != 0; }))
            option->check(CLI::Validator([](const std::string& text) { return text.empty() ? "expected a value, found an empty one" : ""; }, ""));
}

void add_recompute_option(CLI::App& command, ModelOptions& options) {
    command.add_option("--recompute", options.recompute, "layers computed again in the backward pass: never, always, auto (as few as memory allows), or a memory budget such as 2G")
        ->capture_default_str();
}

void add_seed_option(CLI::App& command, std::uint64_t& seed, const std::string& note) {
    command.add_option("--seed", seed, note)->check(whole_number<std::uint64_t>("a number from 0 to 18446744073709551615"))->capture_default_str();
}

void add_threads_option(CLI::App& command, unsigned& threads, const std::string& note) {
    command.add_option("--threads", threads, "threads; 0: all cores" + note)->check(CLI::Range(0, 1024))->capture_default_str();
}

void add_backend_options(CLI::App& command, ModelOptions& options) {
    command.add_option("--backend", options.backend, "what computes: " + backend_help())->capture_default_str();
    add_threads_option(command, options.threads, " (the result is the same bits for any number)");
    command.add_option_function<std::string>(
        "--products", [&options](const std::string& text) { options.products = parse_products(text); },
        "exact: matrix products as exact as float32; fast: activations may be rounded to bf16 where that is faster [exact]")
        ->check(CLI::IsMember({"exact", "fast"}));
}

void add_generation_options(CLI::App& command, GenerationOptions& options) {
    GenerateOptions& choice = options.choice;
    command.add_option("--max-new-tokens", choice.max_new_tokens, "how many tokens at most")->check(CLI::Range(1, 1 << 20))->capture_default_str();
    command.add_flag("--ignore-eos", options.ignore_eos, "go on behind an end of text");
    command.add_option("--stop", options.stop, "end where the new text holds this string, and cut it off (may be given several times)")->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    command.add_option("--temperature", choice.temperature, "0: always the most likely token; above: draw from softmax(logits / temperature)")->capture_default_str();
    command.add_option("--top-k", choice.top_k, "draw from the k most likely tokens only; 0: from all")->check(CLI::Range(0, 1 << 24))->capture_default_str();
    command.add_option("--top-p", choice.top_p, "draw from the fewest most likely tokens whose probability reaches p")->capture_default_str();
    add_seed_option(command, choice.seed, "of the random numbers");
}

void add_json_option(CLI::App& command, std::string& file) {
    const auto take = [&file](const std::string& name) {
        if (name.empty()) fail<UsageError>("--json: expected a file name, found an empty one");
        file = name;
    };
    command.add_option_function<std::string>("--json", take, "write one JSON object, to FILE or in place of text to standard output")->expected(0, 1)->default_str("-")->type_name("[FILE]");
}

GenerateOptions generate_options(const GenerationOptions& options, const ModelOptions& model, const Prompt& prompt) {
    GenerateOptions result = options.choice;
    result.validate();
    if (result.temperature == 0 && (result.top_k != 0 || result.top_p != 1 || result.seed != 0))
        std::cerr << "lrp: warning: without a --temperature the most likely token is taken each time, and --top-k, --top-p and --seed change nothing\n";
    if (!options.stop.empty()) require(prompt.tokenizer.has_value(), model.folder, ": there is no tokenizer.json, without which --stop has no text to look at");
    const HfConfig file = read_hf_config(model.folder);
    if (!options.ignore_eos) result.stop_ids = ends_of_text(model.folder, file, prompt.tokenizer);
    const std::size_t tokens = prompt.ids.size() + result.max_new_tokens;
    if (prompt.ids.size() <= file.max_position_embeddings && tokens > file.max_position_embeddings)
        std::cerr << "lrp: warning: prompt and new tokens may come to " << tokens << ", the model was made for " << file.max_position_embeddings << '\n';
    return result;
}

std::vector<std::int32_t> parse_ids(const std::string& text) {
    std::vector<std::int32_t> ids;
    for (const std::string& part : split_list(text)) {
        const auto id = decimal(part);
        if (!id) fail<UsageError>("--ids: expected token ids such as 1,5,7, found '", part, "'");
        ids.push_back(*id);
    }
    return ids;
}

Prompt read_prompt(const ModelOptions& options) {
    if (options.has_prompt == !options.ids.empty()) {
        if (options.has_prompt) fail<UsageError>("give a prompt or --ids, not both");
        fail<UsageError>("give a prompt, or token ids with --ids");
    }
    require(std::filesystem::exists(options.folder), options.folder, ": there is no such file or folder");
    require(std::filesystem::is_directory(options.folder), options.folder, ": expected a checkpoint folder, found a file");
    require(std::filesystem::exists(std::filesystem::path(options.folder) / "config.json"), options.folder, ": expected a checkpoint folder, and there is no config.json in it");
    Prompt prompt;
    prompt.tokenizer = load_tokenizer(options.folder);
    if (!options.has_prompt) {
        prompt.ids = parse_ids(options.ids);
        const auto vocabulary = read_hf_config(options.folder).vocab_size;
        for (std::size_t i = 0; i < prompt.ids.size(); ++i)
            require(prompt.ids[i] >= 0 && std::cmp_less(prompt.ids[i], vocabulary), "--ids: token id ", prompt.ids[i], " at position ", i, " is outside the vocabulary of ", vocabulary);
        return prompt;
    }
    require(prompt.tokenizer.has_value(), options.folder, ": there is no tokenizer.json; give token ids with --ids");
    prompt.encoding = prompt.tokenizer->encode(options.prompt, {.special_in_text = options.special_in_text});
    prompt.ids = prompt.encoding->ids;
    require(!prompt.ids.empty(), "the prompt '", options.prompt, "' has no token");
    if (prompt.ids.size() > 1 && prompt.ids[0] == prompt.ids[1] && prompt.encoding->added[0])
        std::cerr << "lrp: warning: the prompt begins with " << prompt.tokenizer->id_to_token(prompt.ids[0])
                  << ", which the tokenizer adds by itself; the model now sees it twice\n";
    return prompt;
}

AttributeOptions attribute_options(const ModelOptions& options, const Prompt& prompt) {
    AttributeOptions result;
    if (!options.target.empty()) result.target = token_argument(options.target, "--target", prompt.tokenizer);
    if (!options.contrast.empty()) result.contrast = token_argument(options.contrast, "--contrast", prompt.tokenizer);
    if (options.position) {
        const auto count = static_cast<long long>(prompt.ids.size());
        const long long position = *options.position < 0 ? *options.position + count : *options.position;
        if (position < 0 || position >= count)
            fail<UsageError>("--position: expected ", -count, " to ", count - 1, " for a prompt of ", count, " tokens, found ", *options.position);
        result.position = static_cast<std::size_t>(position);
    }
    result.recompute = Recompute::parse(options.recompute);
    return result;
}

void refuse_explanation(const ModelOptions& options, const std::string& without) {
    for (const auto& [name, given] : {std::pair("--target", !options.target.empty()), std::pair("--contrast", !options.contrast.empty()), std::pair("--position", options.position.has_value()),
                                      std::pair("--softmax-rule", !options.rules.softmax.empty()), std::pair("--rules", options.rules.preset != RuleChoice().preset)})
        if (given) fail<UsageError>(name, ": nothing is explained without ", without);
}

std::string what_is_explained(const Trace& trace, const RuleChoice& rules) {
    std::string text = "Explained: " + (!trace.unit.empty() ? "activation of " + trace.unit + " " : trace.contrast ? "logit difference " : "logit ") + number_text(trace.explained, 6);
    if (trace.unit.empty() && !trace.target_token.empty()) text += " for '" + visible(trace.target_token) + "'";
    if (trace.contrast && !trace.contrast_token.empty()) text += " against '" + visible(trace.contrast_token) + "'";
    text += " at position " + std::to_string(trace.position) + ", rules " + rules.label();
    if (const std::string through = trace.through(); !through.empty()) text += ", only what comes through " + through;
    return text;
}

EngineRequest open_files(const ModelOptions& options, std::size_t tokens, std::optional<Checkpoint>& checkpoint) {
    const HfConfig file = read_hf_config(options.folder);
    checkpoint.emplace(Checkpoint::open(options.folder));
    for (const auto& notes : {checkpoint->notes(), unused_notes(llama_config(file), *checkpoint)})
        for (const auto& note : notes) std::cerr << "lrp: note: " << note << '\n';
    if (tokens > file.max_position_embeddings)
        std::cerr << "lrp: warning: the prompt has " << tokens << " tokens, the model was made for " << file.max_position_embeddings << '\n';
    return {llama_config(file), &*checkpoint, options.rules, options.threads, options.products};
}

std::string folder_hash(const std::string& folder, const Checkpoint& checkpoint) { return model_hash(llama_config(read_hf_config(folder)), checkpoint); }

std::map<std::string, std::string> provenance_of(const ModelOptions& options, const std::string& model_hash) {
    return {{"model", model_name(options.folder)}, {"model_hash", model_hash}, {"version", LRP_VERSION_STRING}, {"rules", options.rules.label()},
            {"backend", options.backend},          {"products", products_formed(options.backend, options.products)}};
}

std::unique_ptr<Engine> open_engine(const ModelOptions& options, std::size_t tokens, std::optional<Checkpoint>& checkpoint) {
    return make_engine(options.backend, open_files(options, tokens, checkpoint));
}

bool takes_stdout(std::initializer_list<ResultName> results) {
    std::map<std::string, const char*> names;
    for (const ResultName& result : results) {
        if (result.name.empty()) continue;
        if (result.name == "-" && !result.text) fail<UsageError>(result.option, " is not text: give a file name instead of '-'");
        const auto [other, first] = names.emplace(std::filesystem::path(result.name).lexically_normal().string(), result.option);
        if (first) continue;
        if (result.name == "-") fail<UsageError>("only one result can go to standard output ('-'), found ", other->second, " and ", result.option);
        fail<UsageError>(result.option, ": ", other->second, " writes to '", result.name, "' already");
    }
    return names.contains("-");
}

void write_result(const std::string& name, const std::string& bytes) {
    if (name != "-") return write_file(name, bytes);
    std::cout << bytes;
    if (!bytes.empty() && bytes.back() != '\n') std::cout << '\n';
    std::cout.flush();
    require(std::cout.good(), "standard output: the result could not be written");
}

std::vector<std::string> split_list(const std::string& text) {
    std::vector<std::string> parts(1);
    for (const char c : text) {
        if (c == ',') {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    return parts;
}

}  // namespace lrp::cli
