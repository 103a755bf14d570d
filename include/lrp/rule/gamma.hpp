// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/linear.hpp>
#include <lrp/rule/epsilon.hpp>
#include <lrp/rule/rule.hpp>
#include <lrp/rule/stabilizer.hpp>

namespace lrp {

/// Ops the gamma rule admits.
template <class O>
concept GammaAdmits = std::same_as<O, Linear>;

namespace detail {

template <class O>
struct gamma_admission {
    static_assert(GammaAdmits<O>, "GammaRule admits Linear only: it favours positive (or negative) weights, and no other op has weights");
    static constexpr bool value = true;
};

/// v + gamma max(v, 0), or v + gamma min(v, 0).
template <class T>
struct Favour {
    T gamma;
    bool positive;
    LRP_HD T operator()(T v) const { return (v > 0) == positive ? v + gamma * v : v; }
};
/// max(x, 0), or min(x, 0).
template <class T>
struct Part {
    bool positive;
    LRP_HD T operator()(T x) const { return (x > 0) == positive ? x : T(0); }
};
/// z c / stab(sum) where z has the sign asked for, 0 elsewhere. Zero counts as positive.
template <class T>
struct GammaShare {
    Stabilizer<T> stab;
    bool positive;
    LRP_HD T operator()(T z, T c, T sum) const { return (z >= 0) == positive && z != 0 ? z * c / stab(sum) : T(0); }
};
/// Of two candidates, the one for the sign of x. Zero counts as positive.
template <class T>
struct BySign {
    T scale;
    LRP_HD T operator()(T x, T for_positive, T for_negative) const { return scale * (x >= 0 ? for_positive : for_negative); }
};
template <class T>
struct BySignAdd {
    T scale;
    LRP_HD T operator()(T x, T for_positive, T for_negative, T old) const {
        return old + scale * (x >= 0 ? for_positive : for_negative);
    }
};

}  // namespace detail

/// The generalised gamma rule: contributions that agree with the output's sign weigh more.
/// With w' = w + gamma max(w, 0), w" = w + gamma min(w, 0) and x+, x- the positive and negative part of x: an output z > 0 is shared in
/// proportion to x+ w' + x- w", an output z < 0 to x+ w" + x- w', each over its own stabilised sum (bias included the same way). As
/// x+ and x- exclude each other no division by x is needed: c_x = S+ w' + S- w" where x >= 0, and S+ w" + S- w' where x < 0, with
/// S± = [z >< 0] z c_z / stab(sum). gamma = 0 is EpsilonRule, gamma -> infinity the z+ rule. Saves x and z.
/// Source: Montavon et al. 2019, section 10.2.3, and its generalisation to signed inputs by Andéol et al. 2021.
template <class O>
    requires(detail::gamma_admission<O>::value)
struct GammaRule {
    using op = O;
    static constexpr std::string_view name = "GammaRule";
    double gamma = 0.25;
    double epsilon = 1e-9;

    template <Context C, class T = typename C::scalar>
    void propagate(C& ctx, const params_t<Linear, C>& p, const Linear::Saved<T>& s, CoefficientIn<C> c_z, CoefficientOut<C> c_x,
                   Write write = {}) const {
        using B = typename C::backend;
        require(gamma >= 0, "GammaRule: gamma must not be negative, found ", gamma);
        require(epsilon >= 0, "GammaRule: epsilon must be 0 or positive, found ", epsilon);
        // The sums below are formed by other products than z; without a gamma z itself is at hand.
        if (gamma == 0) return EpsilonRule<Linear>{epsilon}.propagate(ctx, p, s, c_z, c_x, write);
        require_shape(s.input, c_z.rows, p.weight.cols, "GammaRule<Linear>: saved input");
        require_shape(s.output, c_z.rows, p.weight.rows, "GammaRule<Linear>: saved output");
        require_shape(c_x, c_z.rows, p.weight.cols, "GammaRule<Linear>: coefficient of the input");
        const View<const T> x = s.input;
        const T g = static_cast<T>(gamma);
        Tensor<B> up(ctx, p.weight.rows, p.weight.cols), down(ctx, p.weight.rows, p.weight.cols);
        const Widened<T, typename B::weight> weight{p.weight};
        B::map(ctx, detail::Favour<T>{g, true}, up.view(), weight);
        B::map(ctx, detail::Favour<T>{g, false}, down.view(), weight);
        Tensor<B> x_pos(ctx, x.rows, x.cols), x_neg(ctx, x.rows, x.cols);
        B::map(ctx, detail::Part<T>{true}, x_pos.view(), x);
        B::map(ctx, detail::Part<T>{false}, x_neg.view(), x);

        Tensor<B> share_pos(ctx, c_z.rows, c_z.cols), share_neg(ctx, c_z.rows, c_z.cols);
        const auto share = [&](Tensor<B>& out, bool positive) {  // S+ or S-
            const auto& agreeing = positive ? up : down;
            const auto& opposing = positive ? down : up;
            B::matmul(ctx, {.transpose_b = true}, std::as_const(x_pos).view(), agreeing.view(), out.view());
            B::matmul(ctx, {.transpose_b = true, .beta = 1}, std::as_const(x_neg).view(), opposing.view(), out.view());
            if (p.bias != nullptr) {
                Tensor<B> bias(ctx, 1, c_z.cols);
                B::map(ctx, detail::Favour<T>{g, positive}, bias.view(), View<const T>(p.bias, 1, c_z.cols));
                B::map(ctx, detail::AddTo<T>{}, out.view(), std::as_const(out).view(), PerColumn<T>{bias.view().data});
            }
            B::map(ctx, detail::GammaShare<T>{{static_cast<T>(epsilon)}, positive}, out.view(), View<const T>(s.output), View<const T>(c_z),
                   std::as_const(out).view());
        };
        share(share_pos, true);
        share(share_neg, false);

        // The scratch of x's parts now takes the coefficients for positive and for negative inputs.
        B::matmul(ctx, {}, std::as_const(share_pos).view(), std::as_const(up).view(), x_pos.view());
        B::matmul(ctx, {.beta = 1}, std::as_const(share_neg).view(), std::as_const(down).view(), x_pos.view());
        B::matmul(ctx, {}, std::as_const(share_pos).view(), std::as_const(down).view(), x_neg.view());
        B::matmul(ctx, {.beta = 1}, std::as_const(share_neg).view(), std::as_const(up).view(), x_neg.view());
        const T scale = static_cast<T>(write.scale);
        if (write.accumulate) {
            B::map(ctx, detail::BySignAdd<T>{scale}, c_x, x, std::as_const(x_pos).view(), std::as_const(x_neg).view(), View<const T>(c_x));
        } else {
            B::map(ctx, detail::BySign<T>{scale}, c_x, x, std::as_const(x_pos).view(), std::as_const(x_neg).view());
        }
    }
};

}  // namespace lrp
