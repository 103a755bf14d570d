// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/op/op.hpp>

#include <array>
#include <limits>
#include <vector>

#include <lrp/op/add.hpp>
#include <lrp/op/embedding.hpp>
#include <lrp/op/gated_product.hpp>
#include <lrp/op/layer_norm.hpp>
#include <lrp/op/matmul.hpp>
#include <lrp/op/multiply.hpp>
#include <lrp/op/rms_norm.hpp>
#include <lrp/op/rope.hpp>
#include <lrp/op/silu.hpp>
#include <lrp/reference/backend.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

TEST_CASE("Write: scaled keeps the way of writing, beta says whether the old value stays") {
    const Write plain, adding{.scale = 0.5, .accumulate = true};
    CHECK((plain.scale == 1 && !plain.accumulate && plain.beta() == 0));
    CHECK((adding.scaled(0.5).scale == 0.25 && adding.scaled(0.5).accumulate && adding.beta() == 1));
}

TEST_CASE("Store writes one element so") {
    float out = std::numeric_limits<float>::quiet_NaN();
    Store<float>({.scale = 2})(out, 3);
    CHECK(out == 6);
    Store<float>({.scale = -0.5, .accumulate = true})(out, 4);
    CHECK(out == 4);
    Store<float>({})(out, 7);
    CHECK(out == 7);
}

TEST_CASE("ops refuse shapes that do not fit, and say which") {
    ReferenceBackend<double>::context ctx;
    std::vector<double> numbers(64), result(64);
    const auto a = [&](Index rows, Index cols) { return Activation<const double>(View<const double>(numbers.data(), rows, cols)); };
    const auto c = [&](Index rows, Index cols) { return Coefficient<const double>(View<const double>(numbers.data(), rows, cols)); };
    const auto y = [&](Index rows, Index cols) { return Activation<double>(View<double>(result.data(), rows, cols)); };
    const auto c_x = [&](Index rows, Index cols) { return Coefficient<double>(View<double>(result.data(), rows, cols)); };
    const double* const row = numbers.data();

    CHECK_THROWS_WITH(Add::forward(ctx, {}, a(2, 3), a(2, 2), y(2, 3)), Contains("Add: second addend: expected shape [2, 3], found [2, 2]"));
    CHECK_THROWS_WITH(Add::vjp(ctx, {}, {}, c(2, 3), c_x(3, 3)), Contains("Add: coefficient of an addend: expected shape [2, 3], found [3, 3]"));
    CHECK_THROWS_WITH(Multiply::forward(ctx, {}, a(2, 3), a(2, 3), y(2, 2)), Contains("Multiply: output"));
    CHECK_THROWS_WITH(Multiply::vjp_second(ctx, {}, {a(2, 3), a(2, 3), {}}, c(2, 3), c_x(2, 2)), Contains("Multiply: coefficient of a factor"));
    CHECK_THROWS_WITH(SiLU::forward(ctx, {}, a(2, 3), y(2, 2)), Contains("pointwise op: output"));
    using Gated = GatedProduct<SiLU>;
    CHECK_THROWS_WITH(Gated::forward(ctx, a(2, 3), a(2, 2), y(2, 3)), Contains("GatedProduct: second factor"));
    CHECK_THROWS_WITH(Gated::forward(ctx, a(2, 3), a(2, 3), y(2, 2)), Contains("GatedProduct: output"));
    CHECK_THROWS_WITH(Gated::backward<SiLU::Ratio>(ctx, 1, 1, a(2, 3), a(2, 3), c(2, 2), c_x(2, 3), c_x(2, 3)), Contains("GatedProduct: coefficient of the output"));

    const RMSNorm::Params<double> rms{row};
    CHECK_THROWS_WITH(RMSNorm::forward(ctx, rms, a(2, 3), y(2, 2), result.data()), Contains("RMSNorm: output"));
    CHECK_THROWS_WITH(RMSNorm::vjp(ctx, rms, {a(2, 3), row, {}}, c(2, 3), c_x(2, 2)), Contains("RMSNorm: coefficient of the input"));
    const LayerNorm::Params<double> layer{row};
    CHECK_THROWS_WITH(LayerNorm::forward(ctx, layer, a(2, 3), y(2, 2), result.data(), result.data()), Contains("LayerNorm: output"));
    CHECK_THROWS_WITH(LayerNorm::vjp(ctx, layer, {a(2, 2), row, row, {}}, c(2, 3), c_x(2, 3)), Contains("LayerNorm: saved input"));
    CHECK_THROWS_WITH(LayerNorm::vjp(ctx, layer, {a(2, 3), row, row, {}}, c(2, 3), c_x(2, 2)), Contains("LayerNorm: coefficient of the input"));
    CHECK_THROWS_WITH(LayerNorm::frozen_vjp(ctx, layer, {{}, row, row, {}}, c(2, 3), c_x(2, 2)), Contains("LayerNorm: coefficient of the input"));

    const Rope::Params<double> tables{View<const double>(row, 4, 2), View<const double>(row, 4, 2)}, none{View<const double>(row, 4, 0), View<const double>(row, 4, 0)};
    CHECK_THROWS_WITH(Rope::forward(ctx, tables, a(2, 4), y(2, 8)), Contains("Rope: output"));
    CHECK_THROWS_WITH(Rope::forward(ctx, none, a(2, 4), y(2, 4)), Contains("does not fit tables [4, 0]"));

    const std::vector<std::int32_t> ids{1, 0}, wrong{2};
    const Embedding::Params<double> table{View<const double>(row, 2, 3), ids};
    CHECK_THROWS_WITH(Embedding::forward(ctx, table, y(3, 3)), Contains("Embedding: output: expected shape [2, 3], found [3, 3]"));
    CHECK_THROWS_WITH(Embedding::vjp(ctx, table, {}, c(2, 3), c_x(2, 2)), Contains("Embedding: coefficient of the table"));
    CHECK_THROWS_WITH(Embedding::vjp(ctx, {table.table, wrong}, {}, c(1, 3), c_x(2, 3)), Contains("token id 2 is outside the vocabulary of 2"));

    const MatMul::Params<double> one{};
    for (const auto& [z, b, first] : {std::array{y(3, 4), y(3, 4), y(2, 3)}, std::array{y(2, 5), y(3, 4), y(2, 3)}, std::array{y(2, 4), y(2, 4), y(2, 3)}}) {
        CHECK_THROWS_WITH(MatMul::forward(ctx, one, first, b, z), Contains("MatMul: shapes of one head do not fit"));
        CHECK_THROWS_WITH(MatMul::vjp_first(ctx, one, {{}, b, {}}, Coefficient<const double>(View<const double>(z)), Coefficient<double>(first)), Contains("do not fit"));
        CHECK_THROWS_WITH(MatMul::vjp_second(ctx, one, {first, {}, {}}, Coefficient<const double>(View<const double>(z)), Coefficient<double>(b)), Contains("do not fit"));
    }
    CHECK_THROWS_WITH(MatMul::forward(ctx, {.count = 2, .group = 0}, a(2, 4), a(2, 4), y(2, 4)), Contains("2 heads cannot share factors in groups of 0"));
    for (const HeadLayout layout : {HeadLayout::columns, HeadLayout::rows})  // what is cut is columns, or rows
        CHECK_THROWS_WITH(MatMul::forward(ctx, {.count = 2, .a_layout = layout}, layout == HeadLayout::rows ? a(3, 4) : a(4, 3), a(2, 4), y(4, 4)),
                          Contains("cannot be cut into 2 heads"));
}

