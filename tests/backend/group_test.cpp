// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/backend/group.hpp>

#include <vector>

#include "support/catch.hpp"

using namespace lrp;

namespace {
/// One of several lanes that run one after the other; sum and max hand back the lane's own part.
struct Lane {
    template <class A>
    using sum_type = A;
    Index number, lanes;
    [[nodiscard]] Index rank() const { return number; }
    [[nodiscard]] Index size() const { return lanes; }
    template <class A>
    A sum(A value) const {
        return value;
    }
    template <class A>
    A max(A value) const {
        return value;
    }
    void barrier() const {}
};
}  // namespace

static_assert(Group<SerialGroup> && Group<Lane> && !Group<int>);

TEST_CASE("lanes share the columns of a row: each is taken once") {
    for (const Index lanes : {1, 3, 8, 40}) {
        std::vector<int> seen(29);
        double total = 0;
        for (Index number = 0; number < lanes; ++number) {
            Lane lane{number, lanes};
            row_each(lane, 29, [&](Index col) { seen[static_cast<std::size_t>(col)]++; });
            total += row_sum<double>(lane, 29, [](Index col) { return static_cast<double>(col); });
        }
        CHECK(seen == std::vector<int>(29, 1));
        CHECK(total == 28 * 29 / 2);
    }
}

TEST_CASE("a sum is formed in the accumulator, not in the terms' type") {
    SerialGroup group;
    const double sum = row_sum<double>(group, 1 << 20, [](Index) { return 0.1f; });
    CHECK(sum == Approx(0.1f * 1048576.0).epsilon(1e-9));
    CHECK(row_sum<double>(group, 0, [](Index) { return 1.0; }) == 0);
}
