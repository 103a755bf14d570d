// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Row work is written once, for a group of lanes that share one row: each lane takes the columns rank(), rank() + size(), ... and the
// lanes meet in sum() and max(). On a CPU the group is one lane; on a device it is a warp or a block of threads. Lanes that pass numbers to
// each other through memory meet in barrier().
#pragma once

#include <concepts>

#include <lrp/core/config.hpp>
#include <lrp/core/scalar.hpp>

namespace lrp {

template <class G>
concept Group = requires(G& group, double value) {
    { group.rank() } -> std::convertible_to<Index>;
    { group.size() } -> std::convertible_to<Index>;
    { group.sum(value) } -> std::convertible_to<double>;
    { group.max(value) } -> std::convertible_to<double>;
    group.barrier();
    typename G::template sum_type<float>;
};

/// The type in which a group forms sums of T: double where that costs little (one lane on a CPU), never below float32.
template <class G, class T>
using sum_t = typename G::template sum_type<T>;

/// One lane that does the whole row.
struct SerialGroup {
    template <class>
    using sum_type = double;

    LRP_HD Index rank() const { return 0; }
    LRP_HD Index size() const { return 1; }
    template <class A>
    LRP_HD A sum(A value) const {
        return value;
    }
    template <class A>
    LRP_HD A max(A value) const {
        return value;
    }
    LRP_HD void barrier() const {}
};

/// Sum over the columns [0, count) of `term(column)`, formed in A, which is sum_t<G, T> for terms of T.
template <class A, Group G, class F>
LRP_HD A row_sum(G& group, Index count, const F& term) {
    A total = 0;
    for (Index col = group.rank(); col < count; col += group.size()) total += static_cast<A>(term(col));
    return group.sum(total);
}

/// Calls `work(column)` for the columns [0, count), shared among the lanes.
template <Group G, class F>
LRP_HD void row_each(G& group, Index count, const F& work) {
    for (Index col = group.rank(); col < count; col += group.size()) work(col);
}

}  // namespace lrp
