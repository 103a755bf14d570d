// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <functional>
#include <span>
#include <vector>

#include <lrp/model/observer.hpp>
#include <lrp/model/recompute.hpp>

namespace lrp {

/// Takes the activations [T, units] of the neurons or heads of one layer; a head's is the Euclidean length of its output.
using UnitActivationsCallback = std::function<void(Site site, std::size_t layer, const std::vector<float>& values)>;

namespace detail {

template <Backend B>
class UnitActivationsObserver {
  public:
    using T = typename B::scalar;
    using C = typename B::context;

    UnitActivationsObserver(Index heads, const UnitActivationsCallback& visit) : heads_(heads), visit_(visit) {}
    [[nodiscard]] bool reads(Site site) const { return site == Site::neuron || site == Site::head; }
    void activation(C& ctx, SiteRef site, Activation<T> x) {
        const std::vector<T> values = download(ctx, View<const T>(x));
        const Index units = site.site == Site::head ? heads_ : x.cols, width = x.cols / units;
        std::vector<float> out;
        for (Index i = 0; i < x.rows * units; ++i) {
            const T* from = &values[static_cast<std::size_t>(i * width)];
            double squares = 0;
            for (Index j = 0; j < width; ++j) squares += static_cast<double>(from[j]) * static_cast<double>(from[j]);
            out.push_back(static_cast<float>(site.site == Site::head ? std::sqrt(squares) : static_cast<double>(from[0])));
        }
        visit_(site.site, static_cast<std::size_t>(site.layer), out);
    }

  private:
    Index heads_;
    const UnitActivationsCallback& visit_;
};

}  // namespace detail

/// Runs a text forward and shows the activations of every neuron and head, layer by layer. Errors: those of the model.
template <class Model>
void unit_activations(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids, const UnitActivationsCallback& visit) {
    detail::UnitActivationsObserver<typename Model::backend> observer(model.config().attention.heads, visit);
    (void)model.forward(ctx, ids, std::vector{static_cast<std::int32_t>(ids.size()) - 1}, Recompute::layer(), observer);
}

}  // namespace lrp
