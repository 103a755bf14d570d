// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/op.hpp>

namespace lrp {

namespace detail {
template <class T>
struct AddTo {
    LRP_HD T operator()(T a, T b) const { return a + b; }
};
}  // namespace detail

/// Linear: z = x W^T + b.
/// x [T, in], W [out, in], b [out] or none, z [T, out]. Backward: c_x = c_z W.
struct Linear {
    static constexpr std::string_view name = "Linear";
    static constexpr bool linear = true;
    static constexpr bool weighted = true;

    template <class T, Storage W = T>
    struct Params {
        View<const W> weight;     ///< [out, in]
        const T* bias = nullptr;  ///< [out]; nullptr: none
    };
    template <class T>
    struct Saved {
        Activation<const T> input;   ///< x; read by GammaRule
        Activation<const T> output;  ///< z; read where epsilon is not 0
    };

    template <Context C, class T = typename C::scalar>
    static void forward(C& ctx, const params_t<Linear, C>& p, ActivationIn<C> x, ActivationOut<C> z) {
        using B = typename C::backend;
        require(x.cols == p.weight.cols, "Linear: the input has ", x.cols, " columns, the weight takes ", p.weight.cols);
        require_shape(z, x.rows, p.weight.rows, "Linear: output");
        B::matmul(ctx, {.transpose_b = true}, x, p.weight, z);
        if (p.bias != nullptr) B::map(ctx, detail::AddTo<T>{}, z, View<const T>(z), PerColumn<T>{p.bias});
    }

    template <Context C, class T = typename C::scalar>
    static void vjp(C& ctx, const params_t<Linear, C>& p, const Saved<T>&, CoefficientIn<C> c_z, CoefficientOut<C> c_x, Write write = {}) {
        require(c_z.cols == p.weight.rows, "Linear: the coefficient has ", c_z.cols, " columns, the weight gives ", p.weight.rows);
        require_shape(c_x, c_z.rows, p.weight.cols, "Linear: coefficient of the input");
        C::backend::matmul(ctx, {.alpha = write.scale, .beta = write.beta()}, c_z, p.weight, c_x);
    }
};

}  // namespace lrp
