// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <iostream>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include <lrp/core/utf8.hpp>
#include <lrp/io/json.hpp>
#include <lrp/pipeline/label_units.hpp>
#include <lrp/view/label.hpp>

namespace lrp {

namespace detail {

/// The fields of one record of a CSV file (RFC 4180: quotes, doubled quotes, line ends within quotes); moves `at` behind it. Error naming the
/// line for a quote that never ends.
inline std::vector<std::string> csv_record(const std::string& text, std::size_t& at, std::int64_t& line, const std::string& name) {
    std::vector<std::string> fields(1);
    const std::int64_t begin = line;
    bool quoted = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\n') ++line;
        if (quoted) {
            if (c == '"' && at + 1 < text.size() && text[at + 1] == '"') {
                fields.back() += '"';
                ++at;
            } else if (c == '"') {
                quoted = false;
            } else {
                fields.back() += c;
            }
        } else if (c == '"' && fields.back().empty()) {
            quoted = true;
        } else if (c == ',') {
            fields.emplace_back();
        } else if (c == '\n') {
            ++at;
            break;
        } else if (c != '\r') {
            fields.back() += c;
        }
    }
    require(!quoted, name, ": line ", begin, ": a quote begins and does not end");
    return fields;
}

inline bool is_label_field(const std::string& key) {
    return key == "layer" || key == "unit" || key == "neuron" || key == "label" || key == "site" || key == "pole";
}

/// Error unless a CSV file of labels can be read under this header, each column once; `found`: its line as it stands there.
inline void check_label_header(const std::vector<std::string>& header, std::string_view found, const std::string& name) {
    found = found.substr(0, found.find_last_not_of("\r\n") + 1);
    std::set<std::string> columns;
    for (const std::string& column : header) require(columns.insert(column).second || !is_label_field(column), name, ": line 1: the column '", column, "' occurs twice");
    for (const char* needed : {"layer", "unit", "label"})
        require(columns.contains(needed) || (needed == std::string_view("unit") && columns.contains("neuron")), name, ": line 1: the column ", needed,
                " is missing; expected a header such as layer,unit,label (small letters, commas, no blanks), found '", visible(shortened(found)), "'");
}

/// The fields of one object of a JSONL file of labels. Error for a value that is neither text nor a whole number; what is no field of a label may be anything.
inline std::map<std::string, std::string> label_fields(const nlohmann::json& value, const std::string& where) {
    require(value.is_object(), where, ": expected an object, found ", JsonFields::found(value));
    std::map<std::string, std::string> fields;
    for (const auto& [key, field] : value.items()) {
        const bool word = key == "site" || key == "pole";
        if (!is_label_field(key) || (word && field.is_null())) continue;
        require(field.is_string() || field.is_number_unsigned(), where, ": ", key, ": expected a ", word || key == "label" ? "string" : "whole number from 0", ", found ",
                JsonFields::found(field));
        fields[key] = field.is_string() ? field.get<std::string>() : field.dump();
    }
    return fields;
}

}  // namespace detail

/// Labels made elsewhere ("-": standard input). CSV with a header line, or JSONL if the name ends with .jsonl or the text begins with a brace: layer, unit
/// (or neuron), label; and if they are not neuron and max: site, pole. Error naming file and line for what is missing, malformed, or not in the store.
[[nodiscard]] inline std::vector<StoredLabel> import_labels(const std::string& file, const std::string& source, const UnitSizes& sizes, const std::vector<std::string>& tokens) {
    std::unordered_map<std::string, std::int32_t> ids;
    for (std::size_t id = 0; id < tokens.size(); ++id) ids.emplace(tokens[id], static_cast<std::int32_t>(id));
    std::vector<StoredLabel> labels;
    std::set<std::string> seen;
    constexpr double none = std::numeric_limits<double>::quiet_NaN();
    const auto take = [&](const std::string& where, const std::map<std::string, std::string>& fields) {
        const auto field = [&](const char* key, const char* other) {
            auto at = fields.find(key);
            if (at == fields.end()) at = fields.find(other);
            require(at != fields.end(), where, ": ", key, " is missing");
            return at->second;
        };
        StoredLabel label{fields.contains("site") ? fields.at("site") : "neuron", 0, 0, fields.contains("pole") ? fields.at("pole") : "max", source, field("label", "label"), "", none, none, none};
        require(label.site == "neuron" || label.site == "head", where, ": site: expected neuron or head, found '", label.site, "'");
        require(label.pole == "max" || label.pole == "min", where, ": pole: expected max or min, found '", label.pole, "'");
        require(label.label.find_first_not_of(" \t\r\n") != std::string::npos, where, ": label: expected some words, found '", visible(label.label), "'");
        try {
            const UnitName name = UnitName::parse(field("layer", "layer") + "/" + field("unit", "neuron"), label.site == "head", sizes);
            label.site = name.site;
            label.layer = name.layer;
            label.unit = name.unit;
        } catch (const UsageError& error) {
            fail(where, ": ", error.what());
        }
        const std::string key = detail::concat(label.site, label.layer, "/", label.unit, label.pole);
        require(seen.insert(key).second, where, ": a second label for ", label.site, " ", label.layer, "/", label.unit, ", pole ", label.pole);
        label.tokens = tokens_of_label(label.label, ids);
        labels.push_back(std::move(label));
    };
    const std::string name = file == "-" ? "standard input" : file;
    std::string text = file == "-" ? std::string(std::istreambuf_iterator<char>(std::cin), {}) : read_text_file(file);
    if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
    const auto invalid = utf8::find_invalid(text);
    require(invalid == std::string::npos, name, ": line ", 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(invalid, text.size())), '\n'),
            ": not UTF-8");
    std::int64_t line = 1;
    const auto first = text.find_first_not_of(" \t\r\n");
    if (file.ends_with(".jsonl") || (first != std::string::npos && text[first] == '{')) {
        for (std::size_t at = 0; at < text.size(); ++line) {
            const auto end = std::min(text.find('\n', at), text.size());
            const std::string one = text.substr(at, end - at), where = name + ": line " + std::to_string(line);
            at = end + 1;
            if (one.find_first_not_of(" \t\r") == std::string::npos) continue;
            take(where, detail::label_fields(parse_json(one, where), where));
        }
    } else {
        std::size_t at = 0;
        const std::vector<std::string> header = detail::csv_record(text, at, line, name);
        detail::check_label_header(header, std::string_view(text).substr(0, at), name);
        while (at < text.size()) {
            const std::string where = name + ": line " + std::to_string(line);
            const std::vector<std::string> values = detail::csv_record(text, at, line, name);
            if (values.size() == 1 && values[0].empty()) continue;
            require(values.size() == header.size(), where, ": expected ", header.size(), " fields, found ", values.size());
            std::map<std::string, std::string> fields;
            for (std::size_t i = 0; i < values.size(); ++i) fields[header[i]] = values[i];
            take(where, fields);
        }
    }
    require(!labels.empty(), name, ": there is no label in it");
    return labels;
}

}  // namespace lrp
