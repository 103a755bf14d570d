// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>

#include <lrp/text/byte_level.hpp>
#include <lrp/text/pattern.hpp>

namespace lrp::text {

using Pieces = std::vector<AlignedText>;
/// Cuts a piece of text into smaller ones, appended to `out`.
using PreTokenizer = std::function<void(AlignedText piece, Pieces& out)>;

namespace detail {

inline void cut(const AlignedText& piece, const std::vector<Match>& parts, Pieces& out) {
    for (const Match& part : parts)
        if (part.end > part.begin) out.push_back(piece.slice(part.begin, part.end));
}

/// GPT-2's words: contractions, runs of letters, of numbers, of other characters, each with a space before it, and white space.
inline constexpr const char* gpt2_words = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

inline void to_byte_alphabet(AlignedText& piece) {
    const auto& alphabet = ByteAlphabet::instance();
    AlignedText out;
    out.text.reserve(piece.text.size() * 2);
    out.spans.reserve(piece.text.size() * 2);
    for (std::size_t at = 0; at < piece.text.size(); ++at) {
        const char32_t character = alphabet.character(static_cast<unsigned char>(piece.text[at]));
        utf8::append(out.text, character);
        out.spans.insert(out.spans.end(), utf8::size(character), piece.spans[at]);
    }
    piece = std::move(out);
}

inline PreTokenizer byte_level(const JsonFields& fields) {
    const bool prefix = fields.flag("add_prefix_space").value_or(true);
    const bool split = fields.flag("use_regex").value_or(true);
    const auto words = split ? std::make_shared<Regex>(gpt2_words, fields.source()) : nullptr;
    return [prefix, words](AlignedText piece, Pieces& out) {
        if (prefix && !piece.text.starts_with(' ')) piece.prepend(" ");
        const std::size_t before = out.size();
        if (words) {
            cut(piece, words->find_all(piece.text), out);
        } else if (!piece.text.empty()) {
            out.push_back(std::move(piece));
        }
        for (std::size_t i = before; i < out.size(); ++i) to_byte_alphabet(out[i]);
    };
}

inline PreTokenizer metaspace(const JsonFields& fields) {
    const std::string mark = fields.must(fields.text("replacement"), "replacement");
    std::size_t end = 0;
    require(!mark.empty() && (utf8::next(mark, end), end == mark.size()), fields.source(), ": replacement: expected one character, found '", mark, "'");
    const bool old_prefix = fields.flag("add_prefix_space").value_or(true);
    const std::string scheme = fields.text("prepend_scheme").value_or(old_prefix ? "always" : "never");
    require(scheme == "always" || scheme == "first" || scheme == "never", fields.source(), ": prepend_scheme: expected always, first or never, found '", scheme,
            "'");
    const bool split = fields.flag("split").value_or(true);
    return [mark, scheme, split](AlignedText piece, Pieces& out) {
        if (piece.text.empty()) return;
        std::size_t at = 0;
        std::vector<Edit> edits;
        const char32_t replacement = utf8::next(mark, at);
        for (at = 0; at < piece.text.size();) {
            const char32_t code = utf8::next(piece.text, at);
            edits.push_back({code == ' ' ? replacement : code, 0});
        }
        const bool first = piece.spans.front().begin == 0;
        piece.edit(0, piece.text.size(), edits);
        if (!piece.text.starts_with(mark) && (scheme == "always" || (scheme == "first" && first))) piece.prepend(mark);
        if (split) {
            cut(piece, split_pieces(find_all(piece.text, mark), SplitBehavior::merged_with_next), out);
        } else {
            out.push_back(std::move(piece));
        }
    };
}

inline PreTokenizer split(const JsonFields& fields) {
    const auto* json = fields.find("pattern");
    require(json != nullptr, fields.source(), ": Split: pattern is missing");
    const auto behavior = parse_split_behavior(fields.must(fields.text("behavior"), "behavior"), fields.source());
    const bool invert = fields.flag("invert").value_or(false);
    return [pattern = Pattern(*json, fields.source() + ": Split"), behavior, invert](AlignedText piece, Pieces& out) {
        auto matches = pattern.find_all(piece.text);
        if (invert) {
            for (Match& match : matches) match.matched = !match.matched;
        }
        cut(piece, split_pieces(std::move(matches), behavior), out);
    };
}

inline PreTokenizer digits(const JsonFields& fields) {
    const auto behavior = fields.flag("individual_digits").value_or(false) ? SplitBehavior::isolated : SplitBehavior::contiguous;
    return [behavior](AlignedText piece, Pieces& out) {
        std::vector<Match> matches;  // every character by itself when it is a number, runs of others
        for (std::size_t at = 0; at < piece.text.size();) {
            const std::size_t begin = at;
            const bool number = unicode::is_number(utf8::next(piece.text, at));
            if (!number && !matches.empty() && !matches.back().matched) {
                matches.back().end = at;
            } else {
                matches.push_back({begin, at, number});
            }
        }
        cut(piece, split_pieces(std::move(matches), behavior), out);
    };
}

}  // namespace detail

/// Makes a pre-tokenizer of its section in tokenizer.json; null leaves the text whole. Sequence, Split, ByteLevel, Metaspace and Digits are
/// known; Error naming any other.
[[nodiscard]] inline PreTokenizer make_pre_tokenizer(const nlohmann::json* json, const std::string& source) {
    if (json == nullptr) {
        return [](AlignedText piece, Pieces& out) {
            if (!piece.text.empty()) out.push_back(std::move(piece));
        };
    }
    const JsonFields fields(*json, source);
    const std::string type = fields.must(fields.text("type"), "type");
    if (type == "Sequence") {
        std::vector<PreTokenizer> steps;
        for (const auto& step : fields.list("pretokenizers")) steps.push_back(make_pre_tokenizer(&step, source));
        return [steps](AlignedText piece, Pieces& out) {
            Pieces now;
            now.push_back(std::move(piece));
            for (const auto& step : steps) {
                Pieces next;
                for (AlignedText& part : now) step(std::move(part), next);
                now = std::move(next);
            }
            for (AlignedText& part : now) out.push_back(std::move(part));
        };
    }
    if (type == "Split") return detail::split(fields);
    if (type == "ByteLevel") return detail::byte_level(fields);
    if (type == "Metaspace") return detail::metaspace(fields);
    if (type == "Digits") return detail::digits(fields);
    fail(source, ": type: expected Sequence, Split, ByteLevel, Metaspace or Digits, found '", type, "', which is not supported");
}

}  // namespace lrp::text
