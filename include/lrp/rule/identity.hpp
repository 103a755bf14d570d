// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/rule.hpp>

namespace lrp {

/// Ops the identity rule admits: one output per input (pointwise), and norms with their row statistic held constant.
template <class O>
concept IdentityAdmits = PointwiseOp<O> || NormOp<O>;

namespace detail {
template <class O>
struct identity_admission {
    static_assert(IdentityAdmits<O>,
                  "IdentityRule admits pointwise ops (SiLU, GELU, TanhGELU, ReLU, Tanh) and norms (RMSNorm, LayerNorm), where an output belongs "
                  "to one input; for a linear op use EpsilonRule, for a product UniformRule, for a softmax TaylorRule");
    static constexpr bool value = true;
};
template <class O>
struct ratio_of {
    using type = void;
};
template <PointwiseOp O>
struct ratio_of<O> {
    using type = typename O::Ratio;
};
}  // namespace detail

/// The identity rule: an output's relevance belongs to its input whole.
/// Pointwise: R_x = R_y, so c_x = (f(x) / x) c_y, the quotient in closed form. RMSNorm: r held constant, c_x = r w c_y, R_x = R_y.
/// LayerNorm: sigma held constant, the mean not: h = (w / sigma) c_y, c_x = h - mean(h); loses the bias's share b c_y.
/// Source: Achtibat et al. 2024, equation 9 and proposition 3.4.
template <class O>
    requires(detail::identity_admission<O>::value)
struct IdentityRule {
    using op = O;
    static constexpr std::string_view name = "IdentityRule";
    using factor = typename detail::ratio_of<O>::type;

    [[nodiscard]] bool reads_output() const
        requires NormOp<O>
    {
        return false;
    }

    template <Context C, class T = typename C::scalar>
    void propagate(C& ctx, const params_t<O, C>& p, const typename O::template Saved<T>& s, CoefficientIn<C> c_y,
                   CoefficientOut<C> c_x, Write write = {}) const {
        if constexpr (NormOp<O>) {
            O::frozen_vjp(ctx, p, s, c_y, c_x, write);
        } else {
            O::ratio_vjp(ctx, p, s, c_y, c_x, write);
        }
    }
};

}  // namespace lrp
