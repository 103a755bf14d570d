// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Observers: one mechanism for reading and for changing what flows through a model. An observer is any type with one or both of
//   activation(ctx, SiteRef, Activation<T> x)                              during the forward pass; may write to x
//   relevance(ctx, SiteRef, Activation<const T> x, Coefficient<T> c)       during the backward pass; may write to c
// called at every site in the order of computation. What it lacks is not called and costs nothing. An observer that looks at few sites may say
//   bool reads(Site) const
// and the pass then leaves out what nobody reads: attention without its T x T matrices, the gate without its parts. One that can do with a last
// layer that holds the explained rows alone (SiteRef::rows) says so by `static constexpr bool takes_rows = true`.
#pragma once

#include <memory>
#include <span>
#include <tuple>
#include <type_traits>

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

/// Whether an observer looks at a site: what it says, or true if it says nothing.
template <class O>
[[nodiscard]] bool reads_site(const O& observer, Site site) {
    if constexpr (requires { { observer.reads(site) } -> std::convertible_to<bool>; }) {
        return observer.reads(site);
    } else {
        return true;
    }
}

/// Whether an observer can do with some of the rows.
template <class O>
inline constexpr bool takes_rows = std::same_as<O, NullObserver> || requires { requires bool(O::takes_rows); };

/// Several observers in turn, each at the sites that it reads.
template <class... Observers>
class ObserverChain {
  public:
    static constexpr bool takes_rows = (lrp::takes_rows<std::remove_cvref_t<Observers>> && ...);

    explicit ObserverChain(Observers&... observers) : observers_(observers...) {}

    template <Context C>
    void activation(C& ctx, SiteRef site, Activation<typename C::scalar> x) {
        const auto call = [&](auto& observer) {
            if constexpr (requires { observer.activation(ctx, site, x); }) {
                if (reads_site(observer, site.site)) observer.activation(ctx, site, x);
            }
        };
        std::apply([&](auto&... each) { (call(each), ...); }, observers_);
    }
    template <Context C>
    void relevance(C& ctx, SiteRef site, Activation<const typename C::scalar> x, Coefficient<typename C::scalar> c) {
        const auto call = [&](auto& observer) {
            if constexpr (requires { observer.relevance(ctx, site, x, c); }) {
                if (reads_site(observer, site.site)) observer.relevance(ctx, site, x, c);
            }
        };
        std::apply([&](auto&... each) { (call(each), ...); }, observers_);
    }

    /// Whether one of those that can look at a site does.
    [[nodiscard]] bool reads(Site site) const {
        const auto looks = [&]<class O>(const O& observer) { return !std::same_as<O, NullObserver> && reads_site(observer, site); };
        return std::apply([&](const auto&... each) { return (looks(each) || ...); }, observers_);
    }

  private:
    std::tuple<Observers&...> observers_;
};

/// Refers to an observer of whatever type, or to nobody, so that a pass is compiled once whoever watches. The observer must outlive it.
template <Context C>
class Watch {
  public:
    using T = typename C::scalar;

    Watch() = default;
    template <class O>
        requires(!std::same_as<std::remove_cvref_t<O>, Watch>)
    Watch(O&& observer) : object_(const_cast<void*>(static_cast<const void*>(std::addressof(observer)))), calls_(&calls_of<std::remove_reference_t<O>>) {
        static_assert(ObserverFor<std::remove_cvref_t<O>, C>,
                      "observer: expected activation(ctx, SiteRef, Activation<T>) or relevance(ctx, SiteRef, Activation<const T>, Coefficient<T>), found neither");
    }

    /// Whether the observer looks at the site in a forward pass, or in a backward pass.
    [[nodiscard]] bool reads_activation(Site site) const { return calls_->activation != nullptr && calls_->reads(object_, site); }
    [[nodiscard]] bool reads_relevance(Site site) const { return calls_->relevance != nullptr && calls_->reads(object_, site); }
    [[nodiscard]] bool takes_rows() const { return calls_->takes_rows; }

    void activation(C& ctx, SiteRef site, Activation<T> x) const { calls_->activation(object_, ctx, site, x); }
    void relevance(C& ctx, SiteRef site, Activation<const T> x, Coefficient<T> c) const { calls_->relevance(object_, ctx, site, x, c); }

  private:
    struct Calls {
        void (*activation)(void*, C&, SiteRef, Activation<T>) = nullptr;
        void (*relevance)(void*, C&, SiteRef, Activation<const T>, Coefficient<T>) = nullptr;
        bool (*reads)(const void*, Site) = nullptr;
        bool takes_rows = true;
    };
    template <class O>
    static constexpr Calls make_calls() {
        Calls calls{.reads = [](const void* object, Site site) { return reads_site(*static_cast<const O*>(object), site); },
                    .takes_rows = lrp::takes_rows<std::remove_const_t<O>>};
        if constexpr (ObservesActivation<O, C>)
            calls.activation = [](void* object, C& ctx, SiteRef site, Activation<T> x) { static_cast<O*>(object)->activation(ctx, site, x); };
        if constexpr (ObservesRelevance<O, C>)
            calls.relevance = [](void* object, C& ctx, SiteRef site, Activation<const T> x, Coefficient<T> c) {
                static_cast<O*>(object)->relevance(ctx, site, x, c);
            };
        return calls;
    }
    template <class O>
    static constexpr Calls calls_of = make_calls<O>();

    void* object_ = nullptr;
    const Calls* calls_ = &calls_of<NullObserver>;
};

/// Where a block stands while it runs: its context, its layer, and who watches.
template <Context C>
struct Station {
    C& ctx;
    Watch<C> observer{};
    Index layer = 0;
    bool recomputed = false;
    std::span<const RowSpan> tails{};  ///< the rows that this layer's queries stand for; empty: all
    std::span<const RowSpan> held{};   ///< the rows that a pass behind cached tokens works on; empty: all

    void activation(Site site, Activation<typename C::scalar> x, Index prompt = 0) const {
        if (observer.reads_activation(site)) observer.activation(ctx, ref(site, prompt), x);
    }
    void relevance(Site site, Activation<const typename C::scalar> x, Coefficient<typename C::scalar> c, Index prompt = 0) const {
        if (observer.reads_relevance(site)) observer.relevance(ctx, ref(site, prompt), x, c);
    }

    /// Whether somebody looks at the site in a forward pass, or in a backward pass.
    [[nodiscard]] bool reads_activation(Site site) const { return observer.reads_activation(site); }
    [[nodiscard]] bool reads_relevance(Site site) const { return observer.reads_relevance(site); }
    [[nodiscard]] bool reads(Site site) const { return reads_activation(site) || reads_relevance(site); }

  private:
    [[nodiscard]] SiteRef ref(Site site, Index prompt) const {
        const bool explained_rows = site == Site::final_norm || site == Site::logits;
        return {site, layer, recomputed, prompt, on_query_side(site) && !tails.empty() ? tails : explained_rows ? std::span<const RowSpan>{} : held};
    }
};

}  // namespace lrp
