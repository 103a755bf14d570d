// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <charconv>
#include <compare>
#include <string>
#include <string_view>

#include <lrp/pipeline/merge_stores.hpp>

namespace lrp {

/// A unit as a user names it.
struct UnitName {
    std::string site = "neuron";  ///< neuron or head
    std::int64_t layer = 0, unit = 0;

    [[nodiscard]] std::string text() const { return site + " " + std::to_string(layer) + "/" + std::to_string(unit); }

    /// "3/118", or "head:1/3" for a head whatever `head` says, both counted from 0. UsageError for anything else, and for what the store does not have.
    [[nodiscard]] static UnitName parse(const std::string& text, bool head, const UnitSizes& sizes) {
        constexpr std::string_view of_heads = "head:";
        const bool named = text.starts_with(of_heads);
        head = head || named;
        UnitName name;
        name.site = head ? "head" : "neuron";
        const char* last = text.data() + text.size();
        const auto [slash, first] = std::from_chars(text.data() + (named ? of_heads.size() : 0), last, name.layer);
        const bool cut = first == std::errc() && slash != last && *slash == '/';
        const auto [end, second] = cut ? std::from_chars(slash + 1, last, name.unit) : std::from_chars_result{slash, std::errc::invalid_argument};
        if (second != std::errc() || end != last) fail<UsageError>("unit: expected layer/", name.site, " such as 3/118, found '", text, "'");
        const auto layers = static_cast<std::int64_t>(sizes.layers);
        if (name.layer < 0 || name.layer >= layers) fail<UsageError>("unit '", text, "': expected a layer from 0 to ", layers - 1, ", found ", name.layer);
        const Index units = sizes.units(head);
        if (name.unit < 0 || name.unit >= units) fail<UsageError>("unit '", text, "': expected a ", name.site, " from 0 to ", units - 1, ", found ", name.unit);
        return name;
    }
    friend auto operator<=>(const UnitName&, const UnitName&) = default;
};

}  // namespace lrp
