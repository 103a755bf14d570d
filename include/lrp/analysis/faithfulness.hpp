// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Is a ranking of units right? Zero them one after another in its order, and see how soon what they explain is gone (unit flipping; Achtibat et al.
// 2023, appendix H).
#pragma once

#include <random>

#include <lrp/analysis/neurons.hpp>

namespace lrp {

/// In which order units are zeroed. Relevance and activation of a unit are summed over positions, relevance with its sign, activation by magnitude
/// (of a head its norm). The last layer acts at the explained position alone, and its activations are those there.
enum class FlipOrder { most_relevant, least_relevant, most_active, random };

[[nodiscard]] constexpr const char* flip_order_name(FlipOrder order) {
    switch (order) {
        case FlipOrder::most_relevant: return "most relevant first";
        case FlipOrder::least_relevant: return "least relevant first";
        case FlipOrder::most_active: return "most active first";
        case FlipOrder::random: return "random";
    }
    return "";
}

/// What falls: the probability of the explained token, or its logit (toward 0, which for a logit is no natural end).
enum class FlipMeasure { probability, logit };

struct FaithfulnessOptions {
    Site site = Site::neuron;                         ///< neuron or head
    FlipMeasure measure = FlipMeasure::probability;
    std::vector<double> drops{0.5, 0.85, 0.9, 0.95};  ///< a value has dropped by d where at most 1 - d of it is left
    std::size_t random_orders = 5;
    std::uint64_t seed = 0;
    std::size_t tokens = 1024;  ///< of a pass; copies of the prompt with different units zeroed share one

    /// UsageError for a drop that is none, or a site without units.
    void validate() const {
        if (site != Site::neuron && site != Site::head) fail<UsageError>("faithfulness: expected neurons or heads, found site ", site_name(site));
        for (const double drop : drops)
            if (!(drop > 0 && drop < 1)) fail<UsageError>("faithfulness: expected a drop between 0 and 1, found ", drop);
    }
};

/// One order's way down. Counts are 0, 1, 2, ... in steps that grow by a tenth, up to all units, and those around the first place at which a drop is
/// reached, so that each number needed is exact: with one unit fewer the value had not dropped so far. Later it may rise again.
struct FlipCurve {
    FlipOrder order = FlipOrder::random;
    std::uint64_t seed = 0;                          ///< of a random order
    std::vector<std::size_t> counts;                 ///< units zeroed, ascending
    std::vector<double> logit, probability;          ///< of the explained token, after each
    std::vector<std::optional<std::size_t>> needed;  ///< units for each drop; none: not reached with all units zeroed
};

struct Faithfulness {
    std::vector<std::int32_t> ids;
    std::size_t position = 0;
    std::int32_t target = 0;
    double logit = 0, probability = 0;  ///< of the untouched model
    std::size_t units = 0;              ///< of all layers
    std::vector<double> drops;
    std::vector<FlipCurve> curves;      ///< most relevant, least relevant, most active, then the random ones
};

/// Units [layer * width + unit] in the order in which they are zeroed; among equals the earlier first (in the reverse order, the later).
[[nodiscard]] inline std::vector<std::size_t> flip_order(const UnitReport& report, Site site, FlipOrder order, std::uint64_t seed = 0) {
    const Trace& trace = report.trace;
    const bool neuron = site == Site::neuron;
    const std::size_t width = neuron ? trace.neurons : trace.heads, units = trace.layers * width;
    const std::vector<float>&relevance = neuron ? trace.neuron : trace.head, &activation = neuron ? report.neuron_activation : report.head_activation;
    std::vector<double> score(units);
    for (std::size_t i = 0; i < trace.layers * trace.tokens_count * width; ++i) {
        const std::size_t unit = i / (trace.tokens_count * width) * width + i % width;
        score[unit] += order == FlipOrder::most_active ? static_cast<double>(std::abs(activation[i])) : static_cast<double>(relevance[i]);
    }
    std::vector<std::size_t> result(units);
    std::iota(result.begin(), result.end(), std::size_t{0});
    if (order == FlipOrder::random) {
        std::mt19937_64 random(seed);
        for (std::size_t i = units; i > 1; --i) std::swap(result[i - 1], result[random() % i]);
        return result;
    }
    std::stable_sort(result.begin(), result.end(), [&](std::size_t a, std::size_t b) { return score[a] > score[b]; });
    if (order == FlipOrder::least_relevant) std::reverse(result.begin(), result.end());
    return result;
}

namespace detail {
struct ZeroBelow {
    template <class T>
    LRP_HD T operator()(T x, T rank, T count) const {
        return rank < count ? T(0) : x;
    }
};
}  // namespace detail

/// Zeroes, in the i-th of equal prompts packed into a pass, the first counts[i] units of an order, at all positions.
template <Backend B>
class Flipper {
  public:
    using C = typename B::context;
    using T = typename B::scalar;
    static constexpr bool takes_rows = true;

