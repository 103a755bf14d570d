// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What one explanation yields, on the host and free of any backend: the value that pictures and data files are made from.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <lrp/core/error.hpp>

namespace lrp {

/// One candidate for the token at the explained position; probability is the softmax of the logits.
struct Prediction {
    std::int32_t id = 0;
    std::string token;  ///< as text; the id in decimal where there is no tokenizer
    double logit = 0;
    double probability = 0;
};

/// The latent relevance trace of one explained logit. Arrays are row-major, raw (not normalised) float32; T tokens, L layers.
/// `residual[l * T + t]` is the relevance of layer l's output at token t, summed over the hidden dimension; `head` is read before
/// o_proj and summed within the head; `neuron` is read at the input of down_proj. Arrays that were not asked for are empty.
struct Trace {
    std::size_t tokens_count = 0;  ///< T
    std::size_t layers = 0;        ///< L
    std::size_t heads = 0;         ///< H
    std::size_t neurons = 0;       ///< F, the intermediate size

    std::string prompt;                                        ///< empty where ids were given
    std::vector<std::int32_t> ids;                             ///< [T]
    std::vector<std::string> tokens;                           ///< [T] each token as text, for people
    std::vector<std::pair<std::size_t, std::size_t>> offsets;  ///< [T] bytes [begin, end) of the prompt; (0, 0) for added tokens

    std::size_t position = 0;              ///< the explained position
    std::int32_t target = 0;               ///< the explained token id
    std::string target_token;              ///< as text
    std::optional<std::int32_t> contrast;  ///< explained is logit(target) - logit(contrast) if set
    std::string contrast_token;
    std::string unit;                      ///< such as "neuron 3/118" (layer/unit) where its activation is explained and no logit
    double explained = 0;                  ///< the explained value: the logit, the difference of two, or the unit's activation

    std::vector<float> logits;            ///< [vocabulary] at the explained position
    std::vector<Prediction> predictions;  ///< best first

    std::vector<float> embedding;  ///< [T]
    std::vector<float> residual;   ///< [L, T]
    std::vector<float> head;       ///< [L, T, H]
    std::vector<float> neuron;     ///< [L, T, F]

    std::map<std::string, std::string> provenance;  ///< what is written beside the arrays: `through` by attribute_through; model_hash, version, rules, backend, ... by programs

    /// The units that relevance had to come through, as they were asked for; empty if it came as it liked.
    [[nodiscard]] std::string through() const {
        const auto found = provenance.find("through");
        return found == provenance.end() ? "" : found->second;
    }
};

/// What a data file says of a trace besides its arrays, as strings: format and version, prompt, position, target, explained value, and
/// the trace's provenance.
[[nodiscard]] inline std::map<std::string, std::string> trace_metadata(const Trace& trace, const std::string& format = "lrpxx-trace") {
    std::map<std::string, std::string> metadata = trace.provenance;
    metadata["format"] = format;
    metadata["format_version"] = "1";
    metadata["prompt"] = trace.prompt;
    metadata["position"] = std::to_string(trace.position);
    metadata["target"] = std::to_string(trace.target);
    metadata["target_token"] = trace.target_token;
    if (trace.contrast) metadata["contrast"] = std::to_string(*trace.contrast);
    if (!trace.unit.empty()) metadata["unit"] = trace.unit;
    metadata["explained"] = detail::concat(trace.explained);
    return metadata;
}

/// How a layers x tokens map is scaled for the eye: by each layer's largest magnitude, by the largest of all, or not at all.
enum class Normalize { layer, global, none };

/// Parses "layer", "global" or "none"; UsageError otherwise.
[[nodiscard]] inline Normalize parse_normalize(std::string_view name) {
    if (name == "layer") return Normalize::layer;
    if (name == "global") return Normalize::global;
    if (name == "none") return Normalize::none;
    fail<UsageError>("normalize: expected layer, global or none, found '", name, "'");
}

/// The map of a trace as rows of the picture, top first: each layer's output, the last layer's above all, and the embedding below if asked for. [rows, T]
[[nodiscard]] inline std::vector<std::vector<float>> heat_rows(const Trace& trace, bool include_embedding) {
    std::vector<std::vector<float>> rows;
    const std::size_t count = trace.tokens_count;
    for (std::size_t layer = trace.layers; layer-- > 0;) {
        const auto begin = trace.residual.begin() + static_cast<std::ptrdiff_t>(layer * count);
        rows.emplace_back(begin, begin + static_cast<std::ptrdiff_t>(count));
    }
    if (include_embedding) rows.push_back(trace.embedding);
    return rows;
}

/// What heat_rows' rows are called.
[[nodiscard]] inline std::vector<std::string> heat_names(const Trace& trace, bool include_embedding) {
    std::vector<std::string> names;
    for (std::size_t layer = trace.layers; layer-- > 0;) names.push_back("layer " + std::to_string(layer));
    if (include_embedding) names.emplace_back("embedding");
    return names;
}

/// How a picture scales its rows: numbers stay raw in files, but colours need a scale.
[[nodiscard]] constexpr Normalize picture_scale(Normalize how) { return how == Normalize::none ? Normalize::global : how; }

/// Scales rows in place as `how` says; a row (or map) of zeros stays as it is.
inline void normalize_rows(std::vector<std::vector<float>>& rows, Normalize how) {
    const auto largest = [](const std::vector<float>& row) {
        float peak = 0;
        for (const float value : row) peak = std::max(peak, std::abs(value));
        return peak;
    };
    float overall = 0;
    for (const auto& row : rows) overall = std::max(overall, largest(row));
    for (auto& row : rows) {
        const float scale = how == Normalize::layer ? largest(row) : how == Normalize::global ? overall : 1.0f;
        if (scale > 0) {
            for (float& value : row) value /= scale;
        }
    }
}

}  // namespace lrp
