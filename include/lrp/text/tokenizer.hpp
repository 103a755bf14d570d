// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// tokenizer.json: text in, ids and byte offsets out, and back.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include <lrp/io/mapped_file.hpp>
#include <lrp/text/added_tokens.hpp>
#include <lrp/text/bpe.hpp>
#include <lrp/text/decoder.hpp>
#include <lrp/text/encoding.hpp>
#include <lrp/text/normalizer.hpp>
#include <lrp/text/post_processor.hpp>
#include <lrp/text/pre_tokenizer.hpp>

namespace lrp {

struct EncodeOptions {
    bool add_special_tokens = true;  ///< run the template, which adds e.g. a begin-of-text token
    bool special_in_text = true;     ///< false: control tokens spelled in the text are plain text
};

/// A tokenizer as Hugging Face's tokenizers engine would run the same file (truncation and padding apart). Immutable and thread-safe.
class Tokenizer {
  public:
    /// Error naming the file and the field: what is malformed, and any component that is not supported.
    [[nodiscard]] static Tokenizer from_file(const std::filesystem::path& file) { return from_json(read_text_file(file), file.string()); }
    [[nodiscard]] static Tokenizer from_json(std::string_view json, const std::string& name) { return Tokenizer(parse_json(json, name, 32), name); }

    /// Tokens of a text. Error if the text is not UTF-8 (naming the byte) or longer than 4 GiB.
    [[nodiscard]] Encoding encode(std::string_view given, const EncodeOptions& options = {}) const {
        const std::size_t invalid = utf8::find_invalid(given);
        require(invalid == std::string_view::npos, "tokenizer: the text is not UTF-8 at byte ", invalid);
        require(given.size() < UINT32_MAX, "tokenizer: expected a text below 4 GiB, found ", given.size(), " bytes");
        Encoding out;
        Cache cache;
        for (const auto& part : raw_tokens_.cut(given, options.special_in_text)) {
            if (part.id >= 0) {
                out.push_back(part.id, std::string(given.substr(part.begin, part.end - part.begin)), {part.begin, part.end});
                continue;
            }
            text::AlignedText piece = aligned(given, part.begin, part.end);
            normalizer_(piece);
            for (const auto& inner : normalized_tokens_.cut(piece.text, options.special_in_text)) {
                if (inner.id >= 0) {
                    const auto span = piece.original(inner.begin, inner.end);
                    out.push_back(inner.id, piece.text.substr(inner.begin, inner.end - inner.begin), {span.begin, span.end});
                } else {
                    encode_plain(piece.slice(inner.begin, inner.end), out, cache);
                }
            }
        }
        post_processor_(out, given, options.add_special_tokens);
        return out;
    }

    /// Error for an id outside the vocabulary.
    [[nodiscard]] std::string decode(std::span<const std::int32_t> ids, bool skip_special_tokens = false) const {
        text::Strings tokens;
        for (const std::int32_t id : ids) {
            const std::string& token = id_to_token(id);
            if (!skip_special_tokens || !is_special(id)) tokens.push_back(token);
        }
        return text::detail::joined(decoder_(std::move(tokens)));
    }

    /// Whether a token stands for a byte by itself, such as <0x0A>, and others decide with it which characters these are.
    [[nodiscard]] bool is_byte(std::int32_t id) const {
        return id >= 0 && static_cast<std::size_t>(id) < names_.size() && !byte_level_ && text::detail::fallback_byte(names_[static_cast<std::size_t>(id)]).has_value();
    }

    /// What one token adds to a text, for people: its bytes as text, those that are no whole character as \xE4; special tokens as spelled.
    [[nodiscard]] std::string token_text(std::int32_t id) const {
        const std::string& token = id_to_token(id);
        if (added_[static_cast<std::size_t>(id)]) return token;
        std::string bytes = token;
        if (byte_level_) {
            bytes = text::ByteAlphabet::instance().bytes(token).value_or(token);
        } else if (const auto byte = text::detail::fallback_byte(token)) {
            bytes = std::string(1, static_cast<char>(*byte));
        } else if (!space_mark_.empty()) {
            std::string spaced;
            for (const auto& match : text::find_all(token, space_mark_)) spaced += match.matched ? " " : token.substr(match.begin, match.end - match.begin);
            bytes = spaced;
        }
        return printable(bytes);
    }

