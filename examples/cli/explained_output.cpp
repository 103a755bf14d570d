// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "explained_output.hpp"

#include <lrp/view/label.hpp>

namespace lrp::cli {

std::string token_name(const Tokenizer* tokenizer, std::int32_t id) {
    const bool known = tokenizer != nullptr && id >= 0 && static_cast<std::size_t>(id) < tokenizer->vocab_size();
    return known ? tokenizer->token_text(id) : std::to_string(id);
}

nlohmann::json explained_json(const Explained& explained, const Tokenizer* tokenizer) {
    nlohmann::json list = nlohmann::json::array();
    const auto units = [](const std::vector<UnitRelevance>& ranked) {
        nlohmann::json out = nlohmann::json::array();
        for (const UnitRelevance& unit : ranked)
            out.push_back({{"layer", unit.layer}, {"index", unit.unit}, {"position", unit.token}, {"activation", unit.activation}, {"relevance", unit.relevance}, {"share", unit.share}});
        return out;
    };
    for (const ExplainedToken& token : explained.tokens) {
        list.push_back({{"id", token.id}, {"token", token_name(tokenizer, token.id)}, {"logit", token.logit}, {"probability", token.probability},
                        {"target", token.trace.target}, {"target_token", token_name(tokenizer, token.trace.target)}, {"explained", token.trace.explained},
                        {"relevance", token.trace.embedding}});
        if (!token.neurons.empty()) list.back()["neurons"] = units(token.neurons);
        if (!token.heads.empty()) list.back()["heads"] = units(token.heads);
    }
    return list;
}

nlohmann::json token_names(const std::vector<std::int32_t>& prompt, const Explained& explained, const Tokenizer* tokenizer) {
    nlohmann::json names = nlohmann::json::array();
    for (const std::int32_t id : prompt) names.push_back(token_name(tokenizer, id));
    for (const ExplainedToken& token : explained.tokens) names.push_back(token_name(tokenizer, token.id));
    return names;
}

std::string ranked_units(const std::vector<UnitRelevance>& units) {
    std::string text;
    for (std::size_t i = 0; i < std::min<std::size_t>(5, units.size()); ++i)
        text += "  " + std::to_string(units[i].layer) + "/" + std::to_string(units[i].unit) + " " + (units[i].relevance < 0 ? "" : "+") + number_text(units[i].relevance, 3);
    return text;
}

std::string explained_line(const ExplainedToken& token, const Tokenizer* tokenizer) {
    const Trace& trace = token.trace;
    std::vector<std::size_t> order(trace.ids.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const std::size_t shown = std::min<std::size_t>(5, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                      [&](std::size_t a, std::size_t b) { return std::abs(trace.embedding[a]) > std::abs(trace.embedding[b]); });
    const auto percent = number_text(100 * token.probability, 3);
    std::string line = fit_quoted(visible(token_name(tokenizer, token.id)), 16) + std::string(percent.size() < 6 ? 6 - percent.size() : 0, ' ') + percent + " %  ";
    if (trace.target != token.id) line += "for '" + visible(token_name(tokenizer, trace.target)) + "' ";
    line += "through";
    for (std::size_t i = 0; i < shown; ++i)
        line += "  '" + visible(token_name(tokenizer, trace.ids[order[i]])) + "' " + (trace.embedding[order[i]] < 0 ? "" : "+") + number_text(static_cast<double>(trace.embedding[order[i]]), 3);
    if (!token.neurons.empty()) line += "\n" + std::string(26, ' ') + "neurons" + ranked_units(token.neurons);
    return line;
}

}  // namespace lrp::cli
