// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What a tensor carries, as a type: an activation x, a coefficient c or a relevance R = x * c. One cannot be passed for another, so
// the multiplication by x is neither forgotten nor done twice.
#pragma once

#include <type_traits>

#include <lrp/core/tensor.hpp>

namespace lrp {

struct ActivationTag {};
struct CoefficientTag {};
struct RelevanceTag {};

/// A view that knows its meaning. It reads as a plain View where only arithmetic matters; the way back must be spelled out.
template <class Tag, class T>
struct Carrier : View<T> {
    Carrier() = default;
    LRP_HD explicit Carrier(const View<T>& view) : View<T>(view) {}
    template <class U>
        requires std::is_same_v<const U, T>
    LRP_HD Carrier(const Carrier<Tag, U>& other) : View<T>(static_cast<const View<U>&>(other)) {}
    template <class U>
        requires(!std::is_same_v<std::remove_const_t<U>, std::remove_const_t<T>>)
    Carrier(const Carrier<Tag, U>&) = delete;  // numbers of one scalar type are not read as those of another: op, context and tensors share one

    /// The same numbers for reading only.
    LRP_HD Carrier<Tag, const T> as_const() const { return *this; }
};

/// Values of the forward pass.
template <class T>
using Activation = Carrier<ActivationTag, T>;
/// What flows backward: at every tensor R = x * c; c = 1 at the explained logit (docs/math.md, section 1).
template <class T>
using Coefficient = Carrier<CoefficientTag, T>;
/// What a user reads.
template <class T>
using Relevance = Carrier<RelevanceTag, T>;

}  // namespace lrp
