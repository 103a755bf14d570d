// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/tiled_attention.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

struct TiledCase {
    const char* what;
    std::size_t tokens, heads, kv_heads, head_dim;
};

/// The oracle: a plain causal softmax attention, head by head.
inline Rows attend(const TiledCase& one, double scale, const Rows& q, const Rows& k, const Rows& v) {
    Rows z(one.tokens, Row(one.heads * one.head_dim, 0.0));
    for (std::size_t h = 0; h < one.heads; ++h) {
        const std::size_t shared = h / (one.heads / one.kv_heads) * one.head_dim, own = h * one.head_dim;
        const Rows scores = scaled(oracle::matmul(oracle::columns(q, own, one.head_dim), oracle::transpose(oracle::columns(k, shared, one.head_dim))), scale);
        oracle::add_at(z, 0, own, oracle::matmul(oracle::softmax(scores, one.tokens), oracle::columns(v, shared, one.head_dim)));
    }
    return z;
}

TEMPLATE_TEST_CASE("attention in tiles is attention", "[op]", float, double) {
    using B = Subject<TestType>;
    if constexpr (is_native<B>(Native::tiles)) {
        for (const auto& one : {TiledCase{"one token", 1, 1, 1, 4}, TiledCase{"a full tile", 16, 2, 2, 5}, TiledCase{"one more than a tile", 17, 4, 2, 8},
                                TiledCase{"three tiles, four heads on one", 37, 4, 1, 6}})
            for (const bool sliced : {false, true}) {
                INFO(one.what << (sliced ? ", sliced" : ""));
                Bench<TestType> bench(21, sliced);
                const std::size_t wide = one.heads * one.head_dim, narrow = one.kv_heads * one.head_dim;
                const Rows q = bench.normal(one.tokens, wide), k = bench.normal(one.tokens, narrow), v = bench.normal(one.tokens, narrow);
                const Rows c = bench.normal(one.tokens, wide);
                const auto Q = bench.activation(q), K = bench.activation(k), V = bench.activation(v);
                auto Z = bench.activation(one.tokens, wide);
                const auto C = bench.coefficient(c);
                auto log_sum = bench.line(one.heads * one.tokens);
                const TiledAttention::Params<TestType> p{static_cast<Index>(one.heads), static_cast<Index>(one.kv_heads), static_cast<Index>(one.head_dim), 0.75};
                TiledAttention::forward(bench.ctx, p, Q.in(), K.in(), V.in(), Z.out(), log_sum.data());
                agree<TestType>("TiledAttention forward", bench.get(Z), attend(one, p.scale, q, k, v));

                const TiledAttention::Saved<TestType> saved{Q.in(), K.in(), V.in(), Z.in(), log_sum.data()};
                auto c_q = bench.coefficient(one.tokens, wide), c_k = bench.coefficient(one.tokens, narrow), c_v = bench.coefficient(one.tokens, narrow);
                TiledAttention::vjp(bench.ctx, p, saved, {2, 0.5, -1}, C.in(), c_q.out(), c_k.out(), c_v.out());
                if (one.tokens == 1) {  // one token attends to itself whatever q and k are
                    CHECK(peak(bench.get(c_q)) <= tolerance<TestType>);
                    CHECK(peak(bench.get(c_k)) <= tolerance<TestType>);
                } else {
                    agree_with_differences<TestType>("TiledAttention q", scaled(bench.get(c_q), 0.5), [&](const Rows& x) { return attend(one, p.scale, x, k, v); }, q, c);
                    agree_with_differences<TestType>("TiledAttention k", scaled(bench.get(c_k), 2), [&](const Rows& x) { return attend(one, p.scale, q, x, v); }, k, c);
                }
                agree_with_differences<TestType>("TiledAttention v", scaled(bench.get(c_v), -1), [&](const Rows& x) { return attend(one, p.scale, q, k, x); }, v, c);

                auto none_q = bench.coefficient(one.tokens, wide), none_k = bench.coefficient(one.tokens, narrow), all_v = bench.coefficient(one.tokens, narrow);
                TiledAttention::vjp(bench.ctx, p, saved, {0, 0, -1}, C.in(), none_q.out(), none_k.out(), all_v.out());
                CHECK(peak(bench.get(none_q)) == 0);
                CHECK(peak(bench.get(none_k)) == 0);
                CHECK(gap(bench.get(all_v), bench.get(c_v)) == 0);
            }
        Bench<TestType> bench;  // scores beyond what float's exp can hold neither overflow nor lose the row
        const TiledCase far{"far apart", 18, 1, 1, 2};
        const Rows q = scaled(bench.normal(18, 2), 8), k = scaled(bench.normal(18, 2), 8), v = bench.normal(18, 2);
        const auto Q = bench.activation(q), K = bench.activation(k), V = bench.activation(v);
        auto Z = bench.activation(18, 2);
        auto log_sum = bench.line(18);
        TiledAttention::forward(bench.ctx, TiledAttention::Params<TestType>{1, 1, 2, 1}, Q.in(), K.in(), V.in(), Z.out(), log_sum.data());
        CHECK(gap(bench.get(Z), attend(far, 1, q, k, v)) <= 100 * tolerance<TestType>);
        auto short_k = bench.activation(17, 2);
        CHECK_THROWS_WITH(TiledAttention::forward(bench.ctx, TiledAttention::Params<TestType>{1, 1, 2, 1}, Q.in(), short_k.in(), V.in(), Z.out(), log_sum.data()),
                          Catch::Matchers::Contains("TiledAttention: keys: expected shape [18, 2], found [17, 2]"));
    } else {
        Bench<TestType> bench;  // nothing to test: say so, and let the fixture see a call
        auto none = bench.activation(1, 1);
        B::fill(bench.ctx, none.out(), TestType(0));
        CHECK(peak(bench.get(none)) == 0);
    }
}

}  // namespace lrp::test
