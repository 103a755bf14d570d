// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The gated MLP, down(act(gate h) * up h): the forward pass and, box by box in reverse, its relevance.
#pragma once

#include <lrp/model/observer.hpp>
#include <lrp/op/gated_product.hpp>
#include <lrp/rule/composite.hpp>

namespace lrp {

/// What a gated MLP is applied with.
template <Context C>
struct GatedMlpParams {
    params_t<Linear, C> gate, up, down;  ///< [F, d], [F, d], [d, F]
};

/// What the forward pass keeps; T tokens, F neurons.
template <Backend B>
struct GatedMlpSaved {
    ActivationTensor<B> gate, act, up;  ///< [T, F]
    bool has_act = false;               ///< whether act was formed: only where somebody reads it
    ActivationTensor<B> neuron;         ///< [T, F] act * up; behind the layer's forward pass only where it is read (GatedMlpBlock::keeps_neuron)
    ActivationTensor<B> out;            ///< [T, d]; so, too (GatedMlpBlock::keeps_out)

    void resize(typename B::context& ctx, Index tokens, Index neurons) {
        for (auto* t : {&gate, &up}) t->resize(ctx, tokens, neurons);
    }
    /// Scalars of a pass that nobody watches; `inputs`: whether the rules read the inputs of projections.
    static Index scalars(Index tokens, Index neurons, bool inputs) { return (inputs ? 3 : 2) * tokens * neurons; }
};

/// Work space of the backward pass.
template <Backend B>
struct GatedMlpCoefficients {
    CoefficientTensor<B> act, up, neuron;  ///< [T, F]; act's place takes the gate's coefficient as well

    void resize(typename B::context& ctx, Index tokens, Index neurons) {
        for (auto* t : {&act, &up, &neuron}) t->resize(ctx, tokens, neurons);
    }
    static Index scalars(Index tokens, Index neurons) { return 3 * tokens * neurons; }
};

/// The MLP over normalised rows h [T, d] -> s.out [T, d].
template <Backend B, Composite Rules>
struct GatedMlpBlock {
    using T = typename B::scalar;
    using C = typename B::context;
    using Act = typename Rules::activation::op;

    /// Whether the backward pass reads s.neuron.
    static bool keeps_neuron(const Station<C>& at, const RuleSet<Rules>& rules) {
        return reads_input(rules.projection) || reads_output(rules.gating) || at.reads(Site::neuron);
    }
    /// Whether the backward pass reads s.out.
    static bool keeps_out(const Station<C>& at, const RuleSet<Rules>& rules) { return reads_output(rules.projection) || at.reads(Site::mlp_out); }

    static void forward(const Station<C>& at, const GatedMlpParams<C>& p, const RuleSet<Rules>& rules, Activation<const T> h, GatedMlpSaved<B>& s) {
        C& ctx = at.ctx;
        Linear::forward(ctx, p.gate, h, s.gate.view());
        at.activation(Site::gate, s.gate.view());
        s.has_act = false;
        if (at.reads_activation(Site::act)) {
            form_act(ctx, s);
            at.activation(Site::act, s.act.view());
        }
        Linear::forward(ctx, p.up, h, s.up.view());
        at.activation(Site::up, s.up.view());
        const bool only_saved = at.recomputed && !keeps_out(at, rules);
        if (only_saved && !keeps_neuron(at, rules)) return;
        form_neuron(ctx, s);
        at.activation(Site::neuron, s.neuron.view());
        if (only_saved) return;
        form_out(ctx, p, s);
        if (!keeps_neuron(at, rules)) s.neuron = {};
        at.activation(Site::mlp_out, s.out.view());
    }

    /// c_out at the block's output -> c_h at its input.
    static void relevance(const Station<C>& at, const GatedMlpParams<C>& p, const RuleSet<Rules>& rules, Activation<const T> h,
                          GatedMlpSaved<B>& s, GatedMlpCoefficients<B>& c, Coefficient<T> c_out, Coefficient<T> c_h) {
        C& ctx = at.ctx;
        const bool needs_out = s.out.empty() && keeps_out(at, rules);
        if (s.neuron.empty() && (needs_out || keeps_neuron(at, rules))) form_neuron(ctx, s);
        if (needs_out) form_out(ctx, p, s);
        at.relevance(Site::mlp_out, s.out.view(), c_out);
        rules.projection.propagate(ctx, p.down, {s.neuron.view(), s.out.view()}, c_out, c.neuron.view());
        at.relevance(Site::neuron, s.neuron.view(), c.neuron.view());
        const bool fused = gate_in_one_step(at, rules, s, c);
        if (!fused) {
            if (!s.has_act) form_act(ctx, s);
            rules.gating.propagate(ctx, {}, {s.act.view(), s.up.view(), s.neuron.view()}, c.neuron.view(), c.act.view(), c.up.view());
        }
        at.relevance(Site::up, s.up.view(), c.up.view());
        rules.projection.propagate(ctx, p.up, {h, s.up.view()}, c.up.view(), c_h);
        if (!fused) {
            at.relevance(Site::act, s.act.view(), c.act.view());
            rules.activation.propagate(ctx, {}, {s.gate.view(), s.act.view()}, c.act.view(), c.act.view());
        }
        at.relevance(Site::gate, s.gate.view(), c.act.view());
        rules.projection.propagate(ctx, p.gate, {h, s.gate.view()}, c.act.view(), c_h, {.accumulate = true});
    }

  private:
    static void form_neuron(C& ctx, GatedMlpSaved<B>& s) {
        s.neuron.resize(ctx, s.gate.rows(), s.gate.cols());
        if (s.has_act) {
            Multiply::forward(ctx, {}, s.act.view().as_const(), s.up.view().as_const(), s.neuron.view());
        } else {
            GatedProduct<Act>::forward(ctx, s.gate.view().as_const(), s.up.view().as_const(), s.neuron.view());
        }
    }

    static void form_out(C& ctx, const GatedMlpParams<C>& p, GatedMlpSaved<B>& s) {
        s.out.resize(ctx, s.neuron.rows(), p.down.weight.rows);
        Linear::forward(ctx, p.down, s.neuron.view(), s.out.view());
    }

    static void form_act(C& ctx, GatedMlpSaved<B>& s) {
        s.act.resize(ctx, s.gate.rows(), s.gate.cols());
        Act::forward(ctx, {}, s.gate.view().as_const(), s.act.view());
        s.has_act = true;
    }

    /// From neuron to gate and up at once, where nobody looks in between and both rules are of the form that allows it.
    static bool gate_in_one_step(const Station<C>& at, const RuleSet<Rules>& rules, const GatedMlpSaved<B>& s, GatedMlpCoefficients<B>& c) {
        if constexpr (SharingRule<typename Rules::gating> && FactorRule<typename Rules::activation>) {
            const std::optional<Shares> shares = rules.gating.shares();
            if (!shares || s.has_act || at.reads_relevance(Site::act)) return false;
            using Factor = typename Rules::activation::factor;
            GatedProduct<Act>::template backward<Factor>(at.ctx, shares->first, shares->second, s.gate.view(), s.up.view(), c.neuron.view(), c.act.view(),
                                                         c.up.view());
            return true;
        }
        return false;
    }
};

}  // namespace lrp
