// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include <lrp/core/error.hpp>
#include <lrp/core/site.hpp>

namespace lrp {

/// A neuron (input of down_proj) or head (before o_proj) of a layer.
struct UnitRef {
    Site site = Site::neuron;
    Index layer = 0;
    Index unit = 0;

    /// As parse_unit_ref reads it.
    [[nodiscard]] std::string text() const { return (site == Site::head ? "head:" : "") + std::to_string(layer) + '/' + std::to_string(unit); }
};

/// A unit as a user writes it: "3/118" for layer 3, neuron 118, or "head:1/3" for a head, both numbers from 0. Nothing for anything else.
[[nodiscard]] inline std::optional<UnitRef> parse_unit_ref(std::string_view text) {
    UnitRef unit;
    constexpr std::string_view of_heads = "head:";
    if (text.starts_with(of_heads)) {
        unit.site = Site::head;
        text.remove_prefix(of_heads.size());
    }
    const auto number = [](std::string_view digits, Index& value) {
        const char* last = digits.data() + digits.size();
        const auto [end, code] = std::from_chars(digits.data(), last, value);
        return code == std::errc() && end == last && value >= 0;
    };
    const auto slash = text.find('/');
    if (slash == std::string_view::npos || !number(text.substr(0, slash), unit.layer) || !number(text.substr(slash + 1), unit.unit)) return std::nullopt;
    return unit;
}

/// UsageError, which begins with `who`, for a layer that a model lacks.
template <class Config>
void require_layer(const Config& config, Index layer, std::string_view who) {
    if (layer < 0 || layer >= config.layers) fail<UsageError>(who, ": expected a layer from 0 to ", config.layers - 1, ", found ", layer);
}

/// UsageError, which begins with `who`, for a unit that a model lacks; Error for what is neither a neuron nor a head.
template <class Config>
void require_unit(const Config& config, const UnitRef& unit, std::string_view who) {
    require_layer(config, unit.layer, who);
    require(unit.site == Site::neuron || unit.site == Site::head, who, ": expected a neuron or a head, found site ", site_name(unit.site));
    const Index count = unit.site == Site::neuron ? config.intermediate_size : config.attention.heads;
    if (unit.unit < 0 || unit.unit >= count)
        fail<UsageError>(who, ": expected a ", site_name(unit.site), " from 0 to ", count - 1, " in layer ", unit.layer, ", found ", unit.unit);
}

}  // namespace lrp
