// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Observers: one mechanism for reading and for changing what flows through a model. An observer is any type with one or both of
//   activation(ctx, SiteRef, Activation<T> x)                              during the forward pass; may write to x
//   relevance(ctx, SiteRef, Activation<const T> x, Coefficient<T> c)       during the backward pass; may write to c
// called at every site in the order of computation. What it lacks is not called and costs nothing.
#pragma once

#include <tuple>

#include <lrp/backend/backend.hpp>
#include <lrp/core/site.hpp>

namespace lrp {

template <class O, class C>
concept ObservesActivation = requires(O& observer, C& ctx, SiteRef site, Activation<typename C::scalar> x) { observer.activation(ctx, site, x); };

template <class O, class C>
concept ObservesRelevance =
    requires(O& observer, C& ctx, SiteRef site, Activation<const typename C::scalar> x, Coefficient<typename C::scalar> c) {
        observer.relevance(ctx, site, x, c);
    };

/// Looks at nothing.
struct NullObserver {};

/// What may be passed as an observer. A type with neither function (a misspelt one, say) is refused; NullObserver says it on purpose.
template <class O, class C>
concept ObserverFor = std::same_as<O, NullObserver> || ObservesActivation<O, C> || ObservesRelevance<O, C>;

/// Several observers in turn.
template <class... Observers>
class ObserverChain {
  public:
    explicit ObserverChain(Observers&... observers) : observers_(observers...) {}

    template <Context C>
    void activation(C& ctx, SiteRef site, Activation<typename C::scalar> x) {
        const auto call = [&](auto& observer) {
            if constexpr (requires { observer.activation(ctx, site, x); }) observer.activation(ctx, site, x);
        };
        std::apply([&](auto&... each) { (call(each), ...); }, observers_);
    }
    template <Context C>
    void relevance(C& ctx, SiteRef site, Activation<const typename C::scalar> x, Coefficient<typename C::scalar> c) {
        const auto call = [&](auto& observer) {
            if constexpr (requires { observer.relevance(ctx, site, x, c); }) observer.relevance(ctx, site, x, c);
        };
        std::apply([&](auto&... each) { (call(each), ...); }, observers_);
    }

  private:
    std::tuple<Observers&...> observers_;
};

/// Where a block stands while it runs: its context, its layer, and who watches.
template <Context C, class O>
    requires ObserverFor<O, C>
struct Station {
    C& ctx;
    O& observer;
    Index layer = 0;
    bool recomputed = false;

    void activation(Site site, Activation<typename C::scalar> x) const {
        if constexpr (ObservesActivation<O, C>) observer.activation(ctx, SiteRef{site, layer, recomputed}, x);
    }
    void relevance(Site site, Activation<const typename C::scalar> x, Coefficient<typename C::scalar> c) const {
        if constexpr (ObservesRelevance<O, C>) observer.relevance(ctx, SiteRef{site, layer, recomputed}, x, c);
    }
};

}  // namespace lrp