    /// `order` as flip_order gives it.
    template <class Config>
    Flipper(C& ctx, const Config& config, Site site, std::span<const std::size_t> order) : site_(site) {
        const Index width = site == Site::neuron ? 1 : config.attention.head_dim, units = site == Site::neuron ? config.intermediate_size : config.attention.heads;
        std::vector<T> rank(order.size() * static_cast<std::size_t>(width));
        for (std::size_t i = 0; i < order.size(); ++i) std::fill_n(rank.begin() + static_cast<std::ptrdiff_t>(order[i]) * width, width, static_cast<T>(i));
        rank_.resize(ctx, config.layers, units * width);
        rank_.upload(ctx, rank);
    }
    /// What the next pass is: copies of a prompt of so many tokens, with so many units zeroed in each.
    void next(C& ctx, Index tokens, std::span<const std::size_t> counts) {
        std::vector<T> rows;
        for (const std::size_t count : counts) rows.insert(rows.end(), static_cast<std::size_t>(tokens), static_cast<T>(count));
        counts_.resize(ctx, 1, std::ssize(rows));
        counts_.upload(ctx, rows);
    }

    [[nodiscard]] bool reads(Site site) const { return site == site_; }
    void activation(C& ctx, SiteRef site, Activation<T> x) {
        if (site.site != site_) return;
        const std::array all{RowSpan{0, x.rows}};
        Index at = 0;
        for (const RowSpan& run : site.rows.empty() ? std::span<const RowSpan>(all) : site.rows) {
            const View<T> part = x.rows_from(at, run.count);
            B::map(ctx, detail::ZeroBelow{}, part, View<const T>(part), PerColumn<T>{std::as_const(rank_).view().row(site.layer)},
                   PerRow<T>{std::as_const(counts_).view().data + run.first});
            at += run.count;
        }
    }

  private:
    Site site_;
    Tensor<B> rank_;    // [L, columns] place of the column's unit in the order
    Tensor<B> counts_;  // [1, rows of the pass]
};

namespace detail {

/// Logit and probability of a token with more and more units of one order zeroed.
template <class Model>
class FlipRun {
  public:
    using B = typename Model::backend;
    using C = typename Model::C;

    FlipRun(C& ctx, const Model& model, const Faithfulness& asked, const FaithfulnessOptions& options, std::span<const std::size_t> order)
        : ctx_(ctx), model_(model), ids_(std::span(asked.ids).first(asked.position + 1)), target_(asked.target), measure_(options.measure),
          copies_(std::max<std::size_t>(1, options.tokens / ids_.size())), flipper_(ctx, model.config(), options.site, order) {}