    [[nodiscard]] std::optional<std::int32_t> token_to_id(std::string_view content) const {
        const auto at = ids_.find(std::string(content));
        if (at == ids_.end()) return std::nullopt;
        return at->second;
    }
    /// The token that a text is where it stands within another: a control token as it is spelled, or what the text is cut into. Nothing where that is no
    /// token, or several. " dogs", with its space, is what follows "my".
    [[nodiscard]] std::optional<std::int32_t> one_token(std::string_view text) const {
        if (const auto id = token_to_id(text); id && is_special(*id)) return id;
        const Encoding pieces = encode(text, {.add_special_tokens = false});
        return pieces.ids.size() == 1 ? std::optional(pieces.ids.front()) : std::nullopt;
    }
    [[nodiscard]] const std::string& id_to_token(std::int32_t id) const {
        const bool known = id >= 0 && static_cast<std::size_t>(id) < names_.size();
        require(known, name_, ": expected a token id below ", names_.size(), ", found ", id);
        return names_[static_cast<std::size_t>(id)];
    }
    /// With added tokens.
    [[nodiscard]] std::size_t vocab_size() const { return names_.size(); }
    [[nodiscard]] bool is_special(std::int32_t id) const { return id >= 0 && static_cast<std::size_t>(id) < special_.size() && special_[static_cast<std::size_t>(id)]; }

    /// What a reader wants to know of the file, as name and value.
    [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& facts() const { return facts_; }
    /// Versions of the Unicode data in use.
    [[nodiscard]] static std::string build_info() {
        return std::string("Unicode: PCRE2 ") + text::Regex::unicode_version() + ", utf8proc " + utf8proc_unicode_version();
    }

  private:
    using Cache = std::unordered_map<std::string, std::vector<text::Symbol>>;

    Tokenizer(const nlohmann::json& json, const std::string& name) : name_(name) {
        const JsonFields top(json, name);
        const std::string version = top.text("version").value_or("1.0");
        require(version == "1.0", name, ": version: expected 1.0, found '", version, "'");
        const auto* model = top.find("model");
        require(model != nullptr, name, ": model is missing");
        bpe_ = std::make_shared<const text::Bpe>(*model, name + ": model");
        names_ = bpe_->tokens();
        normalizer_ = text::make_normalizer(top.find("normalizer"), name + ": normalizer");
        pre_tokenizer_ = text::make_pre_tokenizer(top.find("pre_tokenizer"), name + ": pre_tokenizer");
        decoder_ = text::make_decoder(top.find("decoder"), name + ": decoder");
        for (std::size_t id = 0; id < names_.size(); ++id) ids_.emplace(names_[id], static_cast<std::int32_t>(id));
        add_tokens(top);
        post_processor_ = text::make_post_processor(top.find("post_processor"), name + ": post_processor", token_name());
        find_alphabet(json);
        gather_facts(top);
    }

    /// Outlives moves of the tokenizer: the names are copied.
    [[nodiscard]] text::TokenName token_name() const {
        return [names = std::make_shared<const std::vector<std::string>>(names_), source = name_](std::int32_t id) -> const std::string& {
            require(id >= 0 && static_cast<std::size_t>(id) < names->size(), source, ": post_processor: expected a token id below ", names->size(), ", found ", id);
            return (*names)[static_cast<std::size_t>(id)];
        };
    }

    /// Declared ids are not trusted: a content the model knows keeps the model's id, others take the next ones behind as many as the model has, in order.
    void add_tokens(const JsonFields& top) {
        special_.assign(names_.size(), false);
        added_.assign(names_.size(), false);
        const std::size_t counted = bpe_->size();
        std::size_t next = 0;  // behind those that were added
        const auto* list = top.find("added_tokens");
        require(list == nullptr || list->is_array(), name_, ": added_tokens: expected a list");
        for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
            const JsonFields fields((*list)[i], name_ + ": added_tokens: entry " + std::to_string(i));
            text::AddedToken token;
            token.content = fields.must(fields.text("content"), "content");
            if (token.content.empty()) continue;
            token.single_word = fields.flag("single_word").value_or(false);
            token.lstrip = fields.flag("lstrip").value_or(false);
            token.rstrip = fields.flag("rstrip").value_or(false);
            token.special = fields.flag("special").value_or(false);
            token.normalized = fields.flag("normalized").value_or(!token.special);
            const auto known = ids_.find(token.content);
            token.id = known != ids_.end() ? known->second : static_cast<std::int32_t>(std::max(counted, next));
            const auto place = static_cast<std::size_t>(token.id);
            next = std::max(next, place + 1);
            const auto declared = fields.whole("id", 0, INT32_MAX);
            if (declared && static_cast<std::int32_t>(*declared) != token.id)
                facts_.emplace_back("warning", "added token '" + token.content + "' is declared as id " + std::to_string(*declared) + " but gets " + std::to_string(token.id));
            if (known == ids_.end()) {
                if (place >= names_.size()) {
                    names_.resize(place + 1);
                    special_.resize(place + 1);
                    added_.resize(place + 1);
                }
                require(names_[place].empty(), name_, ": added_tokens: '", token.content, "' gets id ", place, ", which '", names_[place], "' has: the vocabulary has gaps; this is not supported");
                names_[place] = token.content;
                ids_.emplace(token.content, token.id);
            }
            added_[place] = true;
            if (token.special) special_[place] = true;
            if (token.normalized) {
                text::AlignedText content{token.content};
                normalizer_(content);
                normalized_tokens_.add(token, content.text);
            } else {
                raw_tokens_.add(token, token.content);
            }
        }
        raw_tokens_.finish();
        normalized_tokens_.finish();
    }

