// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <vector>

#include <lrp/backend/backend.hpp>
#include <lrp/core/site.hpp>
#include <lrp/rule/relevance_form.hpp>

namespace lrp {

namespace detail {
template <class T>
struct RelevanceSumRow {
    View<const T> x;
    View<const T> c;
    Index groups;
    T* out;
    template <Group G>
    LRP_HD void operator()(G& group, Index index) const {
        const Index row = index / groups;
        const Index width = x.cols / groups;
        const Index first = (index % groups) * width;
        const auto total = row_sum<sum_t<G, T>>(
            group, width, [&](Index i) { return static_cast<sum_t<G, T>>(x(row, first + i)) * c(row, first + i); });
        if (group.rank() == 0) out[index] = static_cast<T>(total);
    }
};
}  // namespace detail

/// Relevance summed over groups of neighbouring columns: out[t * groups + g] = sum_j x_tj c_tj over the j of group g; one group sums a
/// whole row. Formed and summed in the group's type, so that cancelling sums keep their digits. `out` [T * groups] lies with the backend.
template <Context C, class T = typename C::scalar>
void relevance_sum(C& ctx, ActivationIn<C> x, CoefficientIn<C> c, Index groups, T* out) {
    using B = typename C::backend;
    require_shape(c, x.rows, x.cols, "relevance: coefficient");
    require(groups > 0 && x.cols % groups == 0, "relevance: ", x.cols, " columns cannot be cut into ", groups, " groups");
    B::for_each_row(ctx, x.rows * groups, x.cols / groups, detail::RelevanceSumRow<T>{x, c, groups, out});
}

/// The same on the host.
template <Context C>
[[nodiscard]] std::vector<typename C::scalar> relevance_sum(C& ctx, ActivationIn<C> x, CoefficientIn<C> c, Index groups = 1) {
    Tensor<typename C::backend> out(ctx, x.rows, groups);
    relevance_sum(ctx, x, c, groups, out.view().data);
    return out.download(ctx);
}

/// Error that names the site if a value is not finite.
template <Scalar T>
void require_finite(T value, const SiteRef& site) {
    if (!std::isfinite(value)) fail("relevance: a value at site ", site.text(), " is not finite (", value, ")");
}
template <class T>
void require_finite(const std::vector<T>& values, const SiteRef& site) {
    for (const T value : values) require_finite(value, site);
}

}  // namespace lrp
