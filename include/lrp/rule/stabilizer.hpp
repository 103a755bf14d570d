// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/op.hpp>

namespace lrp {

/// The sign-aware stabiliser: stab(z) = z + eps sgn(z) with sgn(0) = +1 (Bach et al. 2015, section 4.2.2).
template <class T>
struct Stabilizer {
    T epsilon;
    LRP_HD T operator()(T z) const { return z < 0 ? z - epsilon : z + epsilon; }

    /// The damping factor d(z) = z / stab(z) in [0, 1), with d(0) = 0.
    [[nodiscard]] LRP_HD T damping(T z) const { return z == 0 ? T(0) : z / (*this)(z); }
};

namespace detail {

template <class T>
struct Damp {
    Stabilizer<T> stab;
    LRP_HD T operator()(T z, T c) const { return stab.damping(z) * c; }
};

/// Calls `next(c)` with d(z) * c_z: the coefficient itself where epsilon is 0, else a damped copy.
template <Context C, class T, class Next>
void with_damping(C& ctx, double epsilon, const Activation<const T>& z, const Coefficient<const T>& c_z, const char* rule, const Next& next) {
    using B = typename C::backend;
    if (epsilon == 0) return next(c_z);
    require(epsilon > 0, rule, ": epsilon must be 0 or positive, found ", epsilon);
    require(z.rows == c_z.rows && z.cols == c_z.cols, rule, ": with epsilon ", epsilon, " the op's output [", c_z.rows, ", ", c_z.cols,
            "] must have been saved, found [", z.rows, ", ", z.cols, "]");
    CoefficientTensor<B> damped(ctx, c_z.rows, c_z.cols);
    B::map(ctx, Damp<T>{{static_cast<T>(epsilon)}}, damped.view(), View<const T>(z), View<const T>(c_z));
    next(damped.view().as_const());
}

}  // namespace detail

}  // namespace lrp
