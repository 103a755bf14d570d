// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <string_view>

#include <lrp/analysis/unit_ref.hpp>
#include <lrp/pipeline/merge_stores.hpp>

namespace lrp {

/// A unit as a user names it.
struct UnitName {
    std::string site = "neuron";  ///< neuron or head
    std::int64_t layer = 0, unit = 0;

    [[nodiscard]] std::string text() const { return site + " " + std::to_string(layer) + "/" + std::to_string(unit); }

    /// "3/118", or "head:1/3" for a head whatever `head` says, both counted from 0. UsageError for anything else, and for what the store does not have.
    [[nodiscard]] static UnitName parse(const std::string& text, bool head, const UnitSizes& sizes) {
        const std::optional<UnitRef> read = parse_unit_ref(text);
        head = head || (read && read->site == Site::head);
        UnitName name;
        name.site = head ? "head" : "neuron";
        if (!read) fail<UsageError>("unit: expected LAYER/", head ? "HEAD such as 1/3" : "NEURON such as 3/118 (or head:LAYER/HEAD)", ", found '", text, "'");
        name.layer = read->layer;
        name.unit = read->unit;
        const auto layers = static_cast<std::int64_t>(sizes.layers);
        if (name.layer >= layers) fail<UsageError>("unit '", text, "': expected a layer from 0 to ", layers - 1, ", found ", name.layer);
        const Index units = sizes.units(head);
        if (name.unit >= units) fail<UsageError>("unit '", text, "': expected a ", name.site, " from 0 to ", units - 1, ", found ", name.unit);
        return name;
    }
    friend auto operator<=>(const UnitName&, const UnitName&) = default;
};

}  // namespace lrp
