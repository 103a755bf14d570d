// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The ledger: where relevance is absorbed, as predicted by the rules and as observed in the pass, per layer, head and row; and the
// total relevance at every site.
#pragma once

#include <lrp/analysis/absorption.hpp>
#include <lrp/analysis/attribute.hpp>
#include <lrp/analysis/ledger.hpp>
#include <lrp/model/llama/model.hpp>

namespace lrp {

namespace detail {

/// out[row] <- sum over the row of what the rule absorbs.
template <class R, class T>
struct AbsorbRow {
    R rule;
    View<const T> y;
    View<const T> c;
    View<const T> x;             // may be empty
    const T* bias;               // may be null
    const T* inverse_norm;       // may be null
    double norm_epsilon;
    T* out;
    template <Group G>
    LRP_HD void operator()(G& group, Index row) const {
        const double norm = inverse_norm != nullptr ? static_cast<double>(inverse_norm[row]) : 0.0;
        const double total = row_sum<double>(group, y.cols, [&](Index col) {
            return Absorption<R>::element(rule, {static_cast<double>(y(row, col)), static_cast<double>(c(row, col)),
                                                 x.empty() ? 0.0 : static_cast<double>(x(row, col)),
                                                 bias != nullptr ? static_cast<double>(bias[col]) : 0.0, norm_epsilon * norm * norm});
        });
        if (group.rank() == 0) out[row] = static_cast<T>(total);
    }
};

template <class R, class T>
struct AbsorbSoftmaxRow {
    Softmax::Params<T> p;
    double epsilon;
    View<const T> x;
    View<const T> s;
    View<const T> c;
    T* out;
    template <Group G>
    LRP_HD void operator()(G& group, Index row) const {
        const Index count = p.visible(row, x.cols);
        const auto weighted = [&](const auto& term) {
            return row_sum<double>(group, count, [&](Index col) { return static_cast<double>(s(row, col)) * term(col); });
        };
        SoftmaxRowSums sums;
        sums.count = static_cast<double>(count);
        sums.in = weighted([&](Index col) { return static_cast<double>(c(row, col)); });
        const double mean = weighted([&](Index col) { return static_cast<double>(x(row, col)); });
        sums.covariance = weighted([&](Index col) { return (x(row, col) - mean) * (c(row, col) - sums.in); });
        sums.damped = row_sum<double>(group, count, [&](Index col) { return Stabilizer<double>{epsilon}.damping(x(row, col)); });
        if (group.rank() == 0) out[row] = static_cast<T>(SoftmaxAbsorption<R>::row(sums));
    }
};

template <class Values>
double total(const Values& values) {
    double sum = 0;
    for (const auto value : values) sum += static_cast<double>(value);
    return sum;
}

}  // namespace detail

/// An observer of a backward pass that keeps the ledger. It reads the model's biases and the pass's saved activations; they must be
/// those of the pass watched.
template <Backend B, Composite Rules>
class LedgerObserver {
  public:
    using T = typename B::scalar;
    using C = typename B::context;

    LedgerObserver(const LlamaModel<B, Rules>& model, const LlamaPass<B>& pass) : model_(model), pass_(pass) {
        ledger_.layers.resize(static_cast<std::size_t>(model.config().layers));
    }

    void relevance(C& ctx, SiteRef ref, Activation<const T> x, Coefficient<T> c) {
        const auto per_token = relevance_sum(ctx, x, c.as_const());
        require_finite(per_token, ref);
        const double sum = detail::total(per_token);
        const auto& rules = model_.rules();
        const auto& config = model_.config();
        if (ref.site == Site::logits) {
            ledger_.explained = sum;
            ledger_.scale = std::abs(sum);
            ledger_.output.predicted = absorbed(ctx, rules.projection, x, c);
            return;
        }
        if (ref.site == Site::final_norm) {
            ledger_.output.predicted += absorbed(ctx, rules.norm, x, c, {}, nullptr, pass_.final_inverse_rms.view().data, config.rms_norm_eps);
            return;
        }
        if (ref.site == Site::embedding) {
            ledger_.embedding = sum;
            return;
        }
        const auto index = static_cast<std::size_t>(ref.layer);
        auto& layer = ledger_.layers[index];
        layer.total[static_cast<std::size_t>(ref.site)] = sum;
        const auto& saved = pass_.saved(index);
        const auto& weights = model_.weights().layers[index];
        const auto linear = [&](const LinearWeights<B>& w) { return absorbed(ctx, rules.projection, x, c, {}, w.bias.view().data); };
        const auto norm = [&](const Tensor<B>& inverse) {
            return absorbed(ctx, rules.norm, x, c, {}, nullptr, inverse.view().data, config.rms_norm_eps);
        };
        switch (ref.site) {
            case Site::resid_post:
                enter_layer(layer, index, per_token, sum);
                layer.mlp.predicted = absorbed(ctx, rules.residual, x, c);
                break;
            case Site::mlp_out: layer.mlp.predicted += linear(weights.down); break;
            case Site::neuron: layer.mlp.predicted += absorbed(ctx, rules.gating, x, c); break;
            case Site::up: layer.mlp.predicted += linear(weights.up); break;
            case Site::act: layer.mlp.predicted += absorbed(ctx, rules.activation, x, c, saved.mlp.gate.view()); break;
            case Site::gate: layer.mlp.predicted += linear(weights.gate); break;
            case Site::mlp_norm: layer.mlp.predicted += norm(saved.mlp_inverse_rms); break;
            case Site::resid_mid:
                layer.mlp.observed = layer.total[static_cast<std::size_t>(Site::resid_post)] - sum;
                layer.attention.predicted = absorbed(ctx, rules.residual, x, c);
                break;
            case Site::attn_out: layer.attention.predicted += linear(weights.o); break;
            case Site::head: layer.attention.predicted += absorbed(ctx, rules.mix, x, c); break;
            case Site::probs: softmax(ctx, layer, saved, per_token, c); break;
            case Site::scores:
                observe_softmax(layer, per_token);
                layer.attention.predicted += absorbed(ctx, rules.scores, x, c);
                break;
            case Site::k_pre: layer.attention.predicted += linear(weights.k); break;
            case Site::q_pre: layer.attention.predicted += linear(weights.q); break;
            case Site::v: layer.attention.predicted += linear(weights.v); break;
            case Site::attn_norm: layer.attention.predicted += norm(saved.attn_inverse_rms); break;
            case Site::resid_pre: layer.attention.observed = layer.total[static_cast<std::size_t>(Site::resid_mid)] - sum; break;
            default: break;
        }
    }