TEST_CASE("the backward pass of a frozen norm reads no input") {
    ReferenceBackend<double>::context ctx;
    const std::vector<double> x{1, -2, 4, 0.5, 3, -1}, weight{2, -1, 0.5}, c{1, 2, -3, 0.5, -1, 4};
    std::vector<double> y(6), mean(2), inverse(2), with(6), without(6);
    const auto in = [](const std::vector<double>& numbers) { return View<const double>(numbers.data(), 2, 3); };
    const auto back = [](std::vector<double>& numbers) { return Coefficient<double>(View<double>(numbers.data(), 2, 3)); };
    const LayerNorm::Params<double> p{weight.data()};
    LayerNorm::forward(ctx, p, Activation<const double>(in(x)), Activation<double>(View<double>(y.data(), 2, 3)), mean.data(), inverse.data());
    LayerNorm::frozen_vjp(ctx, p, {Activation<const double>(in(x)), mean.data(), inverse.data(), {}}, Coefficient<const double>(in(c)), back(with));
    LayerNorm::frozen_vjp(ctx, p, {{}, mean.data(), inverse.data(), {}}, Coefficient<const double>(in(c)), back(without));
    CHECK(with == without);
    for (std::size_t row = 0; row < 2; ++row) {  // h - mean(h), h = w c / sigma
        const auto h = [&](std::size_t col) { return weight[col] * c[3 * row + col] * inverse[row]; };
        for (std::size_t col = 0; col < 3; ++col) CHECK(without[3 * row + col] == Approx(h(col) - (h(0) + h(1) + h(2)) / 3));
    }
}
