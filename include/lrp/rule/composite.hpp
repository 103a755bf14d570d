// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A composite says which rule plays which role in a decoder layer: a named struct with one alias per role. To change one role, derive:
//   struct Mine : AttnLRP { using softmax = UniformRule<Softmax>; };
#pragma once

#include <lrp/op/add.hpp>
#include <lrp/op/linear.hpp>
#include <lrp/op/matmul.hpp>
#include <lrp/op/multiply.hpp>
#include <lrp/op/rms_norm.hpp>
#include <lrp/op/silu.hpp>
#include <lrp/op/softmax.hpp>
#include <lrp/rule/epsilon.hpp>
#include <lrp/rule/gamma.hpp>
#include <lrp/rule/gradient.hpp>
#include <lrp/rule/identity.hpp>
#include <lrp/rule/stop.hpp>
#include <lrp/rule/taylor.hpp>
#include <lrp/rule/uniform.hpp>

namespace lrp {

/// Whether R names a rule of the right kind of op for every role.
template <class R>
concept Composite = requires {
    typename R::norm;
    typename R::projection;
    typename R::scores;
    typename R::softmax;
    typename R::mix;
    typename R::activation;
    typename R::gating;
    typename R::residual;
} && NormOp<typename R::norm::op> && RuleFor<typename R::projection, Linear> && RuleFor<typename R::scores, MatMul> &&
    RuleFor<typename R::softmax, Softmax> && RuleFor<typename R::mix, MatMul> && PointwiseOp<typename R::activation::op> &&
    RuleFor<typename R::gating, Multiply> && RuleFor<typename R::residual, Add>;

/// For authors of a composite: fails to compile with one sentence for each role that is missing or of the wrong op.
template <class R>
consteval bool check_composite() {
    static_assert(requires { requires NormOp<typename R::norm::op>; }, "composite: role norm needs a rule of a norm, e.g. IdentityRule<RMSNorm>");
    static_assert(requires { requires RuleFor<typename R::projection, Linear>; }, "composite: role projection needs a rule of Linear");
    static_assert(requires { requires RuleFor<typename R::scores, MatMul>; }, "composite: role scores needs a rule of MatMul");
    static_assert(requires { requires RuleFor<typename R::softmax, Softmax>; }, "composite: role softmax needs a rule of Softmax");
    static_assert(requires { requires RuleFor<typename R::mix, MatMul>; }, "composite: role mix needs a rule of MatMul");
    static_assert(requires { requires PointwiseOp<typename R::activation::op>; },
                  "composite: role activation needs a rule of a pointwise op, e.g. IdentityRule<SiLU>");
    static_assert(requires { requires RuleFor<typename R::gating, Multiply>; }, "composite: role gating needs a rule of Multiply");
    static_assert(requires { requires RuleFor<typename R::residual, Add>; }, "composite: role residual needs a rule of Add");
    return Composite<R>;
}

/// The rules of a composite with their values (epsilon, gamma), one member per role; all defaults until set.
template <Composite R>
struct RuleSet {
    typename R::norm norm{};
    typename R::projection projection{};
    typename R::scores scores{};
    typename R::softmax softmax{};
    typename R::mix mix{};
    typename R::activation activation{};
    typename R::gating gating{};
    typename R::residual residual{};
};

}  // namespace lrp
