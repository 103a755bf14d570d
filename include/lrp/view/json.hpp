// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <nlohmann/json.hpp>

#include <lrp/analysis/trace.hpp>
#include <lrp/view/label.hpp>

namespace lrp {

namespace detail {

/// Writes a JSON object by hand where it holds numbers (shortest form that reads back the same), by the library where it holds text.
class JsonWriter {
  public:
    /// `between` members stands this behind the comma.
    explicit JsonWriter(std::string between = "\n ") : between_("," + std::move(between)) {}
    void text(const std::string& key, const std::string& value) { raw(key, quoted(value)); }
    void raw(const std::string& key, const std::string& value) { out_ += (out_.empty() ? "{" : between_) + quoted(key) + ": " + value; }
    [[nodiscard]] std::string finish() const { return out_ + "}\n"; }

    static std::string quoted(const std::string& value) { return nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }

    /// A list, or nested lists for more extents; `name` is for the error about a value that is not finite.
    template <class T>
    static std::string array(const std::vector<T>& values, const std::vector<std::size_t>& shape, const std::string& name) {
        std::size_t at = 0;
        std::string out;
        nest(values, shape, 0, at, out, name);
        return out;
    }

  private:
    template <class T>
    static void nest(const std::vector<T>& values, const std::vector<std::size_t>& shape, std::size_t depth, std::size_t& at, std::string& out, const std::string& name) {
        out += '[';
        for (std::size_t i = 0; i < shape[depth]; ++i) {
            if (i > 0) out += ',';
            if (depth + 1 < shape.size()) {
                nest(values, shape, depth + 1, at, out, name);
                continue;
            }
            if constexpr (std::is_floating_point_v<T>) require(std::isfinite(values[at]), "json: a value of '", name, "' is not finite");
            out += number_text(values[at++]);
        }
        out += ']';
    }
    std::string between_, out_;
};

}  // namespace detail

/// A trace as one JSON object, format "lrpxx-trace" version 1 (docs/formats.md): the names of the data files, with tokens as text, byte
/// offsets into the prompt and predictions. `sites` names which of embedding, residual, head and neuron are written. On one line where
/// `one_line`, as in a file of many. Error if a value is not finite.
[[nodiscard]] inline std::string trace_json(const Trace& trace, const std::vector<std::string>& sites, bool one_line = false) {
    detail::JsonWriter json(one_line ? " " : "\n ");
    const auto has = [&](const char* site) { return std::find(sites.begin(), sites.end(), site) != sites.end(); };
    const std::size_t tokens = trace.tokens_count;
    const auto list = [](const auto& items, const auto& write) {
        std::string out = "[";
        for (const auto& item : items) out += (out.size() > 1 ? ", " : "") + write(item);
        return out + "]";
    };
    json.text("format", "lrpxx-trace");
    json.raw("format_version", "1");
    json.text("prompt", trace.prompt);
    json.raw("ids", json.array(trace.ids, {tokens}, "ids"));
    json.raw("tokens", list(trace.tokens, [](const std::string& token) { return detail::JsonWriter::quoted(token); }));
    json.raw("offsets", list(trace.offsets, [](const auto& span) { return "[" + std::to_string(span.first) + "," + std::to_string(span.second) + "]"; }));
    json.raw("position", std::to_string(trace.position));
    json.raw("target", "[" + std::to_string(trace.target) + "]");
    json.text("target_token", trace.target_token);
    if (trace.contrast) {
        json.raw("contrast", "[" + std::to_string(*trace.contrast) + "]");
        json.text("contrast_token", trace.contrast_token);
    }
    if (!trace.unit.empty()) json.text("unit", trace.unit);
    json.raw("explained", number_text(trace.explained));
    json.raw("predictions", list(trace.predictions, [](const Prediction& p) {
                 return "{\"token\": " + detail::JsonWriter::quoted(p.token) + ", \"id\": " + std::to_string(p.id) + ", \"logit\": " + number_text(p.logit) +
                        ", \"probability\": " + number_text(p.probability) + "}";
             }));
    json.raw("logits", json.array(trace.logits, {trace.logits.size()}, "logits"));
    if (has("embedding")) json.raw("embedding", json.array(trace.embedding, {tokens}, "embedding"));
    if (has("residual")) json.raw("residual", json.array(trace.residual, {trace.layers, tokens}, "residual"));
    if (has("head")) json.raw("head", json.array(trace.head, {trace.layers, tokens, trace.heads}, "head"));
    if (has("neuron")) json.raw("neuron", json.array(trace.neuron, {trace.layers, tokens, trace.neurons}, "neuron"));
    json.raw("metadata", nlohmann::json(trace_metadata(trace)).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
    return json.finish();
}

}  // namespace lrp
