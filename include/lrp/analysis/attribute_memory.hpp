// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What an explanation takes in memory, said beforehand.
#pragma once

#include <algorithm>
#include <cstdint>

#include <lrp/analysis/attribute.hpp>
#include <lrp/model/llama/model.hpp>

namespace lrp {

/// Several prompts in a pass, or one.
struct PassShape {
    Index tokens = 0;   ///< of all prompts
    Index prompts = 1;
    Index longest = 0;  ///< tokens of the longest prompt; 0: all of `tokens`
};

namespace detail {

/// A backend that says how much its products and its attention pack into: widest row of a product, width of keys, and of a head.
template <class B>
concept TellsScratch = requires(const typename B::context& ctx) {
    { B::scratch_bytes(ctx, Index{}, Index{}, Index{}, Index{}, Index{}) } -> std::same_as<std::uint64_t>;
};

}  // namespace detail

/// Bytes of a trace's arrays.
[[nodiscard]] inline std::uint64_t trace_bytes(const LlamaConfig& config, const PassShape& shape, const TraceSites& sites) {
    const Index each = (sites.embedding ? 1 : 0) + config.layers * ((sites.residual ? 1 : 0) + (sites.head ? config.attention.heads : 0) + (sites.neuron ? config.intermediate_size : 0));
    return static_cast<std::uint64_t>(shape.tokens * each + shape.prompts * config.vocab_size) * sizeof(float);
}

/// Bytes that `attribute` or `attribute_together` take at most at a time, weights apart: what the pass keeps and works in, what products pack into, and
/// the trace's arrays where the backend computes, on their way and on the host.
template <class Model>
[[nodiscard]] std::uint64_t attribute_bytes(const typename Model::C& ctx, const Model& model, const PassShape& shape, const TraceSites& sites, Index recomputed) {
    using B = typename Model::backend;
    const LlamaConfig& config = model.config();
    std::uint64_t bytes = model.bytes_of_pass(shape.tokens, recomputed);
    bytes += static_cast<std::uint64_t>((shape.prompts - 1) * (config.vocab_size + 4 * config.hidden_size)) * sizeof(typename B::scalar);  // one prompt's are there
    bytes += 3 * trace_bytes(config, shape, sites) + static_cast<std::uint64_t>(config.vocab_size) * 2 * sizeof(std::int32_t);            // and the order of the predictions
    if constexpr (detail::TellsScratch<B>) {
        bytes += bytes / 8;  // a block that its context lends again may be so much too large
        const Index widest = std::max({config.hidden_size, config.intermediate_size, config.attention.queries()});
        bytes += B::scratch_bytes(ctx, shape.tokens, shape.longest == 0 ? shape.tokens : shape.longest, widest, config.attention.keys(), config.attention.head_dim);
    }
    return bytes;
}

}  // namespace lrp
