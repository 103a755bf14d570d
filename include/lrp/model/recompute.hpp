// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string_view>

#include <lrp/core/error.hpp>
#include <lrp/core/scalar.hpp>

namespace lrp {

/// What a forward pass keeps for the backward pass: everything, or of some or all layers the input alone, from which the layer is computed
/// again (the same bits, memory of one layer); by choice, or as few layers as memory allows.
struct Recompute {
    enum class By {
        room,    ///< as few as fit what the context has left (pass_room); all layers where that is not enough either
        layers,  ///< `first`
        budget,  ///< as few as fit `budget`
    };
    static constexpr Index all = std::numeric_limits<Index>::max();
    static constexpr std::uint64_t default_room = std::uint64_t{4} << 30;  ///< bytes, of contexts that do not know what they have

    By by = By::room;
    Index first = 0;           ///< so many layers, from the first on, are recomputed
    std::uint64_t budget = 0;  ///< bytes

    [[nodiscard]] static Recompute keep() { return layers(0); }
    [[nodiscard]] static Recompute layer() { return layers(all); }
    [[nodiscard]] static Recompute layers(Index count) { return {By::layers, count, 0}; }
    [[nodiscard]] static Recompute within(std::uint64_t bytes) { return {By::budget, 0, bytes}; }

    /// How many of a model's layers are recomputed, given the bytes that a pass needs with each number, and room(), those that there are. Error if
    /// none fits a budget.
    template <class Bytes, class Room>
    [[nodiscard]] Index decide(Index layers, const Bytes& bytes, const Room& room) const {
        if (by == By::layers) return std::min(first, layers);
        if (by == By::room) return fewest_within(layers, room(), bytes);
        const Index fewest = fewest_within(layers, budget, bytes);
        require(bytes(fewest) <= budget, "recompute: the pass needs ", bytes(0), " bytes keeping everything and ", bytes(layers), " bytes recomputing each layer; the budget is ", budget,
                " bytes");
        return fewest;
    }

    /// The fewest layers to recompute within so many bytes; all of them where that is not enough either.
    template <class Bytes>
    [[nodiscard]] static Index fewest_within(Index layers, std::uint64_t budget, const Bytes& bytes) {
        for (Index count = 0; count < layers; ++count)
            if (count != 1 && bytes(count) <= budget) return count;  // one by itself saves nothing
        return layers;
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

/// Bytes that a pass may take where nobody says otherwise: what the context has left, if it knows (`ctx.room()`).
template <class C>
[[nodiscard]] std::uint64_t pass_room(const C& ctx) {
    if constexpr (requires { ctx.room(); }) {
        return ctx.room().value_or(Recompute::default_room);
    } else {
        return Recompute::default_room;
    }
}

}  // namespace lrp
