// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Conditional relevance (concept relevance propagation, Achtibat et al. 2023): the backward pass restricted to paths through chosen units, or begun at one.
#pragma once

#include <map>
#include <set>

#include <lrp/analysis/attribute.hpp>
#include <lrp/analysis/unit_ref.hpp>

namespace lrp {

/// Which paths count. Units of one kind in one layer are alternatives; different layers, and the MLP and the attention of one layer, must all be passed: where
/// a layer's neurons (heads) are named, nothing goes past its MLP (attention) in the residual stream. Positions are alternatives too, at the output of
/// every layer named with them.
struct RelevanceCondition {
    std::vector<UnitRef> through;
    std::map<Index, std::vector<Index>> positions;  ///< layer: positions of its output (resid_post)
    std::optional<UnitRef> begin;                   ///< explain this unit's activation at the explained position (a head's norm) instead of a logit

    [[nodiscard]] bool empty() const { return through.empty() && positions.empty() && !begin; }
};

namespace detail {
struct KeepWhere {
    template <class T>
    LRP_HD T operator()(T c, T mask) const {
        return mask == 0 ? T(0) : c;
    }
};
}  // namespace detail

/// The observers that hold a backward pass to a condition: `mask` before whoever reads, `cut` after. The residual rule is taken to be without epsilon.
template <Backend B>
class ConditionalRelevance {
  public:
    using C = typename B::context;
    using T = typename B::scalar;

    /// UsageError for a layer, unit or position that is not there. `position`: the explained one.
    template <class Config>
    ConditionalRelevance(C& ctx, const Config& config, const RelevanceCondition& condition, Index position) : mask(*this), cut(*this), begin_(condition.begin), position_(position) {
        const std::string_view who = "condition";
        width_ = {{Site::neuron, 1}, {Site::head, config.attention.head_dim}};
        std::map<std::pair<Site, Index>, std::vector<T>> kept;
        for (const UnitRef& unit : condition.through) {
            require_unit(config, unit, who);
            const Index width = width_[unit.site];
            auto& values = kept[{unit.site, unit.layer}];
            values.resize(static_cast<std::size_t>(unit.site == Site::neuron ? config.intermediate_size : config.attention.queries()));
            std::fill_n(values.begin() + unit.unit * width, width, T(1));
        }
        for (const auto& [key, values] : kept) {
            masks_[key].resize(ctx, 1, std::ssize(values));
            masks_[key].upload(ctx, values);
        }
        for (const auto& [layer, positions] : condition.positions) {
            require_layer(config, layer, who);
            if (begin_ && layer >= begin_->layer)
                fail<UsageError>("condition: relevance that begins at ", site_name(begin_->site), " ", begin_->layer, "/", begin_->unit, " has no positions in the output of layer ", layer);
            for (const Index at : positions)
                if (at < 0 || at > position) fail<UsageError>("condition: expected a position from 0 to ", position, ", found ", at);
            positions_[layer] = {positions.begin(), positions.end()};
        }
        if (begin_) require_unit(config, *begin_, who);
        if (begin_)
            for (const UnitRef& unit : condition.through)
                if (stage({unit.site, unit.layer}) >= stage({begin_->site, begin_->layer}))
                    fail<UsageError>("condition: relevance that begins at ", site_name(begin_->site), " ", begin_->layer, "/", begin_->unit, " cannot come through ", site_name(unit.site), " ",
                                     unit.layer, "/", unit.unit, ", which is not below it");
    }
    ConditionalRelevance(const ConditionalRelevance&) = delete;
    ConditionalRelevance& operator=(const ConditionalRelevance&) = delete;

    /// The value that is explained where relevance begins at a unit; 0 before the pass.
    [[nodiscard]] double begun() const { return begun_; }

    /// Zeroes what is not chosen, at units and positions.
    struct Mask {
        static constexpr bool takes_rows = true;
        ConditionalRelevance& all;
        explicit Mask(ConditionalRelevance& owner) : all(owner) {}
        [[nodiscard]] bool reads(Site site) const { return site == Site::neuron || site == Site::head || (site == Site::resid_post && !all.positions_.empty()); }
        void relevance(C& ctx, SiteRef site, Activation<const T> x, Coefficient<T> c) {
            if (site.site == Site::resid_post) return all.keep_positions(ctx, site, c);
            if (const auto found = all.masks_.find({site.site, site.layer}); found != all.masks_.end())
                B::map(ctx, detail::KeepWhere{}, View<T>(c), View<const T>(c), PerColumn<T>{found->second.view().data});
            if (all.begin_ && all.begin_->site == site.site && all.begin_->layer == site.layer) all.begin_here(ctx, site, x, c);
        }
    } mask;

    /// Lets nothing past a block of which units were named: the stream's coefficient goes into the block's branch alone.
    struct Cut {
        static constexpr bool takes_rows = true;
        ConditionalRelevance& all;
        CoefficientTensor<B> held{};
        explicit Cut(ConditionalRelevance& owner) : all(owner) {}
        [[nodiscard]] bool reads(Site site) const { return site == Site::resid_post || site == Site::mlp_out || site == Site::resid_mid || site == Site::attn_out; }
        void relevance(C& ctx, SiteRef site, Activation<const T>, Coefficient<T> c) {
            const Site unit = site.site == Site::resid_post || site.site == Site::mlp_out ? Site::neuron : Site::head;
            if (!all.passed_at({unit, site.layer})) return;
            if (site.site == Site::resid_post || site.site == Site::resid_mid) {
                held.resize(ctx, c.rows, c.cols);
                B::copy(ctx, View<const T>(c), held.view());
                B::fill(ctx, c, T(0));
            } else {
                B::copy(ctx, std::as_const(held).view(), c);
            }
        }
    } cut;