    [[nodiscard]] const Ledger& ledger() const { return ledger_; }

  private:
    /// Sum over all elements of what a rule absorbs at an op's output.
    template <class R>
    double absorbed(C& ctx, const R& rule, Activation<const T> y, Coefficient<T> c, View<const T> x = {}, const T* bias = nullptr,
                    const T* inverse_norm = nullptr, double norm_epsilon = 0) const {
        Tensor<B> out(ctx, 1, y.rows);
        B::for_each_row(ctx, y.rows, y.cols, detail::AbsorbRow<R, T>{rule, y, c, x, bias, inverse_norm, norm_epsilon, out.view().data});
        return detail::total(out.download(ctx));
    }

    void enter_layer(LedgerLayer& layer, std::size_t index, const std::vector<T>& per_token, double sum) {
        double mass = 0;
        for (const T value : per_token) mass += std::abs(static_cast<double>(value));
        ledger_.scale = std::max(ledger_.scale, mass);
        layer.heads.resize(static_cast<std::size_t>(model_.config().attention.heads));
        if (index + 1 == ledger_.layers.size()) ledger_.output.observed = ledger_.explained - sum;
    }

    void softmax(C& ctx, LedgerLayer& layer, const LlamaLayerSaved<B>& saved, const std::vector<T>& incoming, Coefficient<T> c) {
        using R = typename Rules::softmax;
        const AttentionMatrices<B>& matrices = saved.attention.matrices.front();
        const View<const T> scores = matrices.scores.view();
        Tensor<B> out(ctx, 1, scores.rows);
        B::for_each_row(ctx, scores.rows, scores.cols,
                        detail::AbsorbSoftmaxRow<R, T>{{scores.cols}, SoftmaxAbsorption<R>::epsilon(model_.rules().softmax), scores,
                                                       matrices.probs.view(), c, out.view().data});
        const auto predicted = out.download(ctx);
        layer.rows.resize(predicted.size());
        for (std::size_t row = 0; row < predicted.size(); ++row) {
            layer.rows[row] = {static_cast<double>(predicted[row]), static_cast<double>(incoming[row])};  // completed at the scores
            layer.attention.predicted += static_cast<double>(predicted[row]);
        }
    }

    void observe_softmax(LedgerLayer& layer, const std::vector<T>& outgoing) {
        const std::size_t per_head = layer.rows.size() / layer.heads.size();
        for (std::size_t row = 0; row < layer.rows.size(); ++row) {
            layer.rows[row].observed -= static_cast<double>(outgoing[row]);
            layer.heads[row / per_head].predicted += layer.rows[row].predicted;
            layer.heads[row / per_head].observed += layer.rows[row].observed;
        }
    }

    const LlamaModel<B, Rules>& model_;
    const LlamaPass<B>& pass_;
    Ledger ledger_;
};

/// Runs both passes for the logit (or contrast) that the options name and returns the ledger.
template <Backend B, Composite Rules>
[[nodiscard]] Ledger conservation(typename B::context& ctx, const LlamaModel<B, Rules>& model, std::span<const std::int32_t> ids,
                                  const AttributeOptions& options = {}) {
    auto question = ask(ctx, model, ids, options);
    LedgerObserver<B, Rules> observer(model, question.pass);
    model.relevance(ctx, question.pass, question.seeds, observer);
    return observer.ledger();
}

}  // namespace lrp
