// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "conformance/fixture.hpp"

using namespace lrp;
using namespace lrp::test;

namespace {
struct Fma {
    template <class T>
    LRP_HD T operator()(T a, T b, T c) const {
        return a * b + c;
    }
};
template <class T>
struct CountRow {
    T* out;
    template <Group G>
    LRP_HD void operator()(G& group, Index row) const {
        const double sum = row_sum<double>(group, row + 1, [](Index col) { return static_cast<double>(col); });
        if (group.rank() == 0) out[row] = static_cast<T>(sum);
    }
};
}  // namespace

TEMPLATE_TEST_CASE("matmul: every transposition, scale and accumulation, on slices of wider matrices", "", float, double) {
    Bench<TestType> bench(3);
    using B = typename Bench<TestType>::B;
    for (const auto& [m, k, n] : {std::array<std::size_t, 3>{1, 1, 1}, {5, 7, 3}, {1, 33, 70}, {70, 20, 1}, {17, 9, 530}, {530, 4, 5}}) {
        for (const int flags : {0, 1, 2, 3}) {
            const bool ta = flags & 1, tb = flags & 2;
            const Rows a = bench.normal(m, k), b = bench.normal(k, n), c = bench.normal(m, n + 4);
            auto left = bench.put(ta ? oracle::transpose(a) : a), right = bench.put(tb ? oracle::transpose(b) : b);
            auto out = bench.put(c);
            const auto slice = out.view().columns(2, static_cast<Index>(n));
            B::matmul(bench.ctx, {.transpose_a = ta, .transpose_b = tb, .alpha = 0.5, .beta = 2}, std::as_const(left).view(), std::as_const(right).view(), slice);
            Rows right_result = c;
            const Rows product = oracle::matmul(a, b);
            for (std::size_t i = 0; i < m; ++i)
                for (std::size_t j = 0; j < n; ++j) right_result[i][j + 2] = 0.5 * product[i][j] + 2 * c[i][j + 2];
            agree<TestType>("matmul", bench.get(out), right_result, 10);
        }
    }
}

TEMPLATE_TEST_CASE("matmul with beta = 0 does not read its output", "", float, double) {
    Bench<TestType> bench;
    using B = typename Bench<TestType>::B;
    auto a = bench.put(bench.normal(3, 4)), b = bench.put(bench.normal(4, 5));
    auto out = bench.put(Rows(3, Row(5, std::numeric_limits<double>::quiet_NaN())));
    B::matmul(bench.ctx, {}, std::as_const(a).view(), std::as_const(b).view(), out.view());
    CHECK(std::isfinite(peak(bench.get(out))));
    CHECK(std::isfinite(total(bench.get(out))));
}

TEMPLATE_TEST_CASE("matmul_batched: heads side by side or stacked, groups share and sum", "", float, double) {
    Bench<TestType> bench(5);
    using B = typename Bench<TestType>::B;
    const std::size_t T = 6, D = 3, heads = 4, group = 2;
    const Rows q = bench.normal(T, heads * D), k = bench.normal(T, heads / group * D), s = bench.normal(heads * T, T);
    auto Q = bench.put(q), K = bench.put(k), S = bench.put(s);
    Tensor<B> scores(bench.ctx, heads * T, T), keys(bench.ctx, T, heads / group * D);
    const auto q_heads = split_heads(View<const TestType>(Q.view()), HeadLayout::columns, heads);
    const auto k_heads = split_heads(View<const TestType>(K.view()), HeadLayout::columns, heads, group);
    B::matmul_batched(bench.ctx, {.transpose_b = true}, q_heads, k_heads, split_heads(scores.view(), HeadLayout::rows, heads));
    B::matmul_batched(bench.ctx, {.transpose_a = true}, split_heads(View<const TestType>(S.view()), HeadLayout::rows, heads), q_heads,
                      split_heads(keys.view(), HeadLayout::columns, heads, group));
    Rows right_scores(heads * T, Row(T, 0.0)), right_keys(T, Row(heads / group * D, 0.0));
    for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t i = 0; i < T; ++i)
            for (std::size_t j = 0; j < T; ++j)
                for (std::size_t e = 0; e < D; ++e) {
                    right_scores[h * T + i][j] += q[i][h * D + e] * k[j][h / group * D + e];
                    right_keys[j][h / group * D + e] += s[h * T + i][j] * q[i][h * D + e];
                }
    agree<TestType>("matmul_batched", bench.get(scores), right_scores, 10);
    agree<TestType>("matmul_batched, grouped output", bench.get(keys), right_keys, 10);
}

