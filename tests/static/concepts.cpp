// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Backends, contexts and composites as their concepts see them. Nothing here runs; the file compiles or it does not.
#include <lrp/backend/native.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>
#include <lrp/rule/preset/gradient.hpp>

#include "support/counting_backend.hpp"

using namespace lrp;

namespace {

template <class T>
using Counted = test::CountingBackend<ReferenceBackend<T>>;

static_assert(Backend<ReferenceBackend<float>> && Backend<ReferenceBackend<double>> && !Backend<int>);
static_assert(Backend<Counted<float>> && Backend<Counted<double>>);  // what counts must not hide a primitive
static_assert(Context<ReferenceBackend<float>::context> && !Context<ReferenceBackend<float>>);
static_assert(std::same_as<ReferenceBackend<double>::context::scalar, double>);

struct OfHalf : ReferenceBackend<float> {
    using scalar = int;
};
static_assert(!HasTypes<OfHalf>);

struct Fused : ReferenceBackend<float> {
    static constexpr std::array native{Native::softmax};
};
static_assert(is_native<Fused>(Native::softmax) && !is_native<ReferenceBackend<float>>(Native::softmax));
static_assert(native_names.size() == 3 && native_names[static_cast<std::size_t>(Native::softmax)] == "softmax" &&
              native_names[static_cast<std::size_t>(Native::tiles)] == "tiles" &&
              native_names[static_cast<std::size_t>(Native::attention)] == "attention");

struct Empty {};
struct WrongRole : AttnLRP {
    using gating = EpsilonRule<Linear>;
};
struct OtherNorm : AttnLRP {
    using activation = IdentityRule<SiLU>;
    using norm = GradientRule<RMSNorm>;
};
static_assert(Composite<AttnLRP> && Composite<CpLRP> && Composite<Gradient> && Composite<OtherNorm>);
static_assert(!Composite<Empty> && !Composite<WrongRole> && !Composite<int>);
static_assert(check_composite<AttnLRP>() && check_composite<CpLRP>() && check_composite<Gradient>());

}  // namespace
