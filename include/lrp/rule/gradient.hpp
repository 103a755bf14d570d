// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/rule.hpp>

namespace lrp {

/// Every op has a gradient.
template <class O>
concept GradientAdmits = Op<O>;

namespace detail {
template <class O>
struct gradient_admission {
    static_assert(GradientAdmits<O>, "GradientRule needs an op: a type with name, Params and Saved");
    static constexpr bool value = true;
};
template <class O>
struct derivative_of {
    using type = void;
};
template <PointwiseOp O>
struct derivative_of<O> {
    using type = typename O::Derivative;
};
}  // namespace detail

/// The plain vector-Jacobian product. With it in every role, relevance R = x c is Input x Gradient, the usual baseline; it conserves
/// nothing in general.
template <class O>
    requires(detail::gradient_admission<O>::value)
struct GradientRule {
    using op = O;
    static constexpr std::string_view name = "GradientRule";
    static constexpr bool plain = true;
    using factor = typename detail::derivative_of<O>::type;

    [[nodiscard]] bool reads_output() const
        requires(LinearOp<O> || NormOp<O>)
    {
        return false;
    }
    [[nodiscard]] bool reads_input() const
        requires LinearOp<O>
    {
        return false;
    }
    [[nodiscard]] std::optional<Shares> shares() const
        requires BilinearOp<O>
    {
        return Shares{1, 1};
    }

    template <Context C, class T = typename C::scalar>
        requires(!BilinearOp<O>)
    void propagate(C& ctx, const params_t<O, C>& p, const typename O::template Saved<T>& s, CoefficientIn<C> c_y,
                   CoefficientOut<C> c_x, Write write = {}) const {
        O::vjp(ctx, p, s, c_y, c_x, write);
    }

    template <Context C, class T = typename C::scalar>
        requires BilinearOp<O>
    void propagate(C& ctx, const params_t<O, C>& p, const typename O::template Saved<T>& s, CoefficientIn<C> c_y,
                   CoefficientOut<C> c_a, CoefficientOut<C> c_b, Write write = {}) const {
        O::vjp_first(ctx, p, s, c_y, c_a, write);
        O::vjp_second(ctx, p, s, c_y, c_b, write);
    }
};

}  // namespace lrp
