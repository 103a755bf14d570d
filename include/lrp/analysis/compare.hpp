// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Checks of one backend by another: both passes of a model are recorded at every site, and two recordings are held against each other.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <lrp/analysis/attribute.hpp>
#include <lrp/op/add.hpp>
#include <lrp/op/embedding.hpp>
#include <lrp/op/linear.hpp>
#include <lrp/op/matmul.hpp>
#include <lrp/op/multiply.hpp>
#include <lrp/op/rms_norm.hpp>
#include <lrp/op/rope.hpp>
#include <lrp/op/silu.hpp>
#include <lrp/op/softmax.hpp>

namespace lrp {

/// Which op's forward pass makes a site's activation, and which op's backward step makes (or adds the last summand to) its coefficient.
struct SiteOps {
    Site site;
    std::string_view forward;
    std::string_view backward;
};

/// Of every site of a LLaMA model, in the order of Site. The coefficient of the logits is the seed; their relevance is counted with the op that
/// makes them.
inline constexpr std::array<SiteOps, site_names.size()> site_ops{{
    {Site::embedding, Embedding::name, RMSNorm::name},
    {Site::resid_pre, Add::name, RMSNorm::name},
    {Site::attn_norm, RMSNorm::name, Linear::name},
    {Site::q_pre, Linear::name, Rope::name},
    {Site::k_pre, Linear::name, Rope::name},
    {Site::q, Rope::name, MatMul::name},
    {Site::k, Rope::name, MatMul::name},
    {Site::v, Linear::name, MatMul::name},
    {Site::scores, MatMul::name, Softmax::name},
    {Site::probs, Softmax::name, MatMul::name},
    {Site::head, MatMul::name, Linear::name},
    {Site::attn_out, Linear::name, Add::name},
    {Site::resid_mid, Add::name, RMSNorm::name},
    {Site::mlp_norm, RMSNorm::name, Linear::name},
    {Site::gate, Linear::name, SiLU::name},
    {Site::act, SiLU::name, Multiply::name},
    {Site::up, Linear::name, Multiply::name},
    {Site::neuron, Multiply::name, Linear::name},
    {Site::mlp_out, Linear::name, Add::name},
    {Site::resid_post, Add::name, RMSNorm::name},
    {Site::final_norm, RMSNorm::name, Linear::name},
    {Site::logits, Linear::name, Linear::name},
}};
static_assert([] {
    for (std::size_t i = 0; i < site_ops.size(); ++i)
        if (site_ops[i].site != static_cast<Site>(i)) return false;
    return true;
}(), "site_ops: one line per site, in the order of Site");

/// The line of a site. The input of layer 0 is the embedding itself.
[[nodiscard]] constexpr SiteOps ops_of(const SiteRef& at) {
    if (at.site == Site::resid_pre && at.layer == 0) return {at.site, Embedding::name, RMSNorm::name};
    return site_ops[static_cast<std::size_t>(at.site)];
}

/// A matrix on the host, row-major; double holds the bits of either scalar type.
struct SiteValues {
    Index rows = 0;
    Index cols = 0;
    std::vector<double> values;  ///< [rows * cols]
};

/// What passed one site.
struct SiteRecord {
    SiteRef site;
    SiteValues activation;   ///< as the forward pass made it
    SiteValues coefficient;  ///< as the backward pass made it
    SiteValues explained;    ///< the activation as the backward pass sees it, where it has another shape: at the logits, the seeded tokens only

    /// What the coefficient belongs to: R = x * c, element by element.
    [[nodiscard]] const SiteValues& factor() const { return explained.values.empty() ? activation : explained; }
};

/// One run of one model, forward and back, with all that passed its sites; on the host and free of any backend. It takes 16 bytes for each
/// value of each site: about 15 MB a token for a model of 1B parameters (16 layers, hidden size 2048, intermediate size 8192).
struct SiteRecording {
    std::string backend;  ///< "eigen", ...
    std::string scalar;   ///< "float32" or "float64"
    std::size_t layers = 0, heads = 0, neurons = 0;
    std::vector<std::int32_t> ids;         ///< the prompt
    std::size_t position = 0;              ///< the explained position
    std::int32_t target = 0;               ///< the explained token id
    std::optional<std::int32_t> contrast;  ///< explained is logit(target) - logit(contrast) if set
    double explained = 0;                  ///< the explained value
    std::vector<SiteRecord> sites;         ///< in the order of the forward pass
    std::vector<std::size_t> backward;     ///< indices into `sites`, in the order of the backward pass

