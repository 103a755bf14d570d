// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What an op is. An op is an empty struct with a name, nested `Params<T>` (what it is applied with) and `Saved<T>` (what its backward
// pass may read; always with a member `output`), `forward`, and its vector-Jacobian product `vjp`. It knows no rule.
#pragma once

#include <concepts>
#include <string_view>

#include <lrp/backend/backend.hpp>

namespace lrp {

/// How a backward step writes its result v: out <- scale * v, or out <- out + scale * v.
struct Write {
    double scale = 1;
    bool accumulate = false;

    [[nodiscard]] Write scaled(double factor) const { return {scale * factor, accumulate}; }
    [[nodiscard]] double beta() const { return accumulate ? 1.0 : 0.0; }
};

/// One element written as `write` says.
template <class T>
struct Store {
    T scale;
    bool accumulate;
    explicit Store(Write write) : scale(static_cast<T>(write.scale)), accumulate(write.accumulate) {}
    LRP_HD void operator()(T& out, T value) const { out = accumulate ? out + scale * value : scale * value; }
};

namespace detail {
template <class O, class C>
struct params_of {
    using type = typename O::template Params<typename C::scalar>;
};
template <class O, class C>
    requires(bool(O::weighted))
struct params_of<O, C> {
    using type = typename O::template Params<typename C::scalar, typename C::backend::weight>;
};
}  // namespace detail

/// What op O is applied with on a context. Ops whose parameters hold a matrix of weights say so as `weighted`.
template <class O, class C>
using params_t = typename detail::params_of<O, C>::type;

/// The argument types of ops and rules for a context: views of activations and coefficients, to read (In) or to write (Out).
template <Context C>
using ActivationIn = Activation<const typename C::scalar>;
template <Context C>
using ActivationOut = Activation<typename C::scalar>;
template <Context C>
using CoefficientIn = Coefficient<const typename C::scalar>;
template <Context C>
using CoefficientOut = Coefficient<typename C::scalar>;

/// Every op: a name, parameters, and what it saves.
template <class O>
concept Op = requires {
    { O::name } -> std::convertible_to<std::string_view>;
    typename O::template Params<float>;
    typename O::template Saved<float>;
};

/// y = M x with M independent of x: Linear, RoPE.
template <class O>
concept LinearOp = Op<O> && bool(O::linear);

/// y = a + b: both addends get the coefficient of the sum.
template <class O>
concept AdditiveOp = Op<O> && bool(O::additive);

/// y_i = f(x_i), with functors Value, Derivative and Ratio (f(x)/x in closed form).
template <class O>
concept PointwiseOp = Op<O> && requires {
    typename O::Value;
    typename O::Derivative;
    typename O::Ratio;
};

/// y is linear in a for fixed b and in b for fixed a: `vjp_first` and `vjp_second` give the two coefficients.
template <class O>
concept BilinearOp = Op<O> && bool(O::bilinear);

/// A norm: linear in x once its row statistic is held constant; `frozen_vjp` is that linear map transposed.
template <class O>
concept NormOp = Op<O> && bool(O::norm);

/// A row-wise softmax.
template <class O>
concept SoftmaxOp = Op<O> && bool(O::softmax);

/// A gather of rows: relevance stops here.
template <class O>
concept GatherOp = Op<O> && bool(O::gather);

}  // namespace lrp
