// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What a rule is. A rule `SomeRule<Op>` holds its own few values and has one function,
//   propagate(ctx, params, saved, c_y, c_x, write)          for ops with one input
//   propagate(ctx, params, saved, c_y, c_a, c_b, write)     for products of two inputs
// which takes the coefficient at the op's output to those at its inputs. Each rule's header says which ops it admits, as a concept;
// naming any other pair does not compile and says why in one sentence.
#pragma once

#include <lrp/op/op.hpp>

namespace lrp {

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
