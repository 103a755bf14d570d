// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/carrier.hpp>

#include "support/catch.hpp"

using namespace lrp;

namespace {
template <class From, class To>
constexpr bool passes = std::is_convertible_v<From, To>;

template <class Tag, class Other>
constexpr bool apart = !passes<Carrier<Tag, float>, Carrier<Other, float>> && !passes<Carrier<Tag, float>, Carrier<Other, const float>> &&
                       !std::is_constructible_v<Carrier<Tag, const float>, Carrier<Other, double>>;
}  // namespace

// An activation, a coefficient and a relevance are not each other.
static_assert(apart<ActivationTag, CoefficientTag> && apart<ActivationTag, RelevanceTag>);
static_assert(apart<CoefficientTag, ActivationTag> && apart<CoefficientTag, RelevanceTag>);
static_assert(apart<RelevanceTag, ActivationTag> && apart<RelevanceTag, CoefficientTag>);

// A plain view becomes none of them by accident, only where it is said.
static_assert(!passes<View<float>, Activation<float>> && !passes<View<const float>, Activation<const float>>);
static_assert(!passes<View<float>, Coefficient<const float>> && !passes<View<float>, Relevance<const float>>);
static_assert(std::is_constructible_v<Activation<float>, View<float>>);

// Each reads as a plain view; what is const stays const.
static_assert(passes<Activation<float>, View<float>> && passes<Coefficient<float>, View<const float>>);
static_assert(passes<Activation<float>, Activation<const float>> && !passes<Activation<const float>, Activation<float>>);
static_assert(!passes<Activation<const float>, View<float>>);
static_assert(!passes<Activation<double>, Activation<float>> && !passes<Activation<double>, Activation<const float>>);

// They travel to a device like a pointer and four numbers.
static_assert(std::is_trivially_copyable_v<Activation<float>> && sizeof(Activation<float>) == sizeof(View<float>));

TEST_CASE("a carrier has the shape and the numbers of its view") {
    float numbers[6] = {0, 1, 2, 3, 4, 5};
    const Coefficient<float> c(View<float>(numbers, 2, 3));
    CHECK((c.rows == 2 && c.cols == 3 && c.stride == 3 && c(1, 2) == 5));
    c(1, 2) = 7;
    const Coefficient<const float> read = c.as_const();
    CHECK((read.data == c.data && read(1, 2) == 7));
    CHECK(Coefficient<float>().empty());
}
