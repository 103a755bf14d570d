// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <string_view>

#include <lrp/core/error.hpp>

namespace lrp {

/// What a forward pass keeps for the backward pass: everything, or each layer's input alone, from which the layer is computed again
/// (the same bits, memory of one layer); by choice, or as a budget of bytes allows.
struct Recompute {
    enum class Kind { keep, layer, automatic };
    Kind kind = Kind::automatic;
    std::uint64_t budget = std::uint64_t{4} << 30;  ///< bytes, for automatic

    [[nodiscard]] static Recompute keep() { return {Kind::keep, 0}; }
    [[nodiscard]] static Recompute layer() { return {Kind::layer, 0}; }
    [[nodiscard]] static Recompute within(std::uint64_t bytes) { return {Kind::automatic, bytes}; }

    /// Whether to recompute, given the bytes either way needs. Error if neither fits the budget.
    [[nodiscard]] bool decide(std::uint64_t keep_bytes, std::uint64_t layer_bytes) const {
        if (kind != Kind::automatic) return kind == Kind::layer;
        if (keep_bytes <= budget) return false;
        require(layer_bytes <= budget, "recompute: the pass needs ", keep_bytes, " bytes keeping everything and ", layer_bytes,
                " bytes recomputing each layer; the budget is ", budget, " bytes");
        return true;
    }

    /// "never" (keep everything), "always" (recompute each layer), "auto", or a budget such as "900M" or "2G". UsageError otherwise.
    [[nodiscard]] static Recompute parse(std::string_view text) {
        if (text == "never") return keep();
        if (text == "always") return layer();
        if (text == "auto") return {};
        std::uint64_t number = 0;
        const char* last = text.data() + text.size();
        const auto [end, code] = std::from_chars(text.data(), last, number);
        const std::string_view unit(end, static_cast<std::size_t>(last - end));
        const int shift = unit.empty() ? 0 : unit == "K" ? 10 : unit == "M" ? 20 : unit == "G" ? 30 : -1;
        if (code != std::errc() || shift < 0 || number > (std::numeric_limits<std::uint64_t>::max() >> shift))
            fail<UsageError>("recompute: expected never, always, auto or a number of bytes with K, M or G, found '", text, "'");
        return within(number << shift);
    }
};

}  // namespace lrp
