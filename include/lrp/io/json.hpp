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

/// Parses JSON text. Error naming the source for text that is not JSON, nests deeper than `depth`, or repeats a key in one object.
[[nodiscard]] inline nlohmann::json parse_json(std::string_view text, const std::string& source, int depth = 64) {
    using nlohmann::json;
    std::vector<std::set<std::string>> keys;
    const auto watch = [&](int level, json::parse_event_t event, json& value) {
        require(level <= depth, source, ": JSON nests deeper than ", depth, " levels");
        if (event == json::parse_event_t::object_start) keys.emplace_back();
        if (event == json::parse_event_t::object_end) keys.pop_back();
        if (event == json::parse_event_t::key) {
            const auto& key = value.get_ref<const std::string&>();
            require(keys.back().insert(key).second, source, ": the key '", key, "' occurs twice in one object");
        }
        return true;
    };
    try {
        return json::parse(text.begin(), text.end(), watch);
    } catch (const json::exception& error) {
        fail(source, ": not valid JSON (", error.what(), ")");
    }
}

/// Reads fields of one JSON object with errors that name file and field. A missing field and null are the same.
class JsonFields {
  public:
    /// Error unless `value` is an object.
    JsonFields(const nlohmann::json& value, std::string source) : value_(value), source_(std::move(source)) {
        require(value.is_object(), source_, ": expected a JSON object, found ", value.type_name());
    }

    [[nodiscard]] bool has(const std::string& key) const { return find(key) != nullptr; }
    [[nodiscard]] const nlohmann::json* find(const std::string& key) const {
        const auto at = value_.find(key);
        return at == value_.end() || at->is_null() ? nullptr : &*at;
    }
    [[nodiscard]] JsonFields object(const std::string& key) const { return {*need(key), source_ + ": " + key}; }

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
    template <class T>
    [[nodiscard]] T must(std::optional<T> value, const std::string& key) const {
        require(value.has_value(), source_, ": ", key, " is missing");
        return *value;
    }
    [[nodiscard]] const std::string& source() const { return source_; }

    /// A value as a reader should see it in an error: shortened. Written out only when the error is.
    struct Found {
        const nlohmann::json* value;
        friend std::ostream& operator<<(std::ostream& out, const Found& found) {
            const std::string text = found.value->dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
            return out << (text.size() <= 60 ? text : text.substr(0, 57) + "...");
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
