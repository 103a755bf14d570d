// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What a rule is. A rule `SomeRule<Op>` holds its own few values and has one function,
//   propagate(ctx, params, saved, c_y, c_x, write)          for ops with one input
//   propagate(ctx, params, saved, c_y, c_a, c_b, write)     for products of two inputs
// which takes the coefficient at the op's output to those at its inputs. Each rule's header says which ops it admits, as a concept;
// naming any other pair does not compile and says why in one sentence.
#pragma once

#include <optional>

#include <lrp/op/op.hpp>

namespace lrp {

/// A rule of a product that gives each input a fixed part of the plain derivative: c_a = first * dy/da c_y, c_b = second * dy/db c_y. Such a
/// rule says so as `std::optional<Shares> shares() const` (unset where its values do not allow it), and products may be fused with what
/// stands beside them.
struct Shares {
    double first = 1;
    double second = 1;
};

/// A rule of a pointwise op of the form c_x = F(x) c_y names the functor F as `factor`; a rule of softmax that is its plain derivative says
/// `plain = true`. For the same purpose.
template <class R>
concept SharingRule = requires(const R& rule) { { rule.shares() } -> std::same_as<std::optional<Shares>>; };
template <class R>
concept FactorRule = PointwiseOp<typename R::op> && requires { typename R::factor; };
template <class R>
concept PlainRule = bool(R::plain);

/// Whether a rule reads its op's output. One that does not says so as `bool reads_output() const`; a pass then need not keep what nobody else reads.
template <class R>
[[nodiscard]] constexpr bool reads_output(const R& rule) {
    if constexpr (requires { { rule.reads_output() } -> std::same_as<bool>; }) {
        return rule.reads_output();
    } else {
        return true;
    }
}

/// The same of its op's input: `bool reads_input() const`.
template <class R>
[[nodiscard]] constexpr bool reads_input(const R& rule) {
    if constexpr (requires { { rule.reads_input() } -> std::same_as<bool>; }) {
        return rule.reads_input();
    } else {
        return true;
    }
}

/// A rule: the op it is for, a name, and (checked where it is used) a fitting propagate.
template <class R>
concept Rule = requires {
    typename R::op;
    { R::name } -> std::convertible_to<std::string_view>;
} && Op<typename R::op> && std::default_initializable<R>;

/// A rule for the op O.
template <class R, class O>
concept RuleFor = Rule<R> && std::same_as<typename R::op, O>;

}  // namespace lrp
