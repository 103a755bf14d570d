// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/linear.hpp>

namespace lrp {

/// Add: y = a + b, element by element; any shape. Backward: both addends receive c_y, so one coefficient serves both.
struct Add {
    static constexpr std::string_view name = "Add";
    static constexpr bool additive = true;

    template <class T>
    struct Params {};
    template <class T>
    struct Saved {
        Activation<const T> output;  ///< y; read where epsilon is not 0
    };

    template <class T>
    struct Scale {
        T scale;
        LRP_HD T operator()(T c) const { return scale * c; }
    };
    template <class T>
    struct ScaleAdd {
        T scale;
        LRP_HD T operator()(T c, T old) const { return old + scale * c; }
    };

    template <Context C, class T = typename C::scalar>
    static void forward(C& ctx, const Params<T>&, ActivationIn<C> a, ActivationIn<C> b, ActivationOut<C> y) {
        require_shape(b, a.rows, a.cols, "Add: second addend");
        require_shape(y, a.rows, a.cols, "Add: output");
        C::backend::map(ctx, detail::AddTo<T>{}, y, View<const T>(a), View<const T>(b));
    }

    /// The coefficient of either addend; `c` may be c_y itself, and then nothing is moved.
    template <Context C, class T = typename C::scalar>
    static void vjp(C& ctx, const Params<T>&, const Saved<T>&, CoefficientIn<C> c_y, CoefficientOut<C> c, Write write = {}) {
        if (c.data == c_y.data && write.scale == 1 && !write.accumulate) return;
        require_shape(c, c_y.rows, c_y.cols, "Add: coefficient of an addend");
        const T scale = static_cast<T>(write.scale);
        if (write.accumulate) {
            C::backend::map(ctx, ScaleAdd<T>{scale}, c, View<const T>(c_y), View<const T>(c));
        } else {
            C::backend::map(ctx, Scale<T>{scale}, c, View<const T>(c_y));
        }
    }
};

}  // namespace lrp
