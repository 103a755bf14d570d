// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <lrp/text/unicode.hpp>

namespace lrp::text {

/// An entry of "added_tokens".
struct AddedToken {
    std::int32_t id = 0;
    std::string content;
    bool single_word = false;  ///< only between characters that are not of words
    bool lstrip = false;       ///< takes white space before it into its span
    bool rstrip = false;       ///< and after it
    bool normalized = false;   ///< looked for in the normalised text
    bool special = false;      ///< left out when decoding skips special tokens
};

/// A stretch of text, with the added token found there or -1.
struct TokenMatch {
    std::size_t begin;
    std::size_t end;
    std::int32_t id;
};

/// Finds added tokens: the leftmost, and of those that begin there the longest.
class AddedTokenMatcher {
  public:
    void add(const AddedToken& token, const std::string& content) {
        if (content.empty()) return;
        by_first_[static_cast<unsigned char>(content[0])].push_back({content, token});
    }
    /// After the last add.
    void finish() {
        for (auto& list : by_first_)
            std::stable_sort(list.begin(), list.end(), [](const Entry& a, const Entry& b) { return a.content.size() > b.content.size(); });
    }

    /// Cuts the text; the stretches cover it, and overlap where a token follows in white space that the one before strips. `special` false: special tokens are plain text.
    [[nodiscard]] std::vector<TokenMatch> cut(std::string_view text, bool special) const {
        std::vector<TokenMatch> parts;
        std::size_t covered = 0;
        for (std::size_t at = 0; at < text.size();) {
            const Entry* entry = longest_at(text, at);
            if (entry == nullptr) {
                ++at;
                continue;
            }
            std::size_t begin = at, end = at + entry->content.size();
            at = end;
            const AddedToken& token = entry->token;
            if (token.special && !special) continue;
            if (token.single_word && (ends_with_word(text.substr(0, begin)) || starts_with_word(text.substr(end)))) continue;
            if (token.lstrip) begin = std::min(begin, std::max(covered, strip_end(text, begin)));
            if (token.rstrip) end = strip_start(text, end);
            if (begin > covered) parts.push_back({covered, begin, -1});
            parts.push_back({begin, end, token.id});
            covered = end;  // another token may begin in what was stripped
        }
        if (covered < text.size()) parts.push_back({covered, text.size(), -1});
        return parts;
    }

  private:
    struct Entry {
        std::string content;
        AddedToken token;
    };
    [[nodiscard]] const Entry* longest_at(std::string_view text, std::size_t at) const {
        for (const Entry& entry : by_first_[static_cast<unsigned char>(text[at])])
            if (text.substr(at).starts_with(entry.content)) return &entry;
        return nullptr;
    }
    /// Start of the last character of a text that is not empty.
    static std::size_t last_character(std::string_view text) {
        std::size_t at = text.size() - 1;
        while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80) --at;
        return at;
    }
    static bool ends_with_word(std::string_view text) {
        if (text.empty()) return false;
        std::size_t at = last_character(text);
        return unicode::is_word(utf8::next(text, at));
    }
    static bool starts_with_word(std::string_view text) {
        std::size_t at = 0;
        return !text.empty() && unicode::is_word(utf8::next(text, at));
    }
    static std::size_t strip_end(std::string_view text, std::size_t end) {
        while (end > 0) {
            const std::size_t begin = last_character(text.substr(0, end));
            std::size_t at = begin;
            if (!unicode::is_space(utf8::next(text, at))) break;
            end = begin;
        }
        return end;
    }
    static std::size_t strip_start(std::string_view text, std::size_t begin) {
        while (begin < text.size()) {
            std::size_t at = begin;
            if (!unicode::is_space(utf8::next(text, at))) break;
            begin = at;
        }
        return begin;
    }

    std::array<std::vector<Entry>, 256> by_first_;
};

}  // namespace lrp::text
