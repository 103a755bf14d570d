// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <fstream>
#include <iostream>
#include <memory>

#include <lrp/io/json.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/view/label.hpp>

#include "common.hpp"

namespace lrp::cli {

namespace {

struct TokenizeOptions {
    std::string folder, text, file;
    bool has_text = false;
    bool json = false;
    EncodeOptions encode;
};

std::string as_json(const Tokenizer& tokenizer, const Encoding& encoding) {
    const nlohmann::json out = {{"ids", encoding.ids}, {"tokens", encoding.tokens}, {"offsets", encoding.offsets}, {"decoded", tokenizer.decode(encoding.ids)}};
    return out.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

void print_table(const Tokenizer& tokenizer, const Encoding& encoding) {
    int width = 5;
    std::vector<std::string> names;
    for (const auto id : encoding.ids) {
        names.push_back("'" + visible(tokenizer.token_text(id)) + "'");
        width = std::max(width, std::min(display_width(names.back()), 40));
    }
    std::cout << "     id  " << fit("token", width) << "  bytes\n";
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::string id = std::to_string(encoding.ids[i]);
        id.insert(0, id.size() < 7 ? 7 - id.size() : 0, ' ');
        std::cout << id << "  " << fit(names[i], width) << "  ";
        if (encoding.added[i]) {
            std::cout << "added\n";
        } else {
            std::cout << encoding.offsets[i].first << ".." << encoding.offsets[i].second << '\n';
        }
    }
    std::cout << counted(encoding.ids.size(), "token") << '\n';
}

void emit(const TokenizeOptions& options, const Tokenizer& tokenizer, std::string_view text) {
    const Encoding encoding = tokenizer.encode(text, options.encode);
    if (options.json) {
        std::cout << as_json(tokenizer, encoding) << '\n';
    } else {
        print_table(tokenizer, encoding);
    }
}

/// One JSON string a line.
void run_lines(const TokenizeOptions& options, const Tokenizer& tokenizer) {
    std::ifstream opened;
    if (options.file != "-") {
        opened.open(options.file, std::ios::binary);
        require(opened.good() && !std::filesystem::is_directory(options.file), options.file, ": cannot be opened");
    }
    std::istream& in = options.file == "-" ? std::cin : opened;
    std::string line;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
        const std::string where = options.file + ": line " + std::to_string(number);
        const nlohmann::json value = parse_json(line, where);
        require(value.is_string(), where, ": expected one JSON string, found ", JsonFields::found(value));
        emit(options, tokenizer, value.get_ref<const std::string&>());
    }
    require(!in.bad(), options.file, ": cannot be read to its end");
}

void run(const TokenizeOptions& options) {
    if (options.has_text == !options.file.empty()) fail<UsageError>(options.has_text ? "give a text or --file, not both" : "give a text, or a file of JSON strings with --file");
    std::ios::sync_with_stdio(false);
    std::filesystem::path file = options.folder;
    if (std::filesystem::is_directory(file)) file /= "tokenizer.json";
    require(std::filesystem::exists(file), file.string(), ": there is no such tokenizer");
    const Tokenizer tokenizer = Tokenizer::from_file(file);
    if (options.has_text) {
        emit(options, tokenizer, options.text);
    } else {
        run_lines(options, tokenizer);
    }
}

}  // namespace

void add_tokenize_command(CLI::App& app) {
    auto* command = app.add_subcommand("tokenize", "Show a text's tokens, ids and byte offsets");
    auto options = std::make_shared<TokenizeOptions>();
    command->add_option("MODEL_DIR", options->folder, "checkpoint folder, or a tokenizer.json")->required();
    command->add_option_function<std::string>(
        "TEXT",
        [options](const std::string& text) {
            options->text = text;
            options->has_text = true;
        },
        "the text");
    command->add_option("--file", options->file, "read texts from a file, one JSON string a line (- for standard input)");
    command->add_flag("--json", options->json, "write one JSON object a text: ids, tokens, offsets (bytes), decoded");
    command->add_flag_callback("--no-template", [options] { options->encode.add_special_tokens = false; }, "do not add the template's special tokens");
    command->add_flag_callback("--no-special-in-text", [options] { options->encode.special_in_text = false; }, "treat control tokens spelled in the text as plain text");
    command->footer("Examples:\n"
                    "  lrp tokenize examples/models/mini \"I have 5 cats\"\n"
                    "  lrp tokenize examples/models/mini --file lines.jsonl --json > tokens.jsonl");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
