// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Which neurons and heads an explained logit came through: the most relevant ones, with what they did and where.
#pragma once

#include <queue>

#include <lrp/analysis/attribute.hpp>

namespace lrp {

/// A neuron (the signed input of down_proj; its two poles, positive and negative activation, are two units) or a head (before o_proj).
struct UnitRelevance {
    Site site = Site::neuron;
    Index layer = 0;
    Index unit = 0;
    std::size_t token = 0;  ///< the position meant, or where a summed unit is most relevant
    double activation = 0;  ///< there; of a head the Euclidean norm of its output
    double relevance = 0;
    double share = 0;       ///< relevance / explained value; 0 where that is 0

    [[nodiscard]] int sign() const { return activation < 0 ? -1 : 1; }
};

/// What a unit's relevance is: summed over the positions at which it has the same sign, each position by itself, or summed with every layer getting a
/// list of its own.
enum class UnitScope { summed, token, layer };

/// Parses "summed", "token" or "layer"; UsageError otherwise.
[[nodiscard]] inline UnitScope parse_unit_scope(std::string_view name) {
    if (name == "summed") return UnitScope::summed;
    if (name == "token") return UnitScope::token;
    if (name == "layer") return UnitScope::layer;
    fail<UsageError>("per: expected summed, token or layer, found '", name, "'");
}

/// An explained logit, unit by unit: all values, and the most relevant units by magnitude of relevance (in scope `layer`, layer by layer).
struct UnitReport {
    Trace trace;                           ///< with neuron [L, T, F] and head [L, T, H]
    std::vector<float> neuron_activation;  ///< [L, T, F]; 0 behind the explained position
    std::vector<float> head_activation;    ///< [L, T, H] norms
    std::vector<UnitRelevance> neurons, heads;
};

/// Keeps the activations of neurons and the norms of heads of one prompt, as they are in the backward pass.
template <Backend B>
class UnitActivations {
  public:
    using C = typename B::context;
    using T = typename B::scalar;
    static constexpr bool takes_rows = true;

    template <class Config>
    UnitActivations(const Config& config, std::size_t tokens)
        : tokens_(tokens), neurons_(static_cast<std::size_t>(config.intermediate_size)), heads_(static_cast<std::size_t>(config.attention.heads)) {
        const auto layers = static_cast<std::size_t>(config.layers);
        neuron.resize(layers * tokens * neurons_);
        head.resize(layers * tokens * heads_);
    }
    std::vector<float> neuron, head;  ///< [L, T, F], [L, T, H]

    [[nodiscard]] bool reads(Site site) const { return site == Site::neuron || site == Site::head; }
    void relevance(C& ctx, SiteRef site, Activation<const T> x, Coefficient<T>) {
        if (!reads(site.site)) return;
        const auto values = download(ctx, View<const T>(x));
        const auto width = static_cast<std::size_t>(x.cols);
        const std::array all{RowSpan{0, x.rows}};
        std::size_t at = 0;
        for (const RowSpan& run : site.rows.empty() ? std::span<const RowSpan>(all) : site.rows)
            for (Index row = run.first; row < run.first + run.count; ++row, ++at)
                put(site, static_cast<std::size_t>(row), std::span(values).subspan(at * width, width));
    }

  private:
    void put(const SiteRef& site, std::size_t row, std::span<const T> values) {
        const std::size_t place = static_cast<std::size_t>(site.layer) * tokens_ + row;
        if (site.site == Site::neuron) {
            for (std::size_t i = 0; i < neurons_; ++i) neuron[place * neurons_ + i] = static_cast<float>(values[i]);
            return;
        }
        const std::size_t size = values.size() / heads_;
        for (std::size_t h = 0; h < heads_; ++h) {
            double sum = 0;
            for (const T value : values.subspan(h * size, size)) sum += static_cast<double>(value) * static_cast<double>(value);
            head[place * heads_ + h] = static_cast<float>(std::sqrt(sum));
        }
    }

