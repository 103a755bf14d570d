// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <lrp/text/unicode.hpp>

namespace lrp::text {

/// Bytes [begin, end) of the text as the user gave it.
struct Span {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
};

/// A character of an edited text: 0 replaces one old character, +1 is inserted, -n replaces one and removes n that follow.
struct Edit {
    char32_t code;
    int change;
};

/// A text under way through normalizers and pre-tokenizers: every byte remembers which bytes of the original it stands for. A replaced
/// character keeps the span of the one it replaces, an inserted one takes that of the byte before it.
struct AlignedText {
    std::string text;
    std::vector<Span> spans;  ///< one per byte of text

    AlignedText() = default;
    /// The original itself: every byte of a character stands for the whole character.
    explicit AlignedText(std::string_view original) : text(original) {
        spans.reserve(original.size());
        for (std::size_t at = 0; at < original.size();) {
            const std::size_t begin = at;
            utf8::next(original, at);
            spans.insert(spans.end(), at - begin, Span{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(at)});
        }
    }

    [[nodiscard]] AlignedText slice(std::size_t begin, std::size_t end) const {
        AlignedText part;
        part.text = text.substr(begin, end - begin);
        part.spans.assign(spans.begin() + static_cast<std::ptrdiff_t>(begin), spans.begin() + static_cast<std::ptrdiff_t>(end));
        return part;
    }

    /// What the bytes [begin, end) of this text stand for.
    [[nodiscard]] Span original(std::size_t begin, std::size_t end) const {
        return begin < end ? Span{spans[begin].begin, spans[end - 1].end} : Span{};
    }

    /// Replaces the bytes [begin, end) by the edits; `skip` leading characters of them are removed first.
    void edit(std::size_t begin, std::size_t end, const std::vector<Edit>& edits, std::size_t skip = 0) {
        std::string fresh;
        std::vector<Span> fresh_spans;
        std::size_t at = begin;
        for (; skip > 0 && at < end; --skip) utf8::next(text, at);
        for (const Edit& one : edits) {
            const Span span = one.change > 0 ? (at > 0 ? spans[at - 1] : Span{}) : spans[at];
            if (one.change <= 0) {
                for (int i = 0; i <= -one.change && at < end; ++i) utf8::next(text, at);
            }
            utf8::append(fresh, one.code);
            fresh_spans.insert(fresh_spans.end(), utf8::size(one.code), span);
        }
        text.replace(begin, end - begin, fresh);
        const auto first = spans.begin() + static_cast<std::ptrdiff_t>(begin);
        const auto after = spans.erase(first, spans.begin() + static_cast<std::ptrdiff_t>(end));
        spans.insert(after, fresh_spans.begin(), fresh_spans.end());
    }

    /// Puts `front` before the text; it stands for the first character, as that character does itself.
    void prepend(std::string_view front) {
        if (text.empty()) return;
        std::vector<Edit> edits;
        for (std::size_t at = 0; at < front.size();) {
            const char32_t code = utf8::next(front, at);
            edits.push_back({code, edits.empty() ? 0 : 1});
        }
        std::size_t first = 0;
        const char32_t code = utf8::next(text, first);
        edits.push_back({code, 1});
        edit(0, first, edits);
    }
};

/// A stretch of a text and whether a pattern matched it.
struct Match {
    std::size_t begin = 0;
    std::size_t end = 0;
    bool matched = false;
};

/// Every place of `what` in `text`, with the stretches between them; they cover the text.
inline std::vector<Match> find_all(std::string_view text, std::string_view what) {
    std::vector<Match> found;
    std::size_t at = 0;
    if (!what.empty()) {
        for (std::size_t hit = text.find(what); hit != std::string_view::npos; hit = text.find(what, at)) {
            if (hit > at) found.push_back({at, hit, false});
            found.push_back({hit, hit + what.size(), true});
            at = hit + what.size();
        }
    }
    if (at < text.size()) found.push_back({at, text.size(), false});
    return found;
}

}  // namespace lrp::text
