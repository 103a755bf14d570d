// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/reference/backend.hpp>

#include "support/catch.hpp"

using namespace lrp;
using B = ReferenceBackend<float>;

static_assert(std::movable<Tensor<B>> && !std::copyable<Tensor<B>>);
static_assert(std::same_as<decltype(std::declval<ActivationTensor<B>&>().view()), Activation<float>>);
static_assert(std::same_as<decltype(std::declval<const CoefficientTensor<B>&>().view()), Coefficient<const float>>);
static_assert(std::same_as<decltype(std::declval<Tensor<B>&>().view()), View<float>>);
static_assert(Context<B::context> && !Context<int>);

TEST_CASE("a tensor without memory is empty, and moves leave its numbers where they are") {
    B::context ctx;
    Tensor<B> tensor;
    CHECK((tensor.empty() && tensor.view().empty() && tensor.rows() == 0));
    tensor.resize(ctx, 2, 3);
    const std::vector<float> numbers{1, 2, 3, 4, 5, 6};
    tensor.upload(ctx, numbers);
    const float* before = tensor.view().data;
    const Tensor<B> moved = std::move(tensor);
    CHECK(moved.view().data == before);
    CHECK(moved.download(ctx) == numbers);
}

TEST_CASE("a tensor grows where it must and shrinks in place") {
    B::context ctx;
    Tensor<B> tensor(ctx, 4, 4);
    const float* before = tensor.view().data;
    tensor.resize(ctx, 2, 8);
    CHECK(tensor.view().data == before);
    tensor.resize(ctx, 1, 1);
    CHECK((tensor.view().data == before && tensor.rows() == 1));
    tensor.resize(ctx, 5, 5);
    CHECK((tensor.rows() == 5 && tensor.cols() == 5));
    tensor.resize(ctx, 0, 7);
    CHECK(tensor.empty());
}

TEST_CASE("strided views are downloaded row by row, and reshape refuses gaps") {
    B::context ctx;
    Tensor<B> tensor(ctx, 2, 3);
    tensor.upload(ctx, std::vector<float>{1, 2, 3, 4, 5, 6});
    const View<const float> all = std::as_const(tensor).view();
    CHECK(download(ctx, all) == std::vector<float>{1, 2, 3, 4, 5, 6});
    CHECK(download(ctx, all.columns(1, 2)) == std::vector<float>{2, 3, 5, 6});
    CHECK(reshape(all, 3, 2)(2, 1) == 6);
    CHECK_THROWS_WITH(reshape(all, 4, 2), "reshape: [2, 3] (row stride 3) cannot be read as [4, 2]");
    CHECK_THROWS_WITH(reshape(all.columns(0, 2), 4, 1), "reshape: [2, 2] (row stride 3) cannot be read as [4, 1]");
}
