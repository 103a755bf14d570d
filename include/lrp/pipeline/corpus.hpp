// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A corpus: text files with a document a line, or JSONL with `text` (or `prompt`) or `ids` a line, as token ids.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <lrp/io/json.hpp>
#include <lrp/io/mapped_file.hpp>
#include <lrp/io/text_lines.hpp>
#include <lrp/store/schema.hpp>
#include <lrp/text/tokenizer.hpp>

namespace lrp {

enum class CorpusFormat { automatic, text, jsonl };
/// What becomes of a document of more tokens than the model was made for.
enum class TooLong { refuse, truncate, skip };

struct CorpusOptions {
    CorpusFormat format = CorpusFormat::automatic;  ///< automatic: .jsonl is JSONL, .txt is text, else what the first line looks like
    TooLong too_long = TooLong::refuse;
    std::size_t context = 0;     ///< tokens the model was made for
    std::size_t vocabulary = 0;  ///< ids must be below
};

/// What was read, and what was left out.
struct Corpus {
    std::vector<StoredDocument> documents;
    std::uint64_t tokens = 0;
    std::vector<std::int32_t> truncated;        ///< documents that were cut, in order
    std::uint64_t skipped = 0;                  ///< documents left out
    std::uint64_t digest = 0xcbf29ce484222325;  ///< FNV-1a over all ids and lengths, in order

    void add(StoredDocument document) {
        document.document = static_cast<std::int32_t>(documents.size());
        const auto mix = [this](std::uint32_t value) {
            for (int i = 0; i < 4; ++i) digest = (digest ^ ((value >> (8 * i)) & 255)) * 0x100000001b3;
        };
        mix(static_cast<std::uint32_t>(document.ids.size()));
        for (const std::int32_t id : document.ids) mix(static_cast<std::uint32_t>(id));
        tokens += document.ids.size();
        documents.push_back(std::move(document));
    }
};

namespace detail {

class CorpusReader {
  public:
    CorpusReader(const std::optional<Tokenizer>& tokenizer, const CorpusOptions& options, Corpus& corpus) : tokenizer_(tokenizer), options_(options), corpus_(corpus) {}

    void read(const std::string& name) {
        CorpusFormat format = options_.format;
        if (format == CorpusFormat::automatic && name.ends_with(".jsonl")) format = CorpusFormat::jsonl;
        if (format == CorpusFormat::automatic && name.ends_with(".txt")) format = CorpusFormat::text;
        each_text_line(name, [&](const std::string& line, const std::string& where, std::int64_t number) {
            if (format == CorpusFormat::automatic) format = line[line.find_first_not_of(" \t")] == '{' ? CorpusFormat::jsonl : CorpusFormat::text;
            StoredDocument document;
            document.source = std::filesystem::path(name).filename().string();
            document.line = number;
            if (format == CorpusFormat::jsonl) {
                read_json(line, where, document);
            } else {
                document.text = line;
                encode(document, where);
            }
            take(std::move(document), where);
        });
    }

  private:
    void encode(StoredDocument& document, const std::string& where) const {
        require(tokenizer_.has_value(), where, ": a text, and the model has no tokenizer.json; give ids");
        document.ids = tokenizer_->encode(document.text).ids;
        require(!document.ids.empty(), where, ": the text has no token");
    }

    void read_json(const std::string& line, const std::string& where, StoredDocument& document) const {
        const nlohmann::json value = parse_json(line, where);
        const JsonFields fields(value, where);
        if (fields.has("prompt") && !fields.has("text") && !fields.has("ids")) {
            document.text = *fields.text("prompt");
            return encode(document, where);
        }
        require(fields.has("text") != fields.has("ids"), where, ": expected 'text' or 'ids', found ", fields.has("text") ? "both" : "neither");
        if (fields.has("text")) {
            document.text = *fields.text("text");
            return encode(document, where);
        }
        for (const auto& id : fields.list("ids")) {
            require(id.is_number_unsigned() && id.get<std::uint64_t>() < options_.vocabulary, where, ": ids: expected whole numbers below ", options_.vocabulary, ", found ",
                    JsonFields::found(id));
            document.ids.push_back(id.get<std::int32_t>());
        }
        require(!document.ids.empty(), where, ": ids: the list is empty");
    }

    void take(StoredDocument document, const std::string& where) {
        if (document.ids.size() > options_.context) {
            require(options_.too_long != TooLong::refuse, where, ": a document of ", document.ids.size(), " tokens, and the model was made for ", options_.context,
                    "; cut it, or give --too-long truncate or skip");
            if (options_.too_long == TooLong::skip) {
                ++corpus_.skipped;
                return;
            }
            corpus_.truncated.push_back(static_cast<std::int32_t>(corpus_.documents.size()));
            document.ids.resize(options_.context);
        }
        for (const std::int32_t id : document.ids)
            require(static_cast<std::size_t>(id) < options_.vocabulary, where, ": token id ", id, " is outside the model's vocabulary of ", options_.vocabulary);
        require(corpus_.documents.size() < INT32_MAX, where, ": more documents than can be numbered");
        corpus_.add(std::move(document));
    }

    const std::optional<Tokenizer>& tokenizer_;
    const CorpusOptions& options_;
    Corpus& corpus_;
};

}  // namespace detail

/// Reads files in order ("-": standard input). Blank lines are no documents. Error naming file and line for text that is not UTF-8, a line that is
/// not as it should be, a document that is too long or has ids outside the vocabulary; and for a corpus without any document.
[[nodiscard]] inline Corpus read_corpus(const std::vector<std::string>& files, const std::optional<Tokenizer>& tokenizer, const CorpusOptions& options) {
    Corpus corpus;
    detail::CorpusReader reader(tokenizer, options, corpus);
    std::string names;
    for (const std::string& name : files) {
        names += (names.empty() ? "" : ", ") + name;
        reader.read(name);
    }
    require(!corpus.documents.empty(), names, ": the corpus is empty (", corpus.skipped > 0 ? "every document is longer than the context" : "no line has a document", ")");
    return corpus;
}

}  // namespace lrp
