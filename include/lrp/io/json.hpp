// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Strict reading of JSON from files that nobody vouches for.
#pragma once

#include <cmath>
#include <cstdint>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include <lrp/core/error.hpp>

namespace lrp {

namespace detail {

/// Text from a file, as an error shows it: at most `most` bytes, not cut inside a character.
[[nodiscard]] inline std::string shortened(std::string_view text, std::size_t most = 120) {
    if (text.size() <= most) return std::string(text);
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0) == 0x80) --most;
    return std::string(text.substr(0, most)) + "...";
}

inline void refuse_lfs_pointer(std::string_view text, const std::string& source) {
    require(!text.starts_with("version https://git-lfs"), source, ": this is a Git LFS pointer, not the file itself; fetch it with git lfs pull");
}

}  // namespace detail

/// Parses JSON text. Error naming the source for text that is not JSON (a byte order mark and NUL bytes included), nests deeper than
/// `depth`, or repeats a key in one object, and for a Git LFS pointer. Memory is a small multiple of the text's size.
[[nodiscard]] inline nlohmann::json parse_json(std::string_view text, const std::string& source, int depth = 64) {
    using nlohmann::json;
    detail::refuse_lfs_pointer(text, source);
    require(!text.starts_with("\xEF\xBB\xBF"), source, ": not valid JSON (it begins with a byte order mark)");
    const auto nul = text.find('\0');  // the parser would take it for the end
    require(nul == std::string_view::npos, source, ": not valid JSON (NUL byte at ", nul, ")");
    std::vector<std::set<std::string>> keys;
    const auto watch = [&](int level, json::parse_event_t event, json& value) {
        require(level <= depth, source, ": JSON nests deeper than ", depth, " levels");
        if (event == json::parse_event_t::object_start) keys.emplace_back();
        if (event == json::parse_event_t::object_end) keys.pop_back();
        if (event == json::parse_event_t::key) {
            const auto& key = value.get_ref<const std::string&>();
            require(keys.back().insert(key).second, source, ": the key '", detail::shortened(key), "' occurs twice in one object");
        }
        return true;
    };
    try {
        return json::parse(text.begin(), text.end(), watch);
    } catch (const json::exception& error) {
        fail(source, ": not valid JSON (", detail::shortened(error.what(), 300), ")");
    }
}

/// Reads fields of one JSON object with errors that name file and field. A missing field and null are the same.
class JsonFields {
  public:
    /// Error unless `value` is an object.
    JsonFields(const nlohmann::json& value, std::string source) : value_(value), source_(std::move(source)) {
        require(value.is_object(), source_, ": expected a JSON object, found ", value.type_name());
    }

    /// False also for null.
    [[nodiscard]] bool has(const std::string& key) const { return find(key) != nullptr; }
    [[nodiscard]] const nlohmann::json* find(const std::string& key) const {
        const auto at = value_.find(key);
        return at == value_.end() || at->is_null() ? nullptr : &*at;
    }
    /// Whether the field is there at all, null included.
    [[nodiscard]] bool states(const std::string& key) const { return value_.contains(key); }
    /// Error if it is missing or no object.
    [[nodiscard]] JsonFields object(const std::string& key) const { return {*need(key), source_ + ": " + key}; }

    /// Error, as for the ones that follow, if the field is there and is something else.
    [[nodiscard]] std::optional<std::string> text(const std::string& key) const {
        const auto* at = find(key);
        if (at == nullptr) return std::nullopt;
        require(at->is_string(), source_, ": ", key, ": expected a string, found ", found(*at));
        return at->get<std::string>();
    }
    [[nodiscard]] std::optional<bool> flag(const std::string& key) const {
        const auto* at = find(key);
        if (at == nullptr) return std::nullopt;
        require(at->is_boolean(), source_, ": ", key, ": expected true or false, found ", found(*at));
        return at->get<bool>();
    }
    /// A finite number.
    [[nodiscard]] std::optional<double> number(const std::string& key) const {
        const auto* at = find(key);
        if (at == nullptr) return std::nullopt;
        require(at->is_number() && std::isfinite(at->get<double>()), source_, ": ", key, ": expected a number, found ", found(*at));
        return at->get<double>();
    }
    /// A whole number in [least, most].
    [[nodiscard]] std::optional<std::uint64_t> whole(const std::string& key, std::uint64_t least, std::uint64_t most) const {
        const auto* at = find(key);
        if (at == nullptr) return std::nullopt;
        require(at->is_number_unsigned() && at->get<std::uint64_t>() >= least && at->get<std::uint64_t>() <= most, source_, ": ", key,
                ": expected a whole number from ", least, " to ", most, ", found ", found(*at));
        return at->get<std::uint64_t>();
    }
    /// The value of a field that has no default; Error naming it if it is missing.
    /// A list; Error if it is missing or something else.
    [[nodiscard]] const nlohmann::json& list(const std::string& key) const {
        const auto& value = *need(key);
        require(value.is_array(), source_, ": ", key, ": expected a list, found ", found(value));
        return value;
    }
    template <class T>
    [[nodiscard]] T must(std::optional<T> value, const std::string& key) const {
        require(value.has_value(), source_, ": ", key, " is missing");
        return *value;
    }
    /// File, and object within it, for messages.
    [[nodiscard]] const std::string& source() const { return source_; }

    /// A value as a reader should see it in an error: shortened. Written out only when the error is.
    struct Found {
        const nlohmann::json* value;
        friend std::ostream& operator<<(std::ostream& out, const Found& found) {
            return out << detail::shortened(found.value->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace), 57);
        }
    };
    [[nodiscard]] static Found found(const nlohmann::json& value) { return {&value}; }

  private:
    [[nodiscard]] const nlohmann::json* need(const std::string& key) const {
        const auto* at = find(key);
        require(at != nullptr, source_, ": ", key, " is missing");
        return at;
    }

    const nlohmann::json& value_;
    std::string source_;
};

}  // namespace lrp
