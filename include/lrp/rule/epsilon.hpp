// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/rule.hpp>
#include <lrp/rule/stabilizer.hpp>

namespace lrp {

/// Ops the epsilon rule admits: those linear in their input, sums, and products taken as linear in the second factor.
template <class O>
concept EpsilonAdmits = LinearOp<O> || AdditiveOp<O> || BilinearOp<O>;

namespace detail {
template <class O>
struct epsilon_admission {
    static_assert(EpsilonAdmits<O>,
                  "EpsilonRule admits ops that are linear in their input (Linear, Rope, Add) and products with the first factor held constant "
                  "(MatMul, Multiply); for a softmax use TaylorRule, UniformRule or StopRule, for a norm or a pointwise op IdentityRule");
    static constexpr bool value = true;
};
}  // namespace detail

/// The epsilon rule: each input's share of the stabilised output.
/// Relevance form (linear): R_x = x * W^T (R_z / stab(z)), z with the bias. Coefficient form: c_x = W^T (d(z) * c_z), d = z / stab(z).
/// Sum: both addends get d(y) c_y. Product a, b: a is held constant (coefficient 0) and b gets everything, c_b = a d(y) c_y.
/// epsilon = 0 (the default) is LRP-0: d = 1 and nothing is saved; else the op's output must have been saved.
/// Conserves up to the bias's share and the damping. Source: Bach et al. 2015, equation 58; Achtibat et al. 2024, equation 8.
template <class O>
    requires(detail::epsilon_admission<O>::value)
struct EpsilonRule {
    using op = O;
    static constexpr std::string_view name = "EpsilonRule";
    double epsilon = 0;

    [[nodiscard]] bool reads_output() const { return epsilon != 0; }
    [[nodiscard]] bool reads_input() const
        requires LinearOp<O>
    {
        return false;
    }
    [[nodiscard]] std::optional<Shares> shares() const
        requires BilinearOp<O>
    {
        return epsilon == 0 ? std::optional<Shares>({0, 1}) : std::nullopt;
    }

    template <Context C, class T = typename C::scalar>
        requires(!BilinearOp<O>)
    void propagate(C& ctx, const params_t<O, C>& p, const typename O::template Saved<T>& s, CoefficientIn<C> c_y,
                   CoefficientOut<C> c_x, Write write = {}) const {
        detail::with_damping(ctx, epsilon, s.output, c_y, "EpsilonRule", [&](CoefficientIn<C> c) { O::vjp(ctx, p, s, c, c_x, write); });
    }

    template <Context C, class T = typename C::scalar>
        requires BilinearOp<O>
    void propagate(C& ctx, const params_t<O, C>& p, const typename O::template Saved<T>& s, CoefficientIn<C> c_y,
                   CoefficientOut<C> c_a, CoefficientOut<C> c_b, Write write = {}) const {
        detail::with_damping(ctx, epsilon, s.output, c_y, "EpsilonRule", [&](CoefficientIn<C> c) {
            O::vjp_second(ctx, p, s, c, c_b, write);
            if (!write.accumulate) C::backend::fill(ctx, c_a, T(0));
        });
    }
};

}  // namespace lrp
