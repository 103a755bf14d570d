// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/softmax.hpp>
#include <lrp/rule/rule.hpp>

namespace lrp {

/// Ops the Taylor rule admits.
template <class O>
concept TaylorAdmits = SoftmaxOp<O>;

namespace detail {
template <class O>
struct taylor_admission {
    static_assert(TaylorAdmits<O>,
                  "TaylorRule admits Softmax only: other ops have a rule of their own (EpsilonRule for linear ops, UniformRule for products, "
                  "IdentityRule for norms and pointwise ops), and the plain derivative of any op is GradientRule");
    static constexpr bool value = true;
};
}  // namespace detail

/// The softmax as its first-order Taylor expansion at x, whose constant part absorbs relevance.
/// Relevance form: R_x = x (R_s - s sum_k R_s,k). Coefficient form: c_x = s (c_s - sum_k s_k c_k), the ordinary derivative.
/// Absorbs, per row, E_s[c_s] - Cov_s(x, c_s). Saves s. Source: Achtibat et al. 2024, proposition 3.1.
template <class O>
    requires(detail::taylor_admission<O>::value)
struct TaylorRule {
    using op = O;
    static constexpr std::string_view name = "TaylorRule";
    static constexpr bool plain = true;

    template <Context C, class T = typename C::scalar>
    void propagate(C& ctx, const params_t<O, C>& p, const typename O::template Saved<T>& s, CoefficientIn<C> c_y,
                   CoefficientOut<C> c_x, Write write = {}) const {
        O::vjp(ctx, p, s, c_y, c_x, write);
    }
};

}  // namespace lrp
