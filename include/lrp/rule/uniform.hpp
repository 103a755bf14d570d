// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/softmax.hpp>
#include <lrp/rule/rule.hpp>
#include <lrp/rule/stabilizer.hpp>

namespace lrp {

/// Ops the uniform rule admits: products of two inputs, and softmax.
template <class O>
concept UniformAdmits = BilinearOp<O> || std::same_as<O, Softmax>;

namespace detail {

template <class O>
struct uniform_admission {
    static_assert(UniformAdmits<O>,
                  "UniformRule admits products of two inputs (MatMul, Multiply) and Softmax; for a linear op use EpsilonRule, for a norm or a "
                  "pointwise op IdentityRule");
    static constexpr bool value = true;
};

template <class T>
struct UniformSoftmaxRow {
    Softmax::Params<T> p;
    Stabilizer<T> stab;
    View<const T> x;
    View<const T> s;
    View<const T> c_s;
    View<T> c_x;
    Store<T> store;
    template <Group G>
    LRP_HD void operator()(G& group, Index row) const {
        using A = sum_t<G, T>;
        const Index count = p.visible(row, x.cols);
        const A total = row_sum<A>(group, count, [&](Index col) { return static_cast<A>(s(row, col)) * c_s(row, col); });
        const T share = static_cast<T>(total / static_cast<A>(count));
        row_each(group, x.cols, [&](Index col) { store(c_x(row, col), col < count ? share / stab(x(row, col)) : T(0)); });
    }
};

}  // namespace detail

/// The uniform rule: every input gets the same share.
/// Product y = a b (element-wise, or a matrix product): R_a = R_b = R_y / 2, so c_a = b c_y / 2, c_b = a c_y / 2, with damping d(y) if
/// epsilon is not 0. Conserves. Source: Achtibat et al. 2024, equation 7 and proposition 3.3.
template <class O>
    requires(detail::uniform_admission<O>::value)
struct UniformRule {
    using op = O;
    static constexpr std::string_view name = "UniformRule";
    double epsilon = 0;

    [[nodiscard]] bool reads_output() const { return epsilon != 0; }
    [[nodiscard]] std::optional<Shares> shares() const { return epsilon == 0 ? std::optional<Shares>({0.5, 0.5}) : std::nullopt; }

    template <Context C, class T = typename C::scalar>
    void propagate(C& ctx, const params_t<O, C>& p, const typename O::template Saved<T>& s, CoefficientIn<C> c_y,
                   CoefficientOut<C> c_a, CoefficientOut<C> c_b, Write write = {}) const {
        detail::with_damping(ctx, epsilon, s.output, c_y, "UniformRule", [&](CoefficientIn<C> c) {
            O::vjp_first(ctx, p, s, c, c_a, write.scaled(0.5));
            O::vjp_second(ctx, p, s, c, c_b, write.scaled(0.5));
        });
    }
};

/// Softmax under the uniform rule. For a row with n visible columns: R_x,j = (1/n) sum_k R_s,k for visible j, 0 for the others, and
/// c_x,j = R_x,j / stab(x_j). Conserves each row up to the damping where x_j is near 0. It is not what AttnLRP prescribes for softmax
/// (that is TaylorRule<Softmax>); it is offered because rules are free to combine. Saves x and s.
template <>
struct UniformRule<Softmax> {
    using op = Softmax;
    static constexpr std::string_view name = "UniformRule";
    double epsilon = 1e-6;

    template <Context C, class T = typename C::scalar>
    void propagate(C& ctx, const Softmax::Params<T>& p, const Softmax::Saved<T>& s, CoefficientIn<C> c_s, CoefficientOut<C> c_x,
                   Write write = {}) const {
        require(epsilon >= 0, "UniformRule<Softmax>: epsilon must be 0 or positive, found ", epsilon);
        require_shape(s.input, c_s.rows, c_s.cols, "UniformRule<Softmax>: saved input");
        C::backend::for_each_row(ctx, c_s.rows, c_s.cols,
                                 detail::UniformSoftmaxRow<T>{p, {static_cast<T>(epsilon)}, s.input, s.output, c_s, c_x, Store<T>(write)});
    }
};

}  // namespace lrp
