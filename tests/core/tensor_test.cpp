// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/tensor.hpp>

#include <numeric>
#include <vector>

#include "support/catch.hpp"

using namespace lrp;

static_assert(std::is_trivially_copyable_v<View<double>> && std::is_trivially_copyable_v<BatchView<double>>);
static_assert(std::is_convertible_v<View<float>, View<const float>> && !std::is_convertible_v<View<const float>, View<float>>);
static_assert(!std::is_convertible_v<View<float>, View<double>>);

TEST_CASE("views are cut without copying") {
    std::vector<int> numbers(24);
    std::iota(numbers.begin(), numbers.end(), 0);
    const View<int> all(numbers.data(), 4, 6);
    CHECK(all(2, 3) == 15);
    CHECK(all.contiguous());
    CHECK(*all.row(3) == 18);
    const auto middle = all.columns(1, 3).rows_from(1, 2);
    CHECK((middle.rows == 2 && middle.cols == 3 && middle.stride == 6));
    CHECK(middle(1, 2) == 15);
    CHECK_FALSE(middle.contiguous());
    CHECK(all.rows_from(1, 2).contiguous());
    middle(0, 0) = -1;
    CHECK(numbers[7] == -1);
    CHECK((View<int>().empty() && !all.empty()));
}

TEST_CASE("one value per row, one per column") {
    const double values[] = {1, 2, 3};
    CHECK(PerRow<double>{values}(2, 99) == 3);
    CHECK(PerColumn<double>{values}(99, 1) == 2);
}

TEST_CASE("heads are column blocks or row blocks, shared by their group") {
    std::vector<int> numbers(24);
    std::iota(numbers.begin(), numbers.end(), 0);
    const View<int> all(numbers.data(), 4, 6);
    const auto heads = split_heads(all, HeadLayout::columns, 6, 2);  // 6 heads read 3 blocks of 2 columns
    CHECK((heads.count == 6 && heads.group == 2 && heads[0].rows == 4 && heads[0].cols == 2));
    CHECK(heads[5](3, 1) == 23);
    CHECK(heads[1].data == heads[0].data);
    CHECK(heads[2](0, 0) == 2);
    const auto stacked = split_heads(all, HeadLayout::rows, 4, 2);  // 4 heads read 2 blocks of 2 rows
    CHECK((stacked[0].rows == 2 && stacked[0].cols == 6));
    CHECK(stacked[3](1, 5) == 23);
    CHECK(stacked[1].data == stacked[0].data);
    const auto slice = split_heads(all.columns(1, 4), HeadLayout::rows, 2);  // rows of a wider matrix keep their stride
    CHECK(slice[1](1, 3) == 22);
}

TEST_CASE("a wrong shape is named with both shapes") {
    int numbers[6] = {};
    const View<int> view(numbers, 2, 3);
    CHECK_NOTHROW(require_shape(view, 2, 3, "thing"));
    CHECK_THROWS_WITH(require_shape(view, 3, 2, "thing"), "thing: expected shape [3, 2], found [2, 3]");
    CHECK_THROWS_WITH(require_shape(view, 2, 2, "thing"), "thing: expected shape [2, 2], found [2, 3]");
}
