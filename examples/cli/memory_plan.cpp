// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "memory_plan.hpp"

#include <lrp/core/human.hpp>
#include <lrp/core/memory_room.hpp>

#include "engine.hpp"

namespace lrp::cli {

void require_memory(std::uint64_t bytes, const std::string& what, const std::string& hint) {
    const MemoryRoom room = memory_room();
    require(bytes <= room.bytes, "not enough memory: ", what, " may need ", human_bytes(bytes), ", and ", room.limit, " leaves ", human_bytes(room.bytes), hint);
}

std::uint64_t plan_memory(const Engine& engine, const PassShape& shape, const std::string& recompute, AttributeOptions& options, std::uint64_t files, std::uint64_t beside) {
    const auto bytes = [&](Index recomputed) { return engine.pass_bytes(shape, options.sites, recomputed); };
    const std::uint64_t keep = bytes(0), least = bytes(Recompute::all);
    options.recompute = Recompute::parse(recompute);
    if (options.recompute.by != Recompute::By::layers && keep > 0) {
        const bool by_room = options.recompute.by == Recompute::By::room;
        const std::uint64_t budget = by_room ? std::min(Recompute::default_room, memory_room().bytes) : options.recompute.budget;
        const Index layers = engine.layers(), count = Recompute::fewest_within(layers, budget, bytes);
        // A budget that is too small is for the pass to refuse.
        if (by_room || count < layers) options.recompute = Recompute::layers(count);
    }
    const bool decided = options.recompute.by == Recompute::By::layers, again = !decided || options.recompute.first > 0;
    const std::uint64_t pass = std::max(decided ? bytes(options.recompute.first) : least, beside);
    require_memory(pass, detail::concat("a pass over ", counted(static_cast<std::uint64_t>(shape.tokens), "token")), again ? "" : detail::concat("; with --recompute always it would be ", human_bytes(std::max(least, beside))));
    const MemoryUse use = memory_use();
    return use.own + std::max(use.mapped, files) + pass;
}

std::string peak_text(std::uint64_t peak, std::uint64_t files) { return human_bytes(peak) + " (" + human_bytes(files) + " of mapped files)"; }

std::size_t tokens_of_a_pass(const Engine& engine, const TraceSites& sites) {
    const std::uint64_t budget = std::min(Recompute::default_room, memory_room().bytes / 2);
    std::size_t tokens = 2048;  // more gain nothing
    // Prompts of a few tokens each: their logits count as well.
    while (tokens > 1 && engine.pass_bytes({static_cast<Index>(tokens), static_cast<Index>(tokens + 7) / 8, 0}, sites, 0) > budget) tokens /= 2;
    return tokens;
}

}  // namespace lrp::cli
