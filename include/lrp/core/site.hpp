// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Sites: the named places of a decoder where activations and relevance can be read or replaced (docs/math.md, section 6).
#pragma once

#include <array>
#include <charconv>
#include <span>
#include <string>
#include <string_view>

#include <lrp/core/error.hpp>
#include <lrp/core/scalar.hpp>

namespace lrp {

/// Shapes: T tokens, d hidden size, H query heads, K key/value heads, D head size, F intermediate size, P explained positions, V vocabulary.
enum class Site {
    embedding,   ///< [T, d] rows of the embedding matrix
    resid_pre,   ///< [T, d] input of a layer
    attn_norm,   ///< [T, d] normalised input of attention
    q_pre,       ///< [T, H*D] queries before RoPE
    k_pre,       ///< [T, K*D] keys before RoPE
    q,           ///< [T, H*D] queries after RoPE
    k,           ///< [T, K*D] keys after RoPE
    v,           ///< [T, K*D] values
    scores,      ///< [H*T, T] scaled QK^T; entries above the diagonal mean nothing
    probs,       ///< [H*T, T] softmax of the scores
    head,        ///< [T, H*D] output of each head, before o_proj
    attn_out,    ///< [T, d] output of o_proj
    resid_mid,   ///< [T, d] residual stream between attention and MLP
    mlp_norm,    ///< [T, d] normalised input of the MLP
    gate,        ///< [T, F] output of gate_proj, before the activation function
    act,         ///< [T, F] act(gate)
    up,          ///< [T, F] output of up_proj
    neuron,      ///< [T, F] act(gate) * up, the input of down_proj
    mlp_out,     ///< [T, d] output of down_proj
    resid_post,  ///< [T, d] output of a layer
    final_norm,  ///< [P, d] normalised last residual stream at the explained positions
    logits,      ///< [P, V]
};

struct SiteName {
    Site site;
    std::string_view name;
    std::string_view alias;  ///< TransformerLens' name (`hook_act` is ours, in its manner; its `hook_normalized` is before the norm's weight, with the same relevance); `{}` stands for the layer
    bool per_layer;
};

inline constexpr std::array<SiteName, 22> site_names{{
    {Site::embedding, "embedding", "hook_embed", false},
    {Site::resid_pre, "resid_pre", "blocks.{}.hook_resid_pre", true},
    {Site::attn_norm, "attn_norm", "blocks.{}.ln1.hook_normalized", true},
    {Site::q_pre, "q_pre", "blocks.{}.attn.hook_q", true},
    {Site::k_pre, "k_pre", "blocks.{}.attn.hook_k", true},
    {Site::q, "q", "blocks.{}.attn.hook_rot_q", true},
    {Site::k, "k", "blocks.{}.attn.hook_rot_k", true},
    {Site::v, "v", "blocks.{}.attn.hook_v", true},
    {Site::scores, "scores", "blocks.{}.attn.hook_attn_scores", true},
    {Site::probs, "probs", "blocks.{}.attn.hook_pattern", true},
    {Site::head, "head", "blocks.{}.attn.hook_z", true},
    {Site::attn_out, "attn_out", "blocks.{}.hook_attn_out", true},
    {Site::resid_mid, "resid_mid", "blocks.{}.hook_resid_mid", true},
    {Site::mlp_norm, "mlp_norm", "blocks.{}.ln2.hook_normalized", true},
    {Site::gate, "gate", "blocks.{}.mlp.hook_pre", true},
    {Site::act, "act", "blocks.{}.mlp.hook_act", true},
    {Site::up, "up", "blocks.{}.mlp.hook_pre_linear", true},
    {Site::neuron, "neuron", "blocks.{}.mlp.hook_post", true},
    {Site::mlp_out, "mlp_out", "blocks.{}.hook_mlp_out", true},
    {Site::resid_post, "resid_post", "blocks.{}.hook_resid_post", true},
    {Site::final_norm, "final_norm", "ln_final.hook_normalized", false},
    {Site::logits, "logits", "hook_logits", false},
}};

/// Rows [first, first + count) of a tensor.
struct RowSpan {
    Index first = 0;
    Index count = 0;
    bool operator==(const RowSpan&) const = default;
};

/// Whether a site has a row for each query of attention (and all that follows in a layer), rather than for each key.
[[nodiscard]] constexpr bool on_query_side(Site site) {
    return site == Site::q_pre || site == Site::q || (site >= Site::scores && site <= Site::resid_post);
}

[[nodiscard]] constexpr std::string_view site_name(Site site) { return site_names[static_cast<std::size_t>(site)].name; }

/// A site of one layer; the layer is 0 where the site belongs to none.
struct SiteRef {
    Site site{};
    Index layer = 0;
    bool recomputed = false;  ///< true while a layer is evaluated again for its relevance: readers have seen these values before
    Index prompt = 0;         ///< at scores and probs, which each prompt of a pass has for itself: whose
    std::span<const RowSpan> rows{};  ///< the rows of the pass that the tensor holds, one run after another; empty: all (see PassOptions::rows)

    /// "embedding", "layers.3.neuron", ...
    [[nodiscard]] std::string text() const {
        const auto& entry = site_names[static_cast<std::size_t>(site)];
        return entry.per_layer ? detail::concat("layers.", layer, ".", entry.name) : std::string(entry.name);
    }
};

/// Reads "embedding", "layers.3.neuron" or TransformerLens' "blocks.3.mlp.hook_post". UsageError for anything else.
[[nodiscard]] inline SiteRef parse_site(std::string_view text) {
    const auto layer_between = [&](std::string_view head, std::string_view tail) -> Index {
        if (text.size() <= head.size() + tail.size() || !text.starts_with(head) || !text.ends_with(tail)) return -1;
        const std::string_view digits = text.substr(head.size(), text.size() - head.size() - tail.size());
        Index layer = -1;
        const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), layer);
        return code == std::errc() && end == digits.data() + digits.size() ? layer : -1;
    };
    for (const auto& entry : site_names) {
        if (!entry.per_layer) {
            if (text == entry.name || text == entry.alias) return {entry.site, 0, false};
            continue;
        }
        const Index own = layer_between("layers.", detail::concat(".", entry.name));
        const Index theirs = layer_between("blocks.", entry.alias.substr(entry.alias.find("{}") + 2));
        if (own >= 0) return {entry.site, own, false};
        if (theirs >= 0) return {entry.site, theirs, false};
    }
    fail<UsageError>("site: expected a name such as 'embedding', 'layers.3.neuron' or 'blocks.3.mlp.hook_post', found '", text, "'");
}

}  // namespace lrp