    /// How tokens spell bytes and spaces, for token_text.
    void find_alphabet(const nlohmann::json& json) {
        const auto mentions = [&](const char* section, const char* what) { return json.contains(section) && json[section].dump().find(what) != std::string::npos; };
        byte_level_ = mentions("decoder", "\"ByteLevel\"") || mentions("pre_tokenizer", "\"ByteLevel\"");
        if (!byte_level_ && (mentions("decoder", "\xE2\x96\x81") || mentions("normalizer", "\xE2\x96\x81"))) space_mark_ = "\xE2\x96\x81";
    }

    void gather_facts(const JsonFields& top) {
        const auto kind = [&](const char* section) -> std::string {
            const auto* json = top.find(section);
            if (json == nullptr) return "none";
            std::string text = json->value("type", "?");
            for (const char* list : {"normalizers", "pretokenizers", "processors", "decoders"}) {
                if (!json->contains(list)) continue;
                text += " of";
                for (const auto& step : (*json)[list]) text += " " + step.value("type", "?");
            }
            return text;
        };
        facts_.insert(facts_.begin(), {{"model", bpe_->byte_fallback() ? "BPE with byte fallback" : "BPE"},
                                       {"tokens", std::to_string(names_.size())},
                                       {"merges", std::to_string(bpe_->merge_count())},
                                       {"ignore_merges", bpe_->ignore_merges() ? "true" : "false"},
                                       {"added tokens", std::to_string(std::count(added_.begin(), added_.end(), true))},
                                       {"normalizer", kind("normalizer")},
                                       {"pre_tokenizer", kind("pre_tokenizer")},
                                       {"post_processor", kind("post_processor")},
                                       {"decoder", kind("decoder")}});
    }

    static text::AlignedText aligned(std::string_view given, std::size_t begin, std::size_t end) {
        text::AlignedText piece(given.substr(begin, end - begin));
        for (auto& span : piece.spans) {
            span.begin += static_cast<std::uint32_t>(begin);
            span.end += static_cast<std::uint32_t>(begin);
        }
        return piece;
    }

    void encode_plain(text::AlignedText piece, Encoding& out, Cache& cache) const {
        text::Pieces words;
        pre_tokenizer_(std::move(piece), words);
        for (const text::AlignedText& word : words) {
            auto known = cache.find(word.text);
            if (known == cache.end()) {
                if (cache.size() > 100'000) cache.clear();
                known = cache.emplace(word.text, bpe_->encode(word.text)).first;
            }
            std::size_t at = 0;
            for (const text::Symbol& symbol : known->second) {
                const auto span = word.original(at, at + symbol.bytes);
                at += symbol.bytes;
                out.push_back(symbol.id, names_[static_cast<std::size_t>(symbol.id)], {span.begin, span.end});
            }
        }
    }

    static std::string printable(std::string_view bytes) {
        std::string out;
        while (!bytes.empty()) {
            const auto p = utf8::prefix(bytes);
            if (p.whole) {
                out += bytes.substr(0, p.length);
            } else {
                for (const char c : bytes.substr(0, p.length)) {
                    std::array<char, 8> code{};
                    std::snprintf(code.data(), code.size(), "\\x%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
                    out += code.data();
                }
            }
            bytes.remove_prefix(p.length);
        }
        return out;
    }

    std::string name_;
    std::shared_ptr<const text::Bpe> bpe_;
    text::Normalizer normalizer_;
    text::PreTokenizer pre_tokenizer_;
    text::PostProcessor post_processor_;
    text::Decoder decoder_;
    text::AddedTokenMatcher raw_tokens_, normalized_tokens_;
    std::vector<std::string> names_;                      ///< by id
    std::unordered_map<std::string, std::int32_t> ids_;
    std::vector<bool> special_, added_;
    std::vector<std::pair<std::string, std::string>> facts_;
    std::string space_mark_;
    bool byte_level_ = false;
};

}  // namespace lrp
