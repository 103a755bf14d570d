// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Weights in bf16, on the backends that keep them so (LRP_TEST_BF16): widened where they are read, so only a card that rounds the other operand of
// a product may be further from the truth than float.
#if defined(LRP_TEST_BF16)
#include "conformance/model_case.hpp"

using namespace lrp;
using namespace lrp::test;

namespace {

using B = CountingBackend<LRP_TEST_BACKEND<float, bf16>>;

/// What a product with bf16 weights may lose: on a card both operands go to the tensor cores in bf16.
const bool rounds = std::string(B::name) == "cuda";
const double of_one_product = rounds ? 5e-3 : tolerance<float>;

std::vector<bf16> narrowed(const Rows& rows) {
    std::vector<bf16> out;
    for (const Row& row : rows)
        for (const double value : row) out.push_back(bf16(static_cast<float>(value)));
    return out;
}
Rows widened(const Rows& rows) {
    Rows out = rows;
    for (Row& row : out)
        for (double& value : row) value = static_cast<double>(static_cast<float>(bf16(static_cast<float>(value))));
    return out;
}
Rows on_host(B::context& ctx, const Tensor<B>& tensor) {
    const auto host = tensor.download(ctx);
    Rows out(static_cast<std::size_t>(tensor.rows()));
    for (std::size_t i = 0; i < host.size(); ++i) out[i / static_cast<std::size_t>(tensor.cols())].push_back(host[i]);
    return out;
}
std::vector<float> flat(const Rows& rows) {
    std::vector<float> out;
    for (const Row& row : rows) out.insert(out.end(), row.begin(), row.end());
    return out;
}

}  // namespace

TEST_CASE("products with bf16 weights, every transposition, scale and accumulation", "[storage]") {
    Bench<float> draw(9);
    draw.ctx.calls = 1;  // draws numbers only
    B::context ctx;
    for (const auto& [m, k, n] : {std::array<std::size_t, 3>{1, 1, 1}, {5, 7, 3}, {17, 9, 130}, {33, 140, 65}})
        for (const bool ta : {false, true})
            for (const bool tb : {false, true}) {
                INFO("[" << m << ", " << k << "] [" << k << ", " << n << "], transposed " << ta << tb);
                const Rows a = draw.normal(m, k), b = widened(draw.normal(k, n)), c = draw.normal(m, n);
                const Rows stored_a = ta ? oracle::transpose(a) : a, stored_b = tb ? oracle::transpose(b) : b;
                Tensor<B> A(ctx, static_cast<Index>(stored_a.size()), static_cast<Index>(stored_a[0].size())), out(ctx, static_cast<Index>(m), static_cast<Index>(n));
                WeightTensor<B> W(ctx, static_cast<Index>(stored_b.size()), static_cast<Index>(stored_b[0].size()));
                A.upload(ctx, flat(stored_a));
                W.upload(ctx, narrowed(stored_b));
                out.upload(ctx, flat(c));
                B::matmul(ctx, {ta, tb, 0.5, 2}, std::as_const(A).view(), std::as_const(W).view(), out.view());
                const Rows right = oracle::add(scaled(oracle::matmul(a, b), 0.5), scaled(c, 2));
                const double deviation = gap(on_host(ctx, out), right) / peak(right);
                report().note<float>("matmul with bf16 weights", deviation);
                CHECK(deviation <= of_one_product);
            }
}

TEST_CASE("rows of a bf16 table widen without loss", "[storage]") {
    Bench<float> draw(4);
    draw.ctx.calls = 1;
    B::context ctx;
    const Rows table = widened(draw.normal(6, 5));
    WeightTensor<B> stored(ctx, 6, 5), rows(ctx, 3, 5);
    stored.upload(ctx, narrowed(table));
    Tensor<B> out(ctx, 3, 5);
    const std::vector<std::int32_t> ids{4, 0, 4};
    const Rows right{table[4], table[0], table[4]};
    B::gather_rows(ctx, std::as_const(stored).view(), ids, out.view());
    CHECK(gap(on_host(ctx, out), right) == 0);
    B::gather_rows(ctx, std::as_const(stored).view(), ids, rows.view());  // weights to weights, then back through a product with 1
    Tensor<B> one(ctx, 3, 3), again(ctx, 3, 5);
    one.upload(ctx, std::vector<float>{1, 0, 0, 0, 1, 0, 0, 0, 1});
    B::matmul(ctx, {}, std::as_const(one).view(), std::as_const(rows).view(), again.view());
    CHECK(gap(on_host(ctx, again), right) == 0);
    CHECK(ctx.calls == 3);
}

TEST_CASE("the whole model with bf16 weights agrees with the double reference over the same numbers", "[storage]") {
    const double bound = rounds ? 5e-2 : allowed<float>;
    check_model<B, AttnLRP>("AttnLRP", bound);
    check_model<B, CpLRP>("CP-LRP", bound);
}
#endif
