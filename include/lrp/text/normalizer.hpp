// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <functional>

#include <lrp/text/pattern.hpp>

namespace lrp::text {

/// One step of rewriting a text, in place.
using Normalizer = std::function<void(AlignedText&)>;

namespace detail {

/// Replaces every match by `content`; what is put in stands for the last character it replaces.
inline void replace_all(AlignedText& text, const Pattern& pattern, const std::string& content) {
    std::vector<Edit> edits;
    for (std::size_t at = 0; at < content.size();) edits.push_back({utf8::next(content, at), 1});
    const auto matches = pattern.find_all(text.text);
    AlignedText out;
    for (const Match& match : matches) {
        AlignedText part = text.slice(match.begin, match.end);
        if (match.matched) {
            std::size_t characters = 0;
            for (std::size_t at = 0; at < part.text.size(); ++characters) utf8::next(part.text, at);
            part.edit(0, part.text.size(), edits, characters);
        }
        out.text += part.text;
        out.spans.insert(out.spans.end(), part.spans.begin(), part.spans.end());
    }
    text = std::move(out);
}

/// Canonical composition (NFC) as edits: a composed character replaces its first part and removes the others.
class Composer {
  public:
    [[nodiscard]] static std::vector<Edit> edits(std::string_view text) {
        std::vector<Item> items;
        std::size_t unsorted = 0;  // start of the run of non-starters at the end
        for (std::size_t at = 0; at < text.size();) {
            std::array<utf8proc_int32_t, 16> parts{};
            int boundary = 0;
            const auto code = static_cast<utf8proc_int32_t>(utf8::next(text, at));
            const auto count = utf8proc_decompose_char(code, parts.data(), static_cast<utf8proc_ssize_t>(parts.size()), UTF8PROC_DECOMPOSE, &boundary);
            for (utf8proc_ssize_t i = 0; i < count; ++i) {
                const auto part = parts[static_cast<std::size_t>(i)];
                const int order = utf8proc_get_property(part)->combining_class;
                if (order == 0) {
                    sort(items, unsorted);
                    unsorted = items.size() + 1;
                }
                items.push_back({static_cast<char32_t>(part), order, i == 0 ? 0 : 1});
            }
        }
        sort(items, unsorted);
        return compose(items);
    }

  private:
    struct Item {
        char32_t code;
        int order;  // canonical combining class
        int change;
    };
    static void sort(std::vector<Item>& items, std::size_t from) {
        if (from < items.size())
            std::stable_sort(items.begin() + static_cast<std::ptrdiff_t>(from), items.end(), [](const Item& a, const Item& b) { return a.order < b.order; });
    }
    static std::optional<char32_t> pair(char32_t a, char32_t b) {
        if (b == 0x11A7) return std::nullopt;  // before the first final consonant; utf8proc 2.8 drops it
        std::array<utf8proc_int32_t, 4> both{static_cast<utf8proc_int32_t>(a), static_cast<utf8proc_int32_t>(b)};
        const auto count = utf8proc_normalize_utf32(both.data(), 2, static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE));
        if (count != 1) return std::nullopt;
        return static_cast<char32_t>(both[0]);
    }
    static std::vector<Edit> compose(const std::vector<Item>& items) {
        std::vector<Item> out;
        std::ptrdiff_t starter = -1;
        for (const Item& item : items) {
            if (starter >= 0) {
                const bool next_to = static_cast<std::size_t>(starter) + 1 == out.size();
                const bool blocked = !next_to && out.back().order >= item.order;
                if (!blocked) {
                    Item& base = out[static_cast<std::size_t>(starter)];
                    if (const auto joined = pair(base.code, item.code)) {
                        base.code = *joined;
                        base.change += item.change - 1;
                        continue;
                    }
                }
            }
            if (item.order == 0) starter = static_cast<std::ptrdiff_t>(out.size());
            out.push_back(item);
        }
        std::vector<Edit> edits;
        for (const Item& item : out) edits.push_back({item.code, item.change});
        return edits;
    }
};

}  // namespace detail

/// Makes a normalizer of its section in tokenizer.json; null does nothing. Sequence, Prepend, Replace and NFC are known; Error naming any
/// other.
[[nodiscard]] inline Normalizer make_normalizer(const nlohmann::json* json, const std::string& source) {
    if (json == nullptr) return [](AlignedText&) {};
    const JsonFields fields(*json, source);
    const std::string type = fields.must(fields.text("type"), "type");
    if (type == "Sequence") {
        std::vector<Normalizer> steps;
        for (const auto& step : fields.list("normalizers")) steps.push_back(make_normalizer(&step, source));
        return [steps](AlignedText& text) {
            for (const auto& step : steps) step(text);
        };
    }
    if (type == "Prepend") {
        const std::string front = fields.must(fields.text("prepend"), "prepend");
        return [front](AlignedText& text) {
            if (!front.empty()) text.prepend(front);
        };
    }
    if (type == "Replace") {
        const auto* pattern = fields.find("pattern");
        require(pattern != nullptr, source, ": Replace: pattern is missing");
        return [pattern = Pattern(*pattern, source + ": Replace"), content = fields.must(fields.text("content"), "content")](AlignedText& text) {
            detail::replace_all(text, pattern, content);
        };
    }
    if (type == "NFC") {
        return [](AlignedText& text) {
            const bool ascii = std::all_of(text.text.begin(), text.text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
            if (!ascii) text.edit(0, text.text.size(), detail::Composer::edits(text.text));
        };
    }
    fail(source, ": type: expected Sequence, Prepend, Replace or NFC, found '", type, "', which is not supported");
}

}  // namespace lrp::text
