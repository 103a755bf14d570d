// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <functional>

#include <lrp/io/json.hpp>
#include <lrp/text/byte_level.hpp>
#include <lrp/text/encoding.hpp>

namespace lrp::text {

/// Completes an encoding of `text`; `special` false leaves out the tokens a template would add.
using PostProcessor = std::function<void(Encoding&, std::string_view text, bool special)>;
/// The vocabulary string of an id; Error for an unknown one.
using TokenName = std::function<const std::string&(std::int32_t)>;

namespace detail {

/// ByteLevel with trim_offsets: each character of white space at a token's ends takes one character of the text off its span, but a
/// leading space that was put in does not count.
inline void trim_offsets(Encoding& encoding, std::string_view text, bool prefix_space) {
    const char32_t space = ByteAlphabet::instance().character(' ');
    const auto blank = [space](char32_t c) { return c == space || unicode::is_space(c); };
    for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
        std::vector<char32_t> characters;
        for (std::size_t at = 0; at < encoding.tokens[i].size();) characters.push_back(utf8::next(encoding.tokens[i], at));
        auto& [begin, end] = encoding.offsets[i];
        std::size_t leading = 0, trailing = 0;
        while (leading < characters.size() && blank(characters[leading])) ++leading;
        while (trailing < characters.size() && blank(characters[characters.size() - 1 - trailing])) ++trailing;
        if (leading == 1 && prefix_space && (i == 0 || begin == 0)) leading = 0;
        for (; leading > 0 && begin < end; --leading) utf8::next(text, begin);
        for (; trailing > 0 && end > begin; --trailing) {
            --end;
            while (end > begin && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
        }
    }
}

inline PostProcessor make_template(const JsonFields& fields, const TokenName& name) {
    struct Item {
        bool sequence;
        std::vector<std::int32_t> ids;
    };
    const auto& source = fields.source();
    std::vector<Item> items;
    for (const auto& entry : fields.list("single")) {
        const JsonFields item(entry, source + ": single");
        if (item.has("Sequence")) {
            items.push_back({true, {}});
            continue;
        }
        const auto special = item.object("SpecialToken");
        const std::string id = special.must(special.text("id"), "id");
        items.push_back({false, {}});
        for (const auto& one : fields.object("special_tokens").object(id).list("ids")) {
            require(one.is_number_unsigned() && one.get<std::uint64_t>() <= INT32_MAX, source, ": special_tokens: ", id, ": ids: expected token ids, found ",
                    JsonFields::found(one));
            items.back().ids.push_back(one.get<std::int32_t>());
            (void)name(items.back().ids.back());
        }
    }
    require(std::count_if(items.begin(), items.end(), [](const Item& item) { return item.sequence; }) == 1, source,
            ": single: expected the sequence exactly once");
    return [items, name](Encoding& encoding, std::string_view, bool special) {
        if (!special) return;
        Encoding out;
        for (const Item& item : items) {
            if (item.sequence) out.append(encoding);
            for (const std::int32_t id : item.ids) out.push_back(id, name(id), {0, 0}, true);
        }
        encoding = std::move(out);
    };
}

}  // namespace detail

/// Makes a post-processor of its section in tokenizer.json; null does nothing. Sequence, TemplateProcessing and ByteLevel are known; Error
/// naming any other.
[[nodiscard]] inline PostProcessor make_post_processor(const nlohmann::json* json, const std::string& source, const TokenName& name) {
    if (json == nullptr) return [](Encoding&, std::string_view, bool) {};
    const JsonFields fields(*json, source);
    const std::string type = fields.must(fields.text("type"), "type");
    if (type == "Sequence") {
        std::vector<PostProcessor> steps;
        for (const auto& step : fields.list("processors")) steps.push_back(make_post_processor(&step, source, name));
        return [steps](Encoding& encoding, std::string_view text, bool special) {
            for (const auto& step : steps) step(encoding, text, special);
        };
    }
    if (type == "TemplateProcessing") return detail::make_template(fields, name);
    if (type == "ByteLevel") {
        const bool trim = fields.flag("trim_offsets").value_or(true);
        const bool prefix = fields.flag("add_prefix_space").value_or(true);
        return [trim, prefix](Encoding& encoding, std::string_view text, bool) {
            if (trim) detail::trim_offsets(encoding, text, prefix);
        };
    }
    fail(source, ": type: expected Sequence, TemplateProcessing or ByteLevel, found '", type, "', which is not supported");
}

}  // namespace lrp::text