    /// "eigen (float32)"
    [[nodiscard]] std::string label() const { return backend + " (" + scalar + ")"; }
    /// The record of a site. Error if nothing passed it.
    [[nodiscard]] const SiteRecord& at(Site site, Index layer = 0) const { return sites[index_of({site, layer})]; }
    [[nodiscard]] SiteRecord& at(Site site, Index layer = 0) { return sites[index_of({site, layer})]; }
    /// [vocabulary] at the explained position
    [[nodiscard]] const std::vector<double>& logits() const { return at(Site::logits).activation.values; }

    [[nodiscard]] std::size_t index_of(const SiteRef& ref) const {
        const auto same = [&](const SiteRecord& record) { return record.site.site == ref.site && record.site.layer == ref.layer; };
        const auto found = std::find_if(sites.begin(), sites.end(), same);
        require(found != sites.end(), "recording: nothing passed the site ", ref.text());
        return static_cast<std::size_t>(found - sites.begin());
    }
};

/// An observer of both passes that fills a recording's `sites` and `backward`. A layer that is evaluated again is not recorded again.
/// Entries of `scores` above the diagonal mean nothing and are recorded as 0. Error at the logits, if they are not finite, with the first
/// site that was not.
class SiteRecorder {
  public:
    explicit SiteRecorder(SiteRecording& recording) : recording_(recording) {}

    template <Context C>
    void activation(C& ctx, SiteRef ref, Activation<typename C::scalar> x) {
        if (ref.recomputed) return;
        SiteRecord& record = recording_.sites.emplace_back();
        record.site = ref;
        record.activation = read(ctx, ref, x.as_const());
        const auto& values = record.activation.values;
        if (std::all_of(values.begin(), values.end(), [](double value) { return std::isfinite(value); })) return;
        if (!not_finite_) not_finite_ = ref;
        require(ref.site != Site::logits, "record: a logit is not finite; the first such value is at site ", not_finite_->text(), ", made by ",
                ops_of(*not_finite_).forward);
    }

    template <Context C>
    void relevance(C& ctx, SiteRef ref, Activation<const typename C::scalar> x, Coefficient<typename C::scalar> c) {
        const std::size_t index = recording_.index_of(ref);
        SiteRecord& record = recording_.sites[index];
        record.coefficient = read(ctx, ref, c.as_const());
        if (x.rows != record.activation.rows || x.cols != record.activation.cols) record.explained = read(ctx, ref, x);
        recording_.backward.push_back(index);
    }

  private:
    template <Context C>
    static SiteValues read(C& ctx, const SiteRef& ref, const View<const typename C::scalar>& view) {
        const auto host = download(ctx, view);
        SiteValues result{view.rows, view.cols, {host.begin(), host.end()}};
        if (ref.site != Site::scores) return result;
        for (Index row = 0; row < view.rows; ++row)
            for (Index col = row % view.cols + 1; col < view.cols; ++col) result.values[static_cast<std::size_t>(row * view.cols + col)] = 0;
        return result;
    }

    SiteRecording& recording_;
    std::optional<SiteRef> not_finite_;
};

/// Runs both passes of `model` for the prompt `ids` and records every site. Errors: those of `ask`, and logits that are not finite.
template <class Model>
[[nodiscard]] SiteRecording record_sites(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids,
                                         const AttributeOptions& options = {}) {
    SiteRecording recording;
    recording.backend = Model::backend::name;
    recording.scalar = scalar_name<typename Model::T>;
    SiteRecorder recorder(recording);
    auto question = ask(ctx, model, ids, options, recorder);
    const Trace& trace = question.trace;
    recording.layers = trace.layers;
    recording.heads = trace.heads;
    recording.neurons = trace.neurons;
    recording.ids = trace.ids;
    recording.position = trace.position;
    recording.target = trace.target;
    recording.contrast = trace.contrast;
    recording.explained = trace.explained;
    model.relevance(ctx, question.pass, question.seeds, recorder);
    return recording;
}

/// How far one site is from right: max|a - b| / max|b| of its activation x, its coefficient c and its relevance x * c. Infinite where a
/// value is not finite, where shapes differ, and where b is 0 throughout and a is not. Coefficients and relevances that are not 0 and less than 1e-6 of the
/// largest of their layer are held against that one.
struct SiteDeviation {
    SiteRef site;
    double activation = 0;
    double coefficient = 0;
    double relevance = 0;

