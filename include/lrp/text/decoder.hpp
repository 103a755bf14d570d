// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <charconv>
#include <functional>

#include <lrp/text/byte_level.hpp>
#include <lrp/text/pattern.hpp>

namespace lrp::text {

using Strings = std::vector<std::string>;
/// One step from token strings to a text; the text is the strings one after the other.
using Decoder = std::function<Strings(Strings)>;

namespace detail {

inline std::string replace_in(const std::string& text, const Pattern& pattern, const std::string& content) {
    std::string out;
    for (const Match& match : pattern.find_all(text)) out += match.matched ? content : text.substr(match.begin, match.end - match.begin);
    return out;
}

/// The byte of a token spelled <0xHH>.
inline std::optional<unsigned char> fallback_byte(const std::string& token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    unsigned value = 0;
    const auto [end, code] = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
    if (code != std::errc() || end != token.data() + 5) return std::nullopt;
    return static_cast<unsigned char>(value);
}

/// Runs of byte tokens become text; a run that is not UTF-8 becomes one U+FFFD for each byte.
inline Strings byte_fallback(const Strings& tokens) {
    Strings out;
    std::string run;
    const auto flush = [&] {
        if (run.empty()) return;
        if (utf8::find_invalid(run) == std::string::npos) {
            out.push_back(run);
        } else {
            out.insert(out.end(), run.size(), "\xEF\xBF\xBD");
        }
        run.clear();
    };
    for (const std::string& token : tokens) {
        if (const auto byte = fallback_byte(token)) {
            run += static_cast<char>(*byte);
        } else {
            flush();
            out.push_back(token);
        }
    }
    flush();
    return out;
}

/// Up to `start` leading and `stop` trailing characters equal to `content` leave each token.
inline std::string strip(const std::string& token, const std::string& content, std::uint64_t start, std::uint64_t stop) {
    std::string_view rest = token;
    for (; start > 0 && rest.starts_with(content); --start) rest.remove_prefix(content.size());
    for (; stop > 0 && rest.ends_with(content); --stop) rest.remove_suffix(content.size());
    return std::string(rest);
}

inline Strings each(Strings tokens, const std::function<std::string(const std::string&)>& change) {
    for (std::string& token : tokens) token = change(token);
    return tokens;
}

inline std::string joined(const Strings& tokens) {
    std::string out;
    for (const std::string& token : tokens) out += token;
    return out;
}

}  // namespace detail

/// Makes a decoder of its section in tokenizer.json; null joins the tokens with spaces. Sequence, ByteLevel, Replace, ByteFallback, Fuse,
/// Strip and Metaspace are known; Error naming any other.
[[nodiscard]] inline Decoder make_decoder(const nlohmann::json* json, const std::string& source) {
    if (json == nullptr) {
        return [](Strings tokens) {
            for (std::size_t i = 1; i < tokens.size(); ++i) tokens[i] = " " + tokens[i];
            return tokens;
        };
    }
    const JsonFields fields(*json, source);
    const std::string type = fields.must(fields.text("type"), "type");
    if (type == "Sequence") {
        std::vector<Decoder> steps;
        for (const auto& step : fields.list("decoders")) steps.push_back(make_decoder(&step, source));
        return [steps](Strings tokens) {
            for (const auto& step : steps) tokens = step(std::move(tokens));
            return tokens;
        };
    }
    if (type == "ByteLevel") {
        return [](const Strings& tokens) {
            std::string bytes;
            for (const std::string& token : tokens) bytes += ByteAlphabet::instance().bytes(token).value_or(token);
            return Strings{utf8::lossy(bytes)};
        };
    }
    if (type == "Replace") {
        const auto* pattern = fields.find("pattern");
        require(pattern != nullptr, source, ": Replace: pattern is missing");
        return [pattern = Pattern(*pattern, source + ": Replace"), content = fields.must(fields.text("content"), "content")](Strings tokens) {
            return detail::each(std::move(tokens), [&](const std::string& token) { return detail::replace_in(token, pattern, content); });
        };
    }
    if (type == "ByteFallback") return [](const Strings& tokens) { return detail::byte_fallback(tokens); };
    if (type == "Fuse") return [](const Strings& tokens) { return Strings{detail::joined(tokens)}; };
    if (type == "Strip") {
        const std::string content = fields.must(fields.text("content"), "content");
        require(!content.empty(), source, ": Strip: content: expected one character, found none");
        const auto start = fields.whole("start", 0, 1 << 20).value_or(0);
        const auto stop = fields.whole("stop", 0, 1 << 20).value_or(0);
        return [=](Strings tokens) {
            return detail::each(std::move(tokens), [&](const std::string& token) { return detail::strip(token, content, start, stop); });
        };
    }
    if (type == "Metaspace") {
        const std::string mark = fields.must(fields.text("replacement"), "replacement");
        require(!mark.empty(), source, ": Metaspace: replacement: expected one character, found none");
        const bool old_prefix = fields.flag("add_prefix_space").value_or(true);
        const bool drops = fields.text("prepend_scheme").value_or(old_prefix ? "always" : "never") != "never";
        return [mark, drops](Strings tokens) {
            for (std::size_t i = 0; i < tokens.size(); ++i) {
                std::string out;
                for (const Match& match : find_all(tokens[i], mark)) {
                    if (!match.matched) {
                        out += tokens[i].substr(match.begin, match.end - match.begin);
                    } else if (i > 0 || !drops) {
                        out += ' ';
                    }
                }
                tokens[i] = out;
            }
            return tokens;
        };
    }
    fail(source, ": type: expected Sequence, ByteLevel, Replace, ByteFallback, Fuse, Strip or Metaspace, found '", type, "', which is not supported");
}

}  // namespace lrp::text
