// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// From coefficients to relevance and back, for reading results and for applying one rule by itself.
#pragma once

#include <lrp/op/multiply.hpp>
#include <lrp/rule/rule.hpp>

namespace lrp {

namespace detail {
template <class T>
struct Share {
    LRP_HD T operator()(T relevance, T value) const { return value == 0 ? T(0) : relevance / value; }
};
}  // namespace detail

/// R = x * c, element by element.
template <Context C>
void to_relevance(C& ctx, ActivationIn<C> x, CoefficientIn<C> c, Relevance<typename C::scalar> r) {
    using T = typename C::scalar;
    require_shape(r, x.rows, x.cols, "relevance");
    require_shape(c, x.rows, x.cols, "coefficient");
    C::backend::map(ctx, Multiply::Times<T>{}, r, View<const T>(x), View<const T>(c));
}

/// c = R / x, and 0 where x is 0: what relevance at an op's output means as a coefficient. Rules damp by epsilon themselves.
template <Context C>
void to_coefficient(C& ctx, ActivationIn<C> x, Relevance<const typename C::scalar> r, CoefficientOut<C> c) {
    using T = typename C::scalar;
    require_shape(c, x.rows, x.cols, "coefficient");
    require_shape(r, x.rows, x.cols, "relevance");
    C::backend::map(ctx, detail::Share<T>{}, c, View<const T>(r), View<const T>(x));
}

/// One rule in relevance form: R at the op's output in, R at its input out. For ops with one input; `saved` must hold both.
template <Context C, Rule R, class T = typename C::scalar>
void propagate_relevance(C& ctx, const R& rule, const params_t<typename R::op, C>& p, const typename R::op::template Saved<T>& s,
                         Relevance<const T> r_y, Relevance<T> r_x) {
    using B = typename C::backend;
    CoefficientTensor<B> c_y(ctx, r_y.rows, r_y.cols), c_x(ctx, r_x.rows, r_x.cols);
    to_coefficient(ctx, s.output, r_y, c_y.view());
    rule.propagate(ctx, p, s, c_y.view().as_const(), c_x.view());
    to_relevance(ctx, s.input, c_x.view().as_const(), r_x);
}

}  // namespace lrp