    [[nodiscard]] double backward() const { return std::max(coefficient, relevance); }
};

/// The largest of some deviations and where it is.
struct LargestDeviation {
    double value = 0;
    std::optional<SiteRef> at;  ///< unset: there was nothing to compare

    void consider(double deviation, const SiteRef& where) {
        if (at && !(deviation > value)) return;
        value = deviation;
        at = where;
    }
};

/// The largest deviations of what one op makes: activations forward, coefficients and the relevance that comes with them backward.
struct OpDeviation {
    std::string_view op;
    LargestDeviation activation, coefficient, relevance;
};

/// What a comparison found.
struct SiteComparison {
    std::string mine, right;               ///< labels of the two recordings
    std::vector<SiteDeviation> sites;      ///< in the order of the forward pass
    std::vector<std::size_t> backward;     ///< indices into `sites`, in the order of the backward pass
    std::vector<OpDeviation> ops;          ///< in the order in which the forward pass first needs them

    /// The largest deviation of all: of any activation, coefficient or relevance.
    [[nodiscard]] double largest() const {
        double worst = 0;
        for (const auto& site : sites) worst = std::max({worst, site.activation, site.backward()});
        return worst;
    }
    /// The first site in the order of the forward pass whose activation deviates by more than `allowed`.
    [[nodiscard]] std::optional<SiteRef> first_forward(double allowed) const {
        for (const auto& site : sites)
            if (site.activation > allowed) return site.site;
        return std::nullopt;
    }
    /// The first site in the order of the backward pass whose coefficient or relevance deviates by more than `allowed`.
    [[nodiscard]] std::optional<SiteRef> first_backward(double allowed) const {
        for (const std::size_t index : backward)
            if (sites[index].backward() > allowed) return sites[index].site;
        return std::nullopt;
    }
    /// Error for an op that makes no site.
    [[nodiscard]] const OpDeviation& at(std::string_view op) const {
        const auto found = std::find_if(ops.begin(), ops.end(), [&](const OpDeviation& entry) { return entry.op == op; });
        require(found != ops.end(), "comparison: no site is made by an op '", op, "'");
        return *found;
    }
};

namespace detail {

/// Shares of a layer's largest value below which a site is 0 but for rounding.
inline constexpr double negligible = 1e-6;

/// max_i |a(i) - b(i)| / max_i |b(i)| over `count` values; infinite where one is not finite, or b is 0 throughout and a is not. Where b is negligible
/// beside `whole`, the largest value of its layer, and not 0, the difference is a share of that: rounding over rounding says nothing.
template <class A, class B>
double relative_deviation(std::size_t count, const A& a, const B& b, double whole = 0) {
    constexpr double infinite = std::numeric_limits<double>::infinity();
    double gap = 0, peak = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const double x = a(i), y = b(i);
        if (!std::isfinite(x) || !std::isfinite(y)) return infinite;
        gap = std::max(gap, std::abs(x - y));
        peak = std::max(peak, std::abs(y));
    }
    if (gap == 0) return 0;
    if (peak > 0 && peak < negligible * whole) peak = whole;
    return peak > 0 ? gap / peak : infinite;
}

inline bool same_shape(const SiteValues& a, const SiteValues& b) {
    return a.rows == b.rows && a.cols == b.cols && a.values.size() == b.values.size();
}

inline double deviation(const SiteValues& a, const SiteValues& b, double whole = 0) {
    if (!same_shape(a, b)) return std::numeric_limits<double>::infinity();
    return relative_deviation(a.values.size(), [&](std::size_t i) { return a.values[i]; }, [&](std::size_t i) { return b.values[i]; }, whole);
}

inline bool has_relevance(const SiteRecord& record) { return same_shape(record.factor(), record.coefficient); }
inline double relevance_at(const SiteRecord& record, std::size_t i) { return record.factor().values[i] * record.coefficient.values[i]; }

inline double relevance_deviation(const SiteRecord& a, const SiteRecord& b, double whole) {
    if (!has_relevance(a) || !has_relevance(b) || !same_shape(a.coefficient, b.coefficient)) return std::numeric_limits<double>::infinity();
    return relative_deviation(a.coefficient.values.size(), [&](std::size_t i) { return relevance_at(a, i); }, [&](std::size_t i) { return relevance_at(b, i); }, whole);
}

/// The largest finite coefficients and relevances of each layer, and of what belongs to none.
struct LayerPeaks {
    std::map<Index, double> coefficient, relevance;