  private:
    using Key = std::pair<Site, Index>;
    /// Order of a forward pass: attention, then MLP, layer by layer.
    static Index stage(const Key& key) { return 2 * key.second + (key.first == Site::neuron ? 1 : 0); }
    [[nodiscard]] bool passed_at(const Key& key) const { return masks_.contains(key) || (begin_ && Key{begin_->site, begin_->layer} == key); }

    /// Where the tensor of a site holds position `at`; -1 if it does not.
    static Index row_of(const SiteRef& site, Index rows, Index at) {
        if (site.rows.empty()) return at < rows ? at : -1;
        Index first = 0;
        for (const RowSpan& run : site.rows) {
            if (at >= run.first && at < run.first + run.count) return first + at - run.first;
            first += run.count;
        }
        return -1;
    }
    void keep_positions(C& ctx, const SiteRef& site, Coefficient<T> c) {
        const auto wanted = positions_.find(site.layer);
        if (wanted == positions_.end()) return;
        std::vector<bool> keep(static_cast<std::size_t>(c.rows));
        for (const Index at : wanted->second)
            if (const Index row = row_of(site, c.rows, at); row >= 0) keep[static_cast<std::size_t>(row)] = true;
        for (Index row = 0; row < c.rows; ++row)
            if (!keep[static_cast<std::size_t>(row)]) B::fill(ctx, c.rows_from(row, 1), T(0));
    }
    void begin_here(C& ctx, const SiteRef& site, Activation<const T> x, Coefficient<T> c) {
        const Index row = row_of(site, c.rows, position_), width = width_.at(site.site);
        require(row >= 0, "condition: position ", position_, " is not in the pass");
        B::fill(ctx, c, T(0));
        const View<const T> value = x.rows_from(row, 1).columns(begin_->unit * width, width);
        std::vector<T> host = download(ctx, value);
        double squares = 0;
        for (const T v : host) squares += static_cast<double>(v) * static_cast<double>(v);
        const double norm = std::sqrt(squares);
        begun_ = width == 1 ? static_cast<double>(host[0]) : norm;
        for (T& v : host) v = width == 1 ? T(1) : norm == 0 ? T(0) : static_cast<T>(static_cast<double>(v) / norm);
        B::template upload<T>(ctx, host, c.rows_from(row, 1).columns(begin_->unit * width, width).data);
    }

    std::optional<UnitRef> begin_;
    Index position_;
    std::map<Site, Index> width_;  // columns of a unit
    std::map<Key, Tensor<B>> masks_;
    std::map<Index, std::set<Index>> positions_;
    double begun_ = 0;
};

/// Explains one logit, or the condition's unit, along the paths of a condition: as `attribute`, whose arrays then hold what passes. Where relevance begins at a
/// unit, `explained` is its activation, and the arrays are zero above it; target and predictions are those of the logits all the same. UsageError for a condition that does not fit.
template <class Model>
[[nodiscard]] Trace attribute_through(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids, const RelevanceCondition& condition,
                                      const AttributeOptions& options = {}, PassTimes* times = nullptr) {
    using Clock = std::chrono::steady_clock;
    using B = typename Model::backend;
    const auto position = static_cast<Index>(detail::explained_position(model.config(), ids, options));
    ConditionalRelevance<B> paths(ctx, model.config(), condition, position);
    const auto start = Clock::now();
    auto question = ask(ctx, model, ids, options, NullObserver{}, PassOptions::Rows::explained);
    const auto middle = Clock::now();
    Trace& trace = question.trace;
    for (const UnitRef& unit : condition.through) {
        std::string& through = trace.provenance["through"];
        through += (through.empty() ? "" : ",") + unit.text();
    }
    {
        TraceObserver<B> reader(ctx, {&trace, 1}, question.pass.prompts, options.sites);
        ObserverChain observers(paths.mask, reader, paths.cut);
        model.relevance(ctx, question.pass, question.seeds, observers);
        reader.finish(ctx);
    }
    if (condition.begin) {
        trace.explained = paths.begun();
        trace.unit = lrp::detail::concat(site_name(condition.begin->site), " ", condition.begin->layer, "/", condition.begin->unit);
        const auto clear = [&](std::vector<float>& values, std::size_t width, Index from) {
            if (!values.empty()) std::fill(values.begin() + from * static_cast<std::ptrdiff_t>(trace.tokens_count * width), values.end(), 0.0f);
        };
        const bool neuron = condition.begin->site == Site::neuron;
        clear(trace.residual, 1, condition.begin->layer);
        clear(trace.neuron, trace.neurons, condition.begin->layer + (neuron ? 1 : 0));
        clear(trace.head, trace.heads, condition.begin->layer + 1);
    }
    if (times != nullptr) *times = {std::chrono::duration<double>(middle - start).count(), std::chrono::duration<double>(Clock::now() - middle).count()};
    return std::move(trace);
}

}  // namespace lrp
