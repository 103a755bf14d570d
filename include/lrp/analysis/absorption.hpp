// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What each rule absorbs, predicted from its definition and not from what it did: the difference between the relevance at an op's
// output and the sum over its inputs (docs/math.md, section 7).
#pragma once

#include <lrp/rule/composite.hpp>

namespace lrp {

/// One element of an op's output, in double: output y, coefficient c, input x (pointwise ops), bias b (Linear), and the row's squared
/// inverse norm times the norm's epsilon (norms).
struct AbsorptionTerm {
    double y = 0;
    double c = 0;
    double x = 0;
    double bias = 0;
    double norm_share = 0;
};

/// `element(rule, term)`: the relevance absorbed at one output element. A rule of your own takes part in the ledger by specialising this.
template <class R>
struct Absorption {
    static_assert(sizeof(R) == 0, "Absorption: the ledger does not know what this rule absorbs; specialise lrp::Absorption for it");
};

/// Linear: the bias's share, and the damping's.
template <>
struct Absorption<EpsilonRule<Linear>> {
    LRP_HD static double element(const EpsilonRule<Linear>& rule, const AbsorptionTerm& t) {
        if (rule.epsilon == 0) return t.bias * t.c;
        return t.c * (t.y - Stabilizer<double>{rule.epsilon}.damping(t.y) * (t.y - t.bias));
    }
};
template <>
struct Absorption<GradientRule<Linear>> {
    LRP_HD static double element(const GradientRule<Linear>&, const AbsorptionTerm& t) { return t.bias * t.c; }
};

/// Sums, and products in which all goes to the second factor or half to each: nothing but the damping.
template <class R>
    requires(std::same_as<R, EpsilonRule<Add>> || std::same_as<R, EpsilonRule<MatMul>> || std::same_as<R, EpsilonRule<Multiply>> ||
             std::same_as<R, UniformRule<MatMul>> || std::same_as<R, UniformRule<Multiply>>)
struct Absorption<R> {
    LRP_HD static double element(const R& rule, const AbsorptionTerm& t) {
        return rule.epsilon == 0 ? 0 : t.c * t.y * (1 - Stabilizer<double>{rule.epsilon}.damping(t.y));
    }
};
template <>
struct Absorption<GradientRule<Add>> {
    LRP_HD static double element(const GradientRule<Add>&, const AbsorptionTerm&) { return 0; }
};
/// A product's gradient counts the output once for each factor.
template <BilinearOp O>
struct Absorption<GradientRule<O>> {
    LRP_HD static double element(const GradientRule<O>&, const AbsorptionTerm& t) { return -t.y * t.c; }
};

/// Stopped at: all of it. (A softmax is a row, not an element: see SoftmaxAbsorption.)
template <Op O>
struct Absorption<StopRule<O>> {
    LRP_HD static double element(const StopRule<O>&, const AbsorptionTerm& t) { return t.y * t.c; }
};

/// Identity on a pointwise op or an RMSNorm: nothing.
template <class O>
    requires(PointwiseOp<O> || std::same_as<O, RMSNorm>)
struct Absorption<IdentityRule<O>> {
    LRP_HD static double element(const IdentityRule<O>&, const AbsorptionTerm&) { return 0; }
};
/// The gradient of y = f(x): y - x f'(x) is lost.
template <PointwiseOp O>
struct Absorption<GradientRule<O>> {
    LRP_HD static double element(const GradientRule<O>&, const AbsorptionTerm& t) {
        return t.c * (t.y - t.x * typename O::Derivative{}(t.x));
    }
};
/// The gradient of an RMSNorm, which does not see the length of x: all but the share of the norm's epsilon.
template <>
struct Absorption<GradientRule<RMSNorm>> {
    LRP_HD static double element(const GradientRule<RMSNorm>&, const AbsorptionTerm& t) { return t.y * t.c * (1 - t.norm_share); }
};

/// `row(rule, ...)`: what one softmax row absorbs, from the sums over its visible columns: in = sum s c, count = their number,
/// covariance = sum s x c - (sum s x)(sum s c), damped = sum of the damping factors of x.
struct SoftmaxRowSums {
    double in = 0;
    double covariance = 0;
    double damped = 0;
    double count = 0;
};
template <class R>
struct SoftmaxAbsorption;

template <class R>
    requires(std::same_as<R, TaylorRule<Softmax>> || std::same_as<R, GradientRule<Softmax>>)
struct SoftmaxAbsorption<R> {
    static constexpr double epsilon(const R&) { return 0; }
    LRP_HD static double row(const SoftmaxRowSums& s) { return s.in - s.covariance; }
};
template <>
struct SoftmaxAbsorption<StopRule<Softmax>> {
    static constexpr double epsilon(const StopRule<Softmax>&) { return 0; }
    LRP_HD static double row(const SoftmaxRowSums& s) { return s.in; }
};
template <>
struct SoftmaxAbsorption<UniformRule<Softmax>> {
    static constexpr double epsilon(const UniformRule<Softmax>& rule) { return rule.epsilon; }
    LRP_HD static double row(const SoftmaxRowSums& s) { return s.in * (1 - s.damped / s.count); }
};

}  // namespace lrp