TEMPLATE_TEST_CASE("map: values per row and per column, in place", "", float, double) {
    Bench<TestType> bench(6);
    using B = typename Bench<TestType>::B;
    const Rows x = bench.normal(9, 301), per_row = bench.normal(1, 9), per_column = bench.normal(1, 301);
    auto X = bench.put(x), R = bench.put(per_row), W = bench.put(per_column);
    B::map(bench.ctx, Fma{}, X.view(), std::as_const(X).view(), PerRow<TestType>{R.view().data}, PerColumn<TestType>{W.view().data});
    Rows right = x;
    for (std::size_t i = 0; i < 9; ++i)
        for (std::size_t j = 0; j < 301; ++j) right[i][j] = x[i][j] * per_row[0][i] + per_column[0][j];
    agree<TestType>("map", bench.get(X), right, 1);
}

TEMPLATE_TEST_CASE("rows, copies, gathers and the largest", "", float, double) {
    Bench<TestType> bench(7);
    using B = typename Bench<TestType>::B;
    Tensor<B> sums(bench.ctx, 1, 400);
    B::for_each_row(bench.ctx, 400, CountRow<TestType>{sums.view().data});
    const Rows counted = bench.get(sums);
    for (std::size_t i = 0; i < 400; ++i) CHECK(counted[0][i] == static_cast<double>(i * (i + 1) / 2));

    const Rows x = bench.normal(5, 4);
    auto X = bench.put(x);
    Tensor<B> y(bench.ctx, 3, 4);
    const std::vector<std::int32_t> ids{4, 0, 4};
    B::gather_rows(bench.ctx, std::as_const(X).view(), ids, y.view());
    CHECK(gap(bench.get(y), {x[4], x[0], x[4]}) == 0);
    Tensor<B> table(bench.ctx, 5, 4);
    B::fill(bench.ctx, table.view(), TestType(1));
    B::scatter_add_rows(bench.ctx, std::as_const(y).view(), ids, table.view());
    Rows right(5, Row(4, 1.0));
    for (std::size_t j = 0; j < 4; ++j) {
        right[4][j] = static_cast<double>(static_cast<TestType>(static_cast<TestType>(1 + x[4][j]) + x[4][j]));
        right[0][j] += x[0][j];
    }
    CHECK(gap(bench.get(table), right) < 1e-6);
    Tensor<B> copied(bench.ctx, 5, 2);
    B::copy(bench.ctx, std::as_const(X).view().columns(1, 2), copied.view());
    CHECK(bench.get(copied)[3] == Row{x[3][1], x[3][2]});

    auto list = bench.put(Rows{{3, 9, -1, 9, 2}});
    std::vector<std::int32_t> best(3);
    B::top_k(bench.ctx, list.view().data, 5, best);
    CHECK(best == std::vector<std::int32_t>{1, 3, 0});
}

TEMPLATE_TEST_CASE("tensors keep memory that is large enough and refuse shapes that do not fit", "", float, double) {
    Bench<TestType> bench;
    using B = typename Bench<TestType>::B;
    Tensor<B> tensor(bench.ctx, 8, 8);
    const auto* before = tensor.view().data;
    tensor.resize(bench.ctx, 4, 16);
    CHECK(tensor.view().data == before);
    B::fill(bench.ctx, tensor.view(), TestType(2));
    CHECK(total(bench.get(tensor)) == 128);
    CHECK_THROWS_WITH(require_shape(tensor.view(), 4, 15, "thing"), Catch::Matchers::Contains("thing: expected shape [4, 15], found [4, 16]"));
    CHECK_THROWS_WITH(reshape(tensor.view().columns(0, 3), 2, 6), Catch::Matchers::Contains("reshape"));
}
