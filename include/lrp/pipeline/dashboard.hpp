// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A neuron store as one page to look through: units by layer or by label, snippets, histograms, labels, neighbours.
#pragma once

#include <zlib.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lrp/pipeline/merge_stores.hpp>
#include <lrp/view/dashboard_assets.hpp>
#include <lrp/view/html_frame.hpp>
#include <lrp/view/label.hpp>

namespace lrp {

struct DashboardOptions {
    std::size_t top = 0;  ///< entries of each list; 0: as many as `budget` holds
    std::uint64_t budget = std::uint64_t{48} << 20;  ///< bytes of lists before packing
};

namespace detail {

[[nodiscard]] inline std::string base64(std::string_view bytes) {
    constexpr const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    out.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto byte = [&](std::size_t k) { return i + k < bytes.size() ? static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[i + k])) : 0u; };
        const std::uint32_t group = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (std::size_t k = 0; k < 4; ++k) out += i + k > bytes.size() ? '=' : digits[(group >> (18 - 6 * k)) & 63];
    }
    return out;
}

/// A script element that holds bytes, packed by zlib.
[[nodiscard]] inline std::string packed_element(const std::string& id, const std::string& bytes) {
    uLongf size = ::compressBound(bytes.size());
    std::string packed(size, '\0');
    const int code = ::compress2(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), 6);
    require(code == Z_OK, "page: packing ", bytes.size(), " bytes failed (zlib ", code, ")");
    packed.resize(size);
    return "<script type=\"text/plain\" id=\"" + id + "\">" + base64(packed) + "</script>\n";
}

/// Counts of a sketch by octave: 32 a side, tiny values, zero.
struct OctaveHistogram {
    static constexpr Index side = QuantileSketch::octaves + 1, zero = side, bins = 2 * side + 1;

    static std::vector<std::uint32_t> of(std::span<const std::uint32_t> sketch) {
        std::vector<std::uint32_t> out(static_cast<std::size_t>(bins));
        for (Index i = 0; i < QuantileSketch::bins; ++i) {
            const Index away = std::abs(i - QuantileSketch::zero);
            const Index octave = away <= 1 ? away : 2 + (away - 2) / QuantileSketch::per_octave;
            out[static_cast<std::size_t>(i < QuantileSketch::zero ? zero - octave : zero + octave)] += sketch[static_cast<std::size_t>(i)];
        }
        return out;
    }
};

class DashboardPacker {
  public:
    DashboardPacker(NeuronStore& store, const DashboardOptions& options) : store_(store), sizes_(unit_sizes(store)) {
        const std::uint64_t units = sizes_.layers * static_cast<std::uint64_t>(sizes_.neurons + sizes_.heads);
        const std::uint64_t one = 4 * (20 + 2 * static_cast<std::uint64_t>(sizes_.shape.width()));
        top_ = std::min<std::uint64_t>(options.top > 0 ? options.top : std::max<std::uint64_t>(1, options.budget / (units * one)), static_cast<std::uint64_t>(sizes_.shape.k));
    }

    std::string page() {
        find_neighbours();
        gather_unit_tokens();
        std::string elements;
        for (const std::string& file : sizes_.files()) {
            const bool head = UnitSizes::is_head(file);
            const std::string key = file.substr(7, file.size() - 11);  // "neuron.3"
            const UnitSummary summary = read_layer(store_, sizes_, file);
            elements += packed_element("n." + key, numbers(summary)) + packed_element("j." + key, facts(summary, head, std::stoul(key.substr(key.find('.') + 1))));
        }
        nlohmann::json tokens = nlohmann::json::array();
        for (const std::string& token : store_.tokens()) tokens.push_back(shown(token));
        elements += packed_element("tokens", dump(tokens)) + packed_element("labels", labels()) + packed_element("documents", documents());
        return frame(elements);
    }

  private:
    using Key = std::array<std::int64_t, 3>;  // site (0 neuron, 1 head), layer, unit