    /// Fills counts, values and numbers needed.
    void fill(FlipCurve& curve, double whole, std::span<const double> drops, std::size_t units) {
        std::vector<std::size_t> grid;
        for (std::size_t count = 0; count < units; count += std::max<std::size_t>(1, count / 10)) grid.push_back(count);
        grid.push_back(units);
        measure(grid);
        for (const double drop : drops) {
            const double limit = (1 - drop) * whole;
            const auto reached = [&](const auto& entry) { return value(entry.second) <= limit; };
            const auto first = [&] { return std::find_if(values_.begin(), values_.end(), reached); };
            auto found = first();
            while (found != values_.end() && found != values_.begin() && std::prev(found)->first + 1 < found->first) {
                const std::size_t low = std::prev(found)->first, high = found->first, parts = std::min(copies_ + 1, high - low);
                std::vector<std::size_t> between;  // as many as a pass holds
                for (std::size_t i = 1; i < parts; ++i) between.push_back(low + (high - low) * i / parts);
                measure(between);
                found = first();
            }
            curve.needed.push_back(found == values_.end() ? std::nullopt : std::optional(found->first));
        }
        for (const auto& [count, pair] : values_) {
            curve.counts.push_back(count);
            curve.logit.push_back(pair.first);
            curve.probability.push_back(pair.second);
        }
    }

  private:
    using Values = std::pair<double, double>;
    [[nodiscard]] double value(const Values& pair) const { return measure_ == FlipMeasure::logit ? pair.first : pair.second; }

    void measure(std::span<const std::size_t> counts) {
        for (std::size_t begin = 0; begin < counts.size(); begin += copies_) {
            const auto part = counts.subspan(begin, std::min(copies_, counts.size() - begin));
            PackedPrompts packed;
            std::vector<std::int32_t> rows;
            for (std::size_t i = 0; i < part.size(); ++i) {
                packed.add(ids_);
                rows.push_back(static_cast<std::int32_t>(packed.ids.size()) - 1);
            }
            flipper_.next(ctx_, std::ssize(ids_), part);
            const auto pass = model_.forward(ctx_, packed, rows, {Recompute::layer(), PassOptions::Rows::explained}, flipper_);
            const auto logits = pass.logits.download(ctx_);
            require_finite(logits, {Site::logits});
            const std::size_t width = logits.size() / part.size();
            for (std::size_t i = 0; i < part.size(); ++i) {
                const auto own = std::span(logits).subspan(i * width, width);
                values_[part[i]] = {static_cast<double>(own[static_cast<std::size_t>(target_)]), std::exp(log_probability(own, target_))};
            }
        }
    }

    C& ctx_;
    const Model& model_;
    std::span<const std::int32_t> ids_;
    std::int32_t target_;
    FlipMeasure measure_;
    std::size_t copies_;
    Flipper<B> flipper_;
    std::map<std::size_t, Values> values_;
};

}  // namespace detail

/// How fast the explained token goes as units are zeroed in the order of `report`, against its reverse, the order of activation, and random orders. The
/// model's rules play no part, so one made for forward passes will do. Error: the report explains a contrast; logits that are not finite; a measure
/// of 0 or less, which cannot drop. UsageError: those of the options.
template <class Model>
[[nodiscard]] Faithfulness faithfulness(typename Model::C& ctx, const Model& model, const UnitReport& report, const FaithfulnessOptions& options = {}) {
    options.validate();
    const Trace& trace = report.trace;
    require(!trace.contrast, "faithfulness: expected one explained logit, found the difference of two");
    Faithfulness result{trace.ids, trace.position, trace.target, 0, 0, trace.layers * (options.site == Site::neuron ? trace.neurons : trace.heads), options.drops, {}};
    result.logit = trace.explained;
    result.probability = std::exp(log_probability(trace.logits, trace.target));
    const double whole = options.measure == FlipMeasure::logit ? result.logit : result.probability;
    require(whole > 0, "faithfulness: the explained ", options.measure == FlipMeasure::logit ? "logit" : "probability", " is ", whole, "; expected more than 0, from which it can drop");
    for (std::size_t i = 0; i < 3 + options.random_orders; ++i) {
        FlipCurve curve;
        curve.order = i < 3 ? static_cast<FlipOrder>(i) : FlipOrder::random;
        if (i >= 3) curve.seed = options.seed + (i - 3);
        detail::FlipRun<Model> run(ctx, model, result, options, flip_order(report, options.site, curve.order, curve.seed));
        run.fill(curve, whole, options.drops, result.units);
        result.curves.push_back(std::move(curve));
    }
    return result;
}

}  // namespace lrp