    std::size_t tokens_, neurons_, heads_;
};

namespace detail {

/// The `count` most relevant of what is offered, in any order; best first in the end, earlier layers, units and positions first among equals.
class BestUnits {
  public:
    explicit BestUnits(std::size_t count) : count_(count) {}
    void offer(const UnitRelevance& unit) {
        if (unit.relevance == 0 || count_ == 0) return;
        if (heap_.size() == count_) {
            if (!Better{}(unit, heap_.top())) return;
            heap_.pop();
        }
        heap_.push(unit);
    }
    void append_to(std::vector<UnitRelevance>& list) {
        const auto first = list.size();
        for (; !heap_.empty(); heap_.pop()) list.push_back(heap_.top());
        std::reverse(list.begin() + static_cast<std::ptrdiff_t>(first), list.end());
    }

  private:
    struct Better {
        bool operator()(const UnitRelevance& a, const UnitRelevance& b) const {
            const double x = std::abs(a.relevance), y = std::abs(b.relevance);
            return x != y ? x > y : std::tuple(a.layer, a.unit, a.token) < std::tuple(b.layer, b.unit, b.token);
        }
    };
    std::size_t count_;
    std::priority_queue<UnitRelevance, std::vector<UnitRelevance>, Better> heap_;
};

/// The best of the units [L, T, width] of one site.
inline std::vector<UnitRelevance> rank_units(const Trace& trace, Site site, const std::vector<float>& relevance, const std::vector<float>& activation, std::size_t width,
                                             std::size_t top, UnitScope scope) {
    std::vector<UnitRelevance> list;
    BestUnits best(top);
    const auto offer = [&](UnitRelevance unit) {
        unit.share = trace.explained != 0 ? unit.relevance / trace.explained : 0;
        best.offer(unit);
    };
    for (std::size_t layer = 0; layer < trace.layers; ++layer) {
        for (std::size_t index = 0; index < width; ++index) {
            std::array<UnitRelevance, 2> poles;
            std::array<double, 2> peaks{};
            for (std::size_t token = 0; token < trace.tokens_count; ++token) {
                const std::size_t at = (layer * trace.tokens_count + token) * width + index;
                const UnitRelevance here{site, static_cast<Index>(layer), static_cast<Index>(index), token, static_cast<double>(activation[at]), static_cast<double>(relevance[at]), 0};
                if (scope == UnitScope::token) {
                    offer(here);
                    continue;
                }
                const std::size_t pole = here.activation < 0 ? 1 : 0;
                const double sum = poles[pole].relevance + here.relevance, peak = std::abs(here.relevance);
                if (peak > peaks[pole]) {
                    poles[pole] = here;
                    peaks[pole] = peak;
                }
                poles[pole].relevance = sum;
            }
            if (scope != UnitScope::token)
                for (const UnitRelevance& pole : poles) offer(pole);
        }
        if (scope == UnitScope::layer) best.append_to(list);
    }
    if (scope != UnitScope::layer) best.append_to(list);
    return list;
}

}  // namespace detail

/// Explains one logit as `attribute` does and ranks the neurons and heads it came through. `more` is a further observer of both passes.
template <class Model, class O = NullObserver>
[[nodiscard]] UnitReport relevant_units(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids, AttributeOptions options = {}, std::size_t top = 20,
                                        UnitScope scope = UnitScope::summed, O&& more = {}) {
    options.sites.head = options.sites.neuron = true;
    UnitActivations<typename Model::backend> reader(model.config(), ids.size());
    ObserverChain observers(reader, more);
    UnitReport report;
    report.trace = attribute(ctx, model, ids, options, observers);
    report.neuron_activation = std::move(reader.neuron);
    report.head_activation = std::move(reader.head);
    const Trace& trace = report.trace;
    report.neurons = detail::rank_units(trace, Site::neuron, trace.neuron, report.neuron_activation, trace.neurons, top, scope);
    report.heads = detail::rank_units(trace, Site::head, trace.head, report.head_activation, trace.heads, top, scope);
    return report;
}

}  // namespace lrp