    static std::string dump(const nlohmann::json& json) { return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace); }
    /// Line ends and tabs stay in running text; other hidden characters are spelled out.
    static std::string shown(const std::string& token) {
        std::string out;
        for (const auto& c : characters(token)) out += c.code == '\n' || c.code == '\t' ? std::string(c.bytes) : visible(c.bytes);
        return out;
    }
    template <class T>
    static void put(std::string& out, T value) {
        out.append(reinterpret_cast<const char*>(&value), sizeof(T));
    }

    /// Units that share the most of their most active places. Places that very many units have in common tell nothing.
    void find_neighbours() {
        constexpr std::size_t crowd = 48;
        std::map<Place, std::vector<Key>> who;
        for (const std::string& file : sizes_.files()) {
            const UnitSummary summary = read_layer(store_, sizes_, file);
            const std::int64_t site = UnitSizes::is_head(file) ? 1 : 0, layer = std::stoll(file.substr(file.find('.') + 1));
            for (Index unit = 0; unit < summary.units(); ++unit)
                for (const TopEntry& entry : summary.list(0).entries(unit)) {
                    auto& list = who[entry.place];
                    if (list.size() <= crowd) list.push_back({site, layer, unit});
                }
        }
        std::map<Key, std::map<Key, int>> shared;
        for (const auto& [place, units] : who) {
            if (units.size() > crowd) continue;
            for (const Key& a : units)
                for (const Key& b : units)
                    if (a != b) ++shared[a][b];
        }
        for (const auto& [unit, others] : shared) {
            std::vector<std::pair<int, Key>> order;
            for (const auto& [other, count] : others)
                if (count >= 3) order.emplace_back(-count, other);
            std::sort(order.begin(), order.end());
            if (order.size() > 6) order.resize(6);
            for (const auto& [count, other] : order) neighbours_[unit].push_back({other[0], other[1], other[2], -count});
        }
    }
    void gather_unit_tokens() {
        store_.for_each_unit_token([&](const StoredUnitToken& t) {
            auto& list = tokens_[{t.site == "head" ? 1 : 0, t.layer, t.unit}][t.kind + "_" + t.pole];
            list.push_back({t.token, std::round(1e4 * t.score) / 1e4});
        });
    }

    std::string numbers(const UnitSummary& summary) {
        std::string out;
        const auto width = static_cast<std::size_t>(summary.shape().width());
        for (Index unit = 0; unit < summary.units(); ++unit) {
            for (std::size_t q = 0; q < 2; ++q)
                for (const std::uint32_t count : OctaveHistogram::of(summary.statistics(q).sketch_of(unit))) put(out, count);
            for (std::size_t which = 0; which < 4; ++which) {
                const auto entries = summary.list(which).entries(unit);
                for (std::size_t i = 0; i < top_; ++i) {
                    if (i >= entries.size()) {
                        put(out, std::int32_t{-1});
                        out.append(16 + 2 * width, '\0');
                        continue;
                    }
                    const TopEntry& entry = entries[i];
                    documents_.insert(entry.place.document);
                    put(out, entry.place.document);
                    put(out, entry.place.position);
                    put(out, entry.value);
                    const auto window = summary.list(which).window(unit, entry);
                    std::array<float, 2> scales{};
                    for (std::size_t j = 0; j < 2 * width; ++j) scales[j / width] = std::max(scales[j / width], std::abs(static_cast<float>(window[j])));
                    for (const float scale : scales) put(out, scale);
                    for (std::size_t j = 0; j < 2 * width; ++j)
                        put(out, static_cast<std::int8_t>(scales[j / width] > 0 ? std::lround(127 * static_cast<float>(window[j]) / scales[j / width]) : 0));
                }
            }
        }
        return out;
    }

    std::string facts(const UnitSummary& summary, bool head, std::size_t layer) {
        nlohmann::json out = nlohmann::json::array();
        for (Index unit = 0; unit < summary.units(); ++unit) {
            nlohmann::json one = nlohmann::json::object();
            const Key key{head ? 1 : 0, static_cast<std::int64_t>(layer), unit};
            if (const auto at = neighbours_.find(key); at != neighbours_.end()) one["n"] = at->second;
            if (const auto at = tokens_.find(key); at != tokens_.end()) one["t"] = at->second;
            std::string text;
            for (std::size_t q = 0; q < 2; ++q) {
                const auto& s = summary.statistics(q);
                const auto sketch = s.sketch_of(unit);
                const std::uint64_t count = QuantileSketch::total(sketch);
                if (count == 0) continue;
                const auto u = static_cast<std::size_t>(unit);
                text += (text.empty() ? "" : "; ") + std::string(quantity_names[q]) + " mean " + number_text(s.sum[u].value() / static_cast<double>(count), 4) +
                        ", standard deviation " + number_text(std::sqrt(s.squares[u].variance(s.sum[u], count)), 4) + ", positive " +
                        number_text(100 * static_cast<double>(QuantileSketch::positive(sketch)) / static_cast<double>(count), 3) + " %";
            }
            one["s"] = text;
            out.push_back(std::move(one));
        }
        return dump(out);
    }

    std::string labels() {
        nlohmann::json out = nlohmann::json::array();
        for (const StoredLabel& l : store_.labels()) {
            const auto number = [](double value) { return std::isnan(value) ? nlohmann::json(nullptr) : nlohmann::json(value); };
            out.push_back({l.site == "head" ? 1 : 0, l.layer, l.unit, l.pole, visible(l.source), visible(l.label), number(l.score), number(l.null_mean)});
        }
        return dump(out);
    }
    std::string documents() {
        std::string out;
        for (const std::int32_t number : documents_) {
            const StoredDocument document = store_.document(number);
            put(out, number);
            put(out, static_cast<std::int32_t>(document.ids.size()));
            for (const std::int32_t id : document.ids) put(out, id);
        }
        return out;
    }

    std::string frame(const std::string& elements) {
        const nlohmann::json meta = {{"layers", sizes_.layers}, {"units", {sizes_.neurons, sizes_.heads}}, {"top", top_}, {"before", sizes_.shape.before},
                                     {"after", sizes_.shape.after}, {"bins", OctaveHistogram::bins}, {"zero", OctaveHistogram::zero}};
        const std::string title = "Neurons and heads of " + markup(visible(store_.fact("model")));
        return html_head(title, dashboard_style) + "<header><h1>" + title +
               "</h1>\n<input type=\"search\" id=\"search\" placeholder=\"search labels\">\n"
               "<label>Colour <select id=\"colour\"><option value=\"-1\">each list by its own</option><option value=\"0\">activation</option><option value=\"1\">relevance</option></select></label>\n"
               "<details><summary>Provenance</summary><table class=\"list\">" +
               html_rows(store_.provenance()) + "</table></details></header>\n<aside><div class=\"controls\"><select id=\"site\"><option value=\"0\">neurons</option><option value=\"1\">heads</option></select>\n"
               "<select id=\"layer\"></select></div><div id=\"count\"></div><div id=\"units\"></div></aside>\n<main id=\"main\"></main>\n"
               "<script type=\"application/json\" id=\"meta\">" + meta.dump() + "</script>\n" + elements + html_end("", {dashboard_script});
    }

    NeuronStore& store_;
    UnitSizes sizes_;
    std::size_t top_ = 0;
    std::set<std::int32_t> documents_;
    std::map<Key, std::vector<std::array<std::int64_t, 4>>> neighbours_;
    std::map<Key, std::map<std::string, std::vector<std::pair<std::int64_t, double>>>> tokens_;
};

}  // namespace detail

/// The store as one self-contained page: no network, opens from file://. Layers are unpacked when they are looked at, so that 50,000 units and
/// more stay usable; every text is escaped.
[[nodiscard]] inline std::string dashboard_page(NeuronStore& store, const DashboardOptions& options = {}) { return detail::DashboardPacker(store, options).page(); }

}  // namespace lrp
