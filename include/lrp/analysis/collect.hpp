// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// One pass over documents that keeps, of every neuron and head of every layer, where it was most active and most relevant. Each layer is
// reduced while the backward pass is there: nothing of the size [layer, token, neuron] is ever held.
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <span>
#include <vector>

#include <lrp/analysis/relevance_sum.hpp>
#include <lrp/analysis/unit_summary.hpp>
#include <lrp/model/observer.hpp>
#include <lrp/model/recompute.hpp>
#include <lrp/model/rows.hpp>
#include <lrp/model/seed.hpp>

namespace lrp {

/// A text as ids, and which of its positions count (all, if the list is empty).
struct CollectDocument {
    std::int32_t document = 0;  ///< its number in the corpus
    std::vector<std::int32_t> ids;
    std::vector<bool> counts;
};

/// Relevance to what: each position's own most likely next token, all in one backward pass; the most likely token after the last position; or a
/// given token there. Positions that do not count explain nothing.
enum class Condition { predictions, last, target };

struct CollectOptions {
    SummaryShape shape{};
    Condition condition = Condition::predictions;
    std::int32_t target = 0;  ///< for Condition::target
    Recompute recompute{};
    Index rows = 512;  ///< documents share a pass of up to so many tokens; a longer one has its own. Rounding may depend on it
};

/// What was collected of a whole model, on the host and free of any backend. A unit of `neuron` is an input of down_proj; one of `head` is a head
/// before o_proj, whose activation is the Euclidean length of its output and whose relevance is the sum over it.
struct CollectedUnits {
    std::vector<UnitSummary> neuron, head;  ///< [L]
    Place last;                             ///< the latest place so far

    CollectedUnits() = default;
    CollectedUnits(Index layers, Index neurons, Index heads, const SummaryShape& shape)
        : neuron(static_cast<std::size_t>(layers), UnitSummary(neurons, shape)), head(static_cast<std::size_t>(layers), UnitSummary(heads, shape)) {}

    void end_batch() {
        for (auto* site : {&neuron, &head})
            for (UnitSummary& layer : *site) layer.end_batch();
    }
    void merge(const CollectedUnits& other) {
        require(neuron.size() == other.neuron.size(), "collected units: expected ", neuron.size(), " layers, found ", other.neuron.size());
        for (std::size_t l = 0; l < neuron.size(); ++l) {
            neuron[l].merge(other.neuron[l]);
            head[l].merge(other.head[l]);
        }
        last = std::max(last, other.last);
    }
};

/// Which rows of a pass count, as `begin` announces them: the documents' rows follow one another in the order of the list.
class PassReader {
  public:
    PassReader(CollectedUnits& units, ThreadPool& pool) : units_(units), pool_(pool) {}

    void begin(std::span<const CollectDocument> documents) {
        rows_ = {};
        Index row = 0;
        for (const CollectDocument& text : documents) {
            const auto length = std::ssize(text.ids);
            for (Index t = 0; t < length; ++t) {
                const bool counts = text.counts.empty() || text.counts[static_cast<std::size_t>(t)];
                rows_.counts.push_back(counts ? 1 : 0);
                if (counts) rows_.kept.push_back({row + t, {text.document, static_cast<std::int32_t>(t)}, row, row + length});
            }
            row += length;
        }
        // Where every place is later than all before it, equal values cannot displace one another.
        Place last = units_.last;
        later_ = true;
        for (const KeptRow& kept : rows_.kept) {
            later_ = later_ && last < kept.place;
            last = std::max(last, kept.place);
        }
        units_.last = last;
    }
    [[nodiscard]] const PassRows& rows() const { return rows_; }

    /// Takes one site of one layer: activations x and coefficients c [rows, width of the site].
    template <class T>
    void take(SiteRef site, std::span<const T> x, std::span<const T> c) {
        const auto layer = static_cast<std::size_t>(site.layer);
        const bool neuron = site.site == Site::neuron;
        UnitSummary& summary = neuron ? units_.neuron[layer] : units_.head[layer];
        const Index rows = std::ssize(rows_.counts), units = summary.units(), width = std::ssize(x) / (rows * units);
        UnitValues values;
        if constexpr (std::same_as<T, float>)
            if (neuron) values = {x.data(), c.data(), true};
        if (!values.coefficients) {
            reduce(x, c, rows * units, neuron ? 0 : width);
            values = {activation_.data(), relevance_.data(), false};
        }
        if (summary.take(pool_, rows_, values, later_)) return;
        std::vector<float> all(static_cast<std::size_t>(rows * units));
        for (const std::size_t quantity : {std::size_t{0}, std::size_t{1}}) {
            for (std::size_t i = 0; i < all.size(); ++i) all[i] = values.value(quantity, static_cast<Index>(i));
            require_finite(all, site);
        }
    }

  private:
    /// Units as they are, or, with a width, as Euclidean lengths and sums over it; each number is formed by one thread.
    template <class T>
    void reduce(std::span<const T> x, std::span<const T> c, Index count, Index width) {
        activation_.resize(static_cast<std::size_t>(count));
        relevance_.resize(activation_.size());
        constexpr Index chunk = 1024;
        pool_.parallel_for((count + chunk - 1) / chunk, [&](Index part) {
            for (auto i = static_cast<std::size_t>(part * chunk); i < static_cast<std::size_t>(std::min((part + 1) * chunk, count)); ++i) {
                if (width == 0) {
                    activation_[i] = static_cast<float>(x[i]);
                    relevance_[i] = static_cast<float>(x[i] * c[i]);
                    continue;
                }
                double squares = 0, total = 0;
                for (std::size_t j = i * static_cast<std::size_t>(width); j < (i + 1) * static_cast<std::size_t>(width); ++j) {
                    squares += static_cast<double>(x[j]) * static_cast<double>(x[j]);
                    total += static_cast<double>(x[j]) * static_cast<double>(c[j]);
                }
                activation_[i] = static_cast<float>(std::sqrt(squares));
                relevance_[i] = static_cast<float>(total);
            }
        });
    }

