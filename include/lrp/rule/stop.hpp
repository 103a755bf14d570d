// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/rule/rule.hpp>

namespace lrp {

/// Every op can be stopped at.
template <class O>
concept StopAdmits = Op<O>;

namespace detail {
template <class O>
struct stop_admission {
    static_assert(StopAdmits<O>, "StopRule needs an op: a type with name, Params and Saved");
    static constexpr bool value = true;
};
}  // namespace detail

/// Nothing passes: the op's inputs are taken as constants, c_x = 0, and all relevance at its output is absorbed. Saves nothing.
/// CP-LRP stops at the softmax (Ali et al. 2022); every method stops at the embedding.
template <class O>
    requires(detail::stop_admission<O>::value)
struct StopRule {
    using op = O;
    static constexpr std::string_view name = "StopRule";
    struct Zero {
        template <class T>
        LRP_HD T operator()(T) const {
            return T(0);
        }
    };
    using factor = Zero;

    [[nodiscard]] bool reads_output() const { return false; }
    [[nodiscard]] bool reads_input() const { return false; }
    [[nodiscard]] std::optional<Shares> shares() const
        requires BilinearOp<O>
    {
        return Shares{0, 0};
    }

    template <Context C, class T = typename C::scalar>
        requires(!BilinearOp<O>)
    void propagate(C& ctx, const params_t<O, C>&, const typename O::template Saved<T>&, CoefficientIn<C>,
                   CoefficientOut<C> c_x, Write write = {}) const {
        if (!write.accumulate) C::backend::fill(ctx, c_x, T(0));
    }

    template <Context C, class T = typename C::scalar>
        requires BilinearOp<O>
    void propagate(C& ctx, const params_t<O, C>&, const typename O::template Saved<T>&, CoefficientIn<C>,
                   CoefficientOut<C> c_a, CoefficientOut<C> c_b, Write write = {}) const {
        if (write.accumulate) return;
        C::backend::fill(ctx, c_a, T(0));
        C::backend::fill(ctx, c_b, T(0));
    }
};

}  // namespace lrp
