// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The admission table of docs/math.md, section 2: which rule takes which op. Nothing here runs; the file compiles or it does not.
#include <lrp/op/embedding.hpp>
#include <lrp/op/gelu.hpp>
#include <lrp/op/layer_norm.hpp>
#include <lrp/op/relu.hpp>
#include <lrp/op/rope.hpp>
#include <lrp/op/tanh.hpp>
#include <lrp/rule/composite.hpp>

using namespace lrp;

namespace {

enum Rules : unsigned { epsilon = 1, identity = 2, uniform = 4, taylor = 8, gamma = 16, stop = 32, gradient = 64 };

template <class O>
constexpr unsigned admitted = (EpsilonAdmits<O> ? epsilon : 0u) | (IdentityAdmits<O> ? identity : 0u) | (UniformAdmits<O> ? uniform : 0u) |
                              (TaylorAdmits<O> ? taylor : 0u) | (GammaAdmits<O> ? gamma : 0u) | (StopAdmits<O> ? stop : 0u) |
                              (GradientAdmits<O> ? gradient : 0u);
constexpr unsigned always = stop | gradient;

static_assert(admitted<Linear> == (always | epsilon | gamma));
static_assert(admitted<Rope> == (always | epsilon));
static_assert(admitted<Add> == (always | epsilon));
static_assert(admitted<MatMul> == (always | epsilon | uniform));
static_assert(admitted<Multiply> == (always | epsilon | uniform));
static_assert(admitted<Softmax> == (always | uniform | taylor));
static_assert(admitted<RMSNorm> == (always | identity));
static_assert(admitted<LayerNorm> == (always | identity));
static_assert(admitted<SiLU> == (always | identity));
static_assert(admitted<GELU> == (always | identity));
static_assert(admitted<TanhGELU> == (always | identity));
static_assert(admitted<ReLU> == (always | identity));
static_assert(admitted<Tanh> == (always | identity));
static_assert(admitted<Embedding> == always);
static_assert(admitted<int> == 0);

// What is admitted is a rule, for its op and no other.
static_assert(RuleFor<EpsilonRule<Linear>, Linear> && !RuleFor<EpsilonRule<Linear>, MatMul>);
static_assert(RuleFor<UniformRule<Softmax>, Softmax> && RuleFor<UniformRule<MatMul>, MatMul> && RuleFor<GammaRule<Linear>, Linear>);
static_assert(RuleFor<TaylorRule<Softmax>, Softmax> && RuleFor<StopRule<Embedding>, Embedding> &&
              RuleFor<GradientRule<LayerNorm>, LayerNorm>);
static_assert(!Rule<Linear> && !Rule<int> && !Op<int> && !Op<EpsilonRule<Linear>>);

// Rules are values: they may be copied into a kernel.
static_assert(std::is_trivially_copyable_v<EpsilonRule<Linear>> && std::is_trivially_copyable_v<GammaRule<Linear>>);
static_assert(std::is_empty_v<Linear> && std::is_empty_v<Softmax> && std::is_empty_v<TaylorRule<Softmax>> &&
              std::is_empty_v<StopRule<Linear>>);

}  // namespace