    explicit LayerPeaks(const SiteRecording& recording) {
        const auto raise = [](double& peak, double value) {
            if (std::isfinite(value)) peak = std::max(peak, std::abs(value));
        };
        for (const SiteRecord& record : recording.sites) {
            double &c = coefficient[layer_of(record)], &r = relevance[layer_of(record)];
            for (const double value : record.coefficient.values) raise(c, value);
            for (std::size_t i = 0; has_relevance(record) && i < record.coefficient.values.size(); ++i) raise(r, relevance_at(record, i));
        }
    }
    static Index layer_of(const SiteRecord& record) { return site_names[static_cast<std::size_t>(record.site.site)].per_layer ? record.site.layer : -1; }
};

/// Error unless both recordings answer the same question about models of one shape.
inline void require_comparable(const SiteRecording& mine, const SiteRecording& right) {
    const auto same = [](const auto& a, const auto& b, const char* what) {
        require(a == b, "compare: the recordings are of different ", what, ": ", a, " and ", b);
    };
    same(mine.layers, right.layers, "models, by layers");
    same(mine.heads, right.heads, "models, by heads");
    same(mine.neurons, right.neurons, "models, by neurons");
    same(mine.ids.size(), right.ids.size(), "prompts, by tokens");
    for (std::size_t i = 0; i < mine.ids.size(); ++i)
        require(mine.ids[i] == right.ids[i], "compare: the recordings are of different prompts, by token ", i, ": ", mine.ids[i], " and ", right.ids[i]);
    same(mine.position, right.position, "positions");
    same(mine.target, right.target, "targets");
    const auto text = [](const std::optional<std::int32_t>& id) { return id ? std::to_string(*id) : std::string("none"); };
    same(text(mine.contrast), text(right.contrast), "contrasts");
    same(mine.sites.size(), right.sites.size(), "models, by sites");
    for (std::size_t i = 0; i < mine.sites.size(); ++i) same(mine.sites[i].site.text(), right.sites[i].site.text(), "models, by the order of sites");
    same(mine.at(Site::embedding).activation.cols, right.at(Site::embedding).activation.cols, "models, by hidden size");
    same(mine.logits().size(), right.logits().size(), "models, by vocabulary");
}

inline OpDeviation& entry_of(std::vector<OpDeviation>& ops, std::string_view op) {
    for (auto& entry : ops)
        if (entry.op == op) return entry;
    return ops.emplace_back(OpDeviation{op, {}, {}, {}});
}

}  // namespace detail

/// Holds one recording against another that is taken for right, site by site and op by op. Error if they are of different prompts,
/// questions or shapes of model.
[[nodiscard]] inline SiteComparison compare_sites(const SiteRecording& mine, const SiteRecording& right) {
    detail::require_comparable(mine, right);
    SiteComparison result{mine.label(), right.label(), {}, right.backward, {}};
    const detail::LayerPeaks peaks(right);
    for (std::size_t i = 0; i < mine.sites.size(); ++i) {
        const SiteRecord &a = mine.sites[i], &b = right.sites[i];
        result.sites.push_back({a.site, std::max(detail::deviation(a.activation, b.activation), detail::deviation(a.explained, b.explained)),
                                detail::deviation(a.coefficient, b.coefficient, peaks.coefficient.at(peaks.layer_of(b))),
                                detail::relevance_deviation(a, b, peaks.relevance.at(peaks.layer_of(b)))});
        detail::entry_of(result.ops, ops_of(a.site).forward).activation.consider(result.sites.back().activation, a.site);
    }
    for (const auto& site : result.sites) {
        auto& entry = detail::entry_of(result.ops, ops_of(site.site).backward);
        entry.coefficient.consider(site.coefficient, site.site);
        entry.relevance.consider(site.relevance, site.site);
    }
    return result;
}

/// Runs both passes of one model on two backends, each with its own weights, and holds the first against the second. The second settles the
/// target. Errors: those of record_sites and compare_sites.
template <class ModelA, class ModelB>
[[nodiscard]] SiteComparison compare_backends(typename ModelA::C& ctx_a, const ModelA& model_a, typename ModelB::C& ctx_b, const ModelB& model_b,
                                              std::span<const std::int32_t> ids, const AttributeOptions& options = {}) {
    const SiteRecording right = record_sites(ctx_b, model_b, ids, options);
    AttributeOptions same = options;
    same.target = right.target;
    return compare_sites(record_sites(ctx_a, model_a, ids, same), right);
}

}  // namespace lrp
