// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "steering_arguments.hpp"

#include <charconv>
#include <sstream>

#include <lrp/io/json.hpp>
#include <lrp/io/mapped_file.hpp>
#include <lrp/io/safetensors.hpp>

#include "common.hpp"

namespace lrp::cli {

namespace {

template <class N>
bool read_number(std::string_view text, N& value) {
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
    if constexpr (std::is_floating_point_v<N>) {
        if (!std::isfinite(value)) return false;
    }
    return code == std::errc() && end == text.data() + text.size();
}

bool read_unit(std::string_view text, UnitEdit& edit) {
    const std::optional<UnitRef> unit = parse_unit_ref(text);
    if (unit) {
        edit.site = unit->site;
        edit.layer = unit->layer;
        edit.unit = unit->unit;
    }
    return unit.has_value();
}

DirectionEdit direction(const std::string& where, std::string_view name, std::vector<float> values, double scale) {
    SiteRef site;
    try {
        site = parse_site(name);
    } catch (const UsageError&) {
        fail(where, ": expected directions called layers.L.resid_post, found '", name, "'");
    }
    require(site.site == Site::resid_post, where, ": expected directions called layers.L.resid_post, found '", name, "'");
    return {site.layer, std::move(values), scale};
}

}  // namespace

UnitEdit parse_edit(std::string_view option, std::string_view text, UnitEdit::Kind kind) {
    UnitEdit edit;
    edit.kind = kind;
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || !read_unit(text.substr(0, equals), edit) || !read_number(text.substr(equals + 1), edit.value))
        fail<UsageError>(option, ": expected LAYER/NEURON=VALUE such as 3/118=4.0 (or head:LAYER/HEAD=VALUE), found '", text, "'");
    return edit;
}

UnitRef parse_unit(std::string_view option, std::string_view text) {
    const std::optional<UnitRef> unit = parse_unit_ref(text);
    if (!unit) fail<UsageError>(option, ": expected LAYER/NEURON such as 3/118 (or head:LAYER/HEAD), found '", text, "'");
    return *unit;
}

UnitEdit parse_zero(std::string_view option, std::string_view text) {
    const UnitRef unit = parse_unit(option, text);
    return {unit.site, unit.layer, unit.unit, UnitEdit::Kind::set, 0};
}

UnitEdit parse_head(std::string_view option, std::string_view text) {
    UnitEdit edit;
    const auto equals = text.find('=');
    if (text.starts_with("head:") || equals == std::string_view::npos || !read_unit(text.substr(0, equals), edit) || !read_number(text.substr(equals + 1), edit.value))
        fail<UsageError>(option, ": expected LAYER/HEAD=FACTOR such as 1/3=0, found '", text, "'");
    edit.site = Site::head;
    return edit;
}

std::vector<UnitEdit> read_edits(const std::string& file) {
    std::vector<UnitEdit> edits;
    std::istringstream lines(read_text_file(file));
    std::string line;
    for (std::size_t number = 1; std::getline(lines, line); ++number) {
        std::istringstream words(line);
        std::string verb, unit, more;
        if (!(words >> verb) || verb.starts_with('#')) continue;
        const std::string where = file + ": line " + std::to_string(number);
        const bool two = static_cast<bool>(words >> unit) && !(words >> more);
        try {
            if (two && verb == "set") {
                edits.push_back(parse_edit(where, unit, UnitEdit::Kind::set));
            } else if (two && verb == "scale") {
                edits.push_back(parse_edit(where, unit, UnitEdit::Kind::scale));
            } else if (two && verb == "add") {
                edits.push_back(parse_edit(where, unit, UnitEdit::Kind::add));
            } else if (two && verb == "zero") {
                edits.push_back(parse_zero(where, unit));
            } else if (two && verb == "head") {
                edits.push_back(parse_head(where, unit));
            } else {
                fail(where, ": expected set, scale, add, zero or head and a unit, such as 'set 3/118=4', found '", line, "'");
            }
        } catch (const UsageError& error) {
            fail(error.what());
        }
    }
    require(!edits.empty(), file, ": there is no edit in the file");
    return edits;
}

std::vector<DirectionEdit> read_directions(const std::string& argument) {
    std::string file = argument;
    double scale = 1;
    if (const auto star = argument.rfind('*'); star != std::string::npos) {
        file = argument.substr(0, star);
        if (!read_number(std::string_view(argument).substr(star + 1), scale)) fail<UsageError>("--add-direction: expected FILE or FILE*FACTOR, found '", argument, "'");
    }
    std::vector<DirectionEdit> result;
    if (file.ends_with(".safetensors")) {
        const SafeTensors tensors = SafeTensors::open(file);
        for (const TensorEntry& entry : tensors.tensors()) {
            require(entry.shape.size() == 1, file, ": tensor '", entry.name, "': expected one dimension, found shape ", entry.shape_text());
            result.push_back(direction(file, entry.name, values<float>(entry), scale));
        }
    } else {
        const nlohmann::json json = parse_json(read_text_file(file), file);
        const JsonFields top(json, file);
        for (const auto& [name, list] : json.items()) {
            std::vector<float> numbers;
            for (const auto& item : top.list(name)) {
                require(item.is_number(), file, ": ", name, ": expected numbers, found ", JsonFields::found(item));
                numbers.push_back(item.get<float>());
            }
            result.push_back(direction(file, name, std::move(numbers), scale));
        }
    }
    require(!result.empty(), file, ": there is no direction in the file");
    return result;
}

std::vector<RowSpan> parse_positions(const std::string& text) {
    std::vector<RowSpan> result;
    for (const std::string& part : split_list(text)) {
        const auto dash = part.find('-');
        Index first = 0, last = 0;
        const bool good = read_number(std::string_view(part).substr(0, dash), first) && (dash == std::string::npos || read_number(std::string_view(part).substr(dash + 1), last));
        if (dash == std::string::npos) last = first;
        if (!good || first < 0 || last < first) fail<UsageError>("--positions: expected positions such as 0-3,7, found '", text, "'");
        for (const RowSpan& other : result)
            if (first < other.first + other.count && other.first <= last) fail<UsageError>("--positions: ", part, " was named before in '", text, "'");
        result.push_back({first, last - first + 1});
    }
    return result;
}

std::pair<std::size_t, double> parse_top(const char* option, const std::string& text, bool factor) {
    const auto equals = text.find('=');
    const bool bare = !factor && equals == std::string::npos;
    std::size_t count = 0;
    double value = 1;
    if ((!bare && equals == std::string::npos) || !read_number(std::string_view(text).substr(0, equals), count) || count == 0 ||
        (!bare && !read_number(std::string_view(text).substr(equals + 1), value)))
        fail<UsageError>(option, ": expected ", factor ? "N=FACTOR such as 10=0" : "N such as 10", ", found '", text, "'");
    return {count, value};
}

std::pair<std::string, double> parse_label(const std::string& text, bool factor) {
    const auto star = text.rfind('*');
    double value = 1;
    const bool has = star != std::string::npos && read_number(std::string_view(text).substr(star + 1), value);
    const std::string name = has ? text.substr(0, star) : text;
    if ((factor && !has) || name.find_first_not_of(' ') == std::string::npos)
        fail<UsageError>("--label: expected ", factor ? "NAME*FACTOR such as fruit*2" : "NAME such as fruit", ", found '", text, "'");
    return {name, value};
}

}  // namespace lrp::cli