    CollectedUnits& units_;
    ThreadPool& pool_;
    PassRows rows_;
    bool later_ = false;
    std::vector<float> activation_, relevance_;  // [rows, units] of one site of one layer
};

/// The observer of the backward pass that fills CollectedUnits.
template <Backend B>
class Collector {
  public:
    using C = typename B::context;
    using T = typename B::scalar;

    /// `blind`: looks at nothing, so that the passes can be timed by themselves.
    Collector(CollectedUnits& units, ThreadPool& pool, bool blind = false) : reader_(units, pool), blind_(blind) {}

    void begin(std::span<const CollectDocument> documents) {
        if (!blind_) reader_.begin(documents);
    }
    [[nodiscard]] bool reads(Site site) const { return !blind_ && (site == Site::neuron || site == Site::head); }
    void relevance(C& ctx, SiteRef site, Activation<const T> x, Coefficient<T> c) {
        require(x.rows == std::ssize(reader_.rows().counts), "collect: the pass has ", x.rows, " rows at ", site.text(), ", the documents ", reader_.rows().counts.size());
        fetch(ctx, x, values_);
        fetch(ctx, View<const T>(c), coefficients_);
        reader_.take(site, std::span<const T>(values_), std::span<const T>(coefficients_));
    }

  private:
    static void fetch(C& ctx, const View<const T>& view, std::vector<T>& host) {
        if (!view.contiguous()) {
            host = download(ctx, view);
            return;
        }
        host.resize(static_cast<std::size_t>(view.rows * view.cols));
        B::download(ctx, view.data, std::span<T>(host));
    }

    PassReader reader_;
    bool blind_;
    std::vector<T> values_, coefficients_;  // [rows, width] of one site of one layer
};

namespace detail {

/// The most likely token after each row of logits [rows, vocabulary].
template <Context C, class T = typename C::scalar>
[[nodiscard]] std::vector<std::int32_t> best_tokens(C& ctx, View<const T> logits) {
    std::vector<std::int32_t> best(static_cast<std::size_t>(logits.rows));
    for (Index row = 0; row < logits.rows; ++row) C::backend::top_k(ctx, logits.row(row), logits.cols, std::span(best).subspan(static_cast<std::size_t>(row), 1));
    return best;
}

/// The positions of a document that explain something.
[[nodiscard]] inline std::vector<std::int32_t> explained_positions(const CollectDocument& text, Condition condition) {
    std::vector<std::int32_t> positions;
    for (std::size_t t = 0; t < text.ids.size(); ++t)
        if (text.counts.empty() || text.counts[t]) positions.push_back(static_cast<std::int32_t>(t));
    if (condition != Condition::predictions && !positions.empty()) positions.erase(positions.begin(), positions.end() - 1);
    return positions;
}

/// Takes documents into a collector's units in one forward and one backward pass.
template <class Model>
void collect_together(typename Model::C& ctx, const Model& model, std::span<const CollectDocument> documents, const CollectOptions& options,
                      Collector<typename Model::backend>& collector) {
    PackedPrompts packed;
    std::vector<std::int32_t> rows;
    for (const CollectDocument& text : documents) {
        for (const std::int32_t position : explained_positions(text, options.condition)) rows.push_back(static_cast<std::int32_t>(packed.ids.size()) + position);
        packed.add(text.ids);
    }
    auto pass = model.forward(ctx, packed, rows, options.recompute);
    std::vector<std::int32_t> targets(rows.size(), options.target);
    if (options.condition != Condition::target) targets = best_tokens(ctx, View<const typename Model::T>(pass.logits.view()));
    std::vector<Seed> seeds;
    for (std::size_t i = 0; i < rows.size(); ++i) seeds.push_back({rows[i], targets[i], 1.0});
    collector.begin(documents);
    model.relevance(ctx, pass, seeds, collector);
}

}  // namespace detail

/// Takes one batch of documents into a collector's units; those of which no position counts are left out. Errors: those of the model, values that are not finite.
template <class Model>
void collect_batch(typename Model::C& ctx, const Model& model, std::span<const CollectDocument> documents, const CollectOptions& options,
                   Collector<typename Model::backend>& collector) {
    constexpr Index logits = Index{1} << 26;  // that a pass may form, where the vocabulary is large
    const Index limit = std::min(options.rows, std::max<Index>(logits / model.config().vocab_size, 1));
    std::vector<CollectDocument> together;
    Index rows = 0;
    const auto flush = [&] {
        if (!together.empty()) detail::collect_together(ctx, model, std::span<const CollectDocument>(together), options, collector);
        together.clear();
        rows = 0;
    };
    for (const CollectDocument& text : documents) {
        if (detail::explained_positions(text, options.condition).empty()) continue;
        if (rows + std::ssize(text.ids) > limit) flush();
        together.push_back(text);
        rows += std::ssize(text.ids);
    }
    flush();
}

}  // namespace lrp
