// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Memory that belongs to a context: arenas, owners, and two backends side by side.
#include <lrp/analysis/attribute.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/thrust/cpp.hpp>

#include "support/catch.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
using lrp::test::random_weights;

namespace {

using B = ThrustCppBackend<float>;
using Ctx = B::context;

LlamaConfig small() {
    LlamaConfig config;
    config.vocab_size = 20;
    config.hidden_size = 16;
    config.intermediate_size = 24;
    config.layers = 2;
    config.attention = {2, 1, 8};
    return config;
}
const std::vector<std::int32_t> prompt{1, 7, 9, 3, 2, 2, 8, 19};

template <Backend Any>
std::vector<float> embedding_relevance(typename Any::context& ctx) {
    const LlamaModel<Any, AttnLRP> model(small(), random_weights<Any>(ctx, small()));
    return attribute(ctx, model, prompt).embedding;
}

}  // namespace

TEST_CASE("a whole pass fits in an arena and leaves it empty") {
    Ctx free_ctx;
    const auto right = embedding_relevance<B>(free_ctx);
    CHECK_FALSE(free_ctx.memory->arena().has_value());
    Ctx ctx(Ctx::Options{}, 4 << 20);
    CHECK(embedding_relevance<B>(ctx) == right);
    CHECK(ctx.memory->arena()->available() == ctx.memory->arena()->size());
}

TEST_CASE("a tensor that was moved from holds nothing, and takes memory again") {
    Ctx ctx;
    Tensor<B> first(ctx, 4, 4);
    const Tensor<B> second = std::move(first);
    CHECK(second.rows() == 4);
    first.resize(ctx, 2, 2);
    B::fill(ctx, first.view(), 3);
    CHECK(first.download(ctx) == std::vector<float>(4, 3.0f));
}

TEST_CASE("an arena that is too small is an error with both numbers, and the context goes on") {
    Ctx ctx(Ctx::Options{}, 64 << 10);
    const LlamaModel<B, AttnLRP> model(small(), random_weights<B>(ctx, small()));
    const auto left = ctx.memory->arena()->available();
    CHECK_THROWS_WITH(attribute(ctx, model, std::vector<std::int32_t>(200, 3)), Contains("arena: ") && Contains(" bytes were asked for, ") && Contains(" of 65536 are free"));
    CHECK(ctx.memory->arena()->available() == left);  // what the failed pass had taken is back
    Tensor<B> one(ctx, 4, 4);
    CHECK(one.rows() == 4);
}

TEST_CASE("a tensor that grows gives its memory back first, and is empty where there is not enough") {
    Ctx ctx(Ctx::Options{}, 4096);
    CHECK(ctx.room() == 4096);
    Tensor<B> tensor(ctx, 20, 30);
    CHECK(ctx.room() == 4096 - 2560);
    tensor.resize(ctx, 20, 40);
    CHECK((tensor.rows() == 20 && tensor.cols() == 40 && ctx.room() == 4096 - 3328));
    CHECK_THROWS_WITH(tensor.resize(ctx, 20, 60), Contains("arena: 4800 bytes were asked for, 4096 of 4096 are free"));
    CHECK((tensor.empty() && tensor.view().rows == 0));
    CHECK_FALSE(Ctx().room().has_value());
}

#if !defined(__SANITIZE_ADDRESS__)  // which ends the program instead of refusing
TEST_CASE("memory that the host does not have is an error with the number of bytes, and the context goes on") {
    Ctx ctx;
    CHECK_THROWS_WITH(Tensor<B>(ctx, Index{1} << 30, Index{1} << 28), Contains("host memory: 1152921504606846976 bytes were asked for and are not to be had"));
    CHECK_THROWS_WITH(Ctx(Ctx::Options{}, std::uint64_t{1} << 60), Contains("host memory: 1152921504606846976 bytes were asked for"));
    CHECK(Tensor<B>(ctx, 4, 4).rows() == 4);
}
#endif

TEST_CASE("a tensor of another context is refused, with both numbers") {
    Ctx mine, other;
    const std::string both = detail::concat("thrust-cpp: a tensor of context ", other.memory->serial, " was used with context ", mine.memory->serial);
    Tensor<B> tensor(other, 2, 2);
    CHECK_THROWS_WITH(tensor.upload(mine, std::vector<float>(4)), Contains(both));
    CHECK_THROWS_WITH(tensor.download(mine), Contains(both));
    CHECK_THROWS_WITH(tensor.resize(mine, 5, 5), Contains(both));
    CHECK_THROWS_WITH(tensor.upload(other, std::vector<float>(3)), Contains("upload: a tensor [2, 2] takes 4 values, found 3"));
    const LlamaModel<B, AttnLRP> model(small(), random_weights<B>(other, small()));
    const std::vector<std::int32_t> last{7};
    CHECK_THROWS_WITH(model.forward(mine, prompt, last, {}), Contains(both));
    auto pass = model.forward(other, prompt, last, {});
    const std::vector<Seed> seeds{{7, 5, 1.0}};
    CHECK_THROWS_WITH(model.relevance(mine, pass, seeds), Contains(both));
    Tensor<B> nothing;
    nothing.resize(mine, 1, 1);  // one that holds nothing belongs to all
    CHECK(nothing.rows() == 1);
}

TEST_CASE("buffers may outlive their context") {
    Tensor<B> tensor;
    {
        Ctx ctx(Ctx::Options{}, 4096);
        tensor.resize(ctx, 2, 3);
        tensor.upload(ctx, std::vector<float>(6, 7.0f));
    }
    CHECK(tensor.view()(1, 2) == 7.0f);
}

TEST_CASE("two backends and two precisions live in one program") {
    Ctx single;
    ThrustCppBackend<double>::context twice;
    ReferenceBackend<double>::context right_ctx;
    const auto one = embedding_relevance<B>(single), two = embedding_relevance<ThrustCppBackend<double>>(twice);
    const auto right = embedding_relevance<ReferenceBackend<double>>(right_ctx);
    float peak = 0;
    for (const float value : right) peak = std::max(peak, std::abs(value));
    for (std::size_t i = 0; i < right.size(); ++i) {
        CHECK(std::abs(one[i] - right[i]) <= 1e-4f * peak);  // the weights were rounded to float
        CHECK(std::abs(two[i] - right[i]) <= 1e-6f * peak);
    }
}
