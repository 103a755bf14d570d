// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/tiled_attention.hpp>

#include "conformance/fixture.hpp"

namespace lrp::test {

struct TiledCase {
    const char* what;
    std::size_t tokens, heads, kv_heads, head_dim;
    std::size_t queries = tokens;  // the last of the tokens
};

/// The oracle: a plain causal softmax attention, head by head.
inline Rows attend(const TiledCase& one, double scale, Rows q, const Rows& k, const Rows& v) {
    q.insert(q.begin(), one.tokens - one.queries, Row(one.heads * one.head_dim, 0.0));  // queries whose answers nobody asks for
    Rows z(one.tokens, Row(one.heads * one.head_dim, 0.0));
    for (std::size_t h = 0; h < one.heads; ++h) {
        const std::size_t shared = h / (one.heads / one.kv_heads) * one.head_dim, own = h * one.head_dim;
        const Rows scores = scaled(oracle::matmul(oracle::columns(q, own, one.head_dim), oracle::transpose(oracle::columns(k, shared, one.head_dim))), scale);
        oracle::add_at(z, 0, own, oracle::matmul(oracle::softmax(scores, one.tokens), oracle::columns(v, shared, one.head_dim)));
    }
    z.erase(z.begin(), z.begin() + static_cast<std::ptrdiff_t>(one.tokens - one.queries));
    return z;
}

struct AttendedBack {
    Rows q, k, v;
};
/// Its backward pass, written out: c_v = P^T c, e = P (c v^T - c z^T), c_q = s e k, c_k = s e^T q.
inline AttendedBack attend_back(const TiledCase& one, double scale, Rows q, const Rows& k, const Rows& v, Rows c) {
    const Row none(one.heads * one.head_dim, 0.0);
    q.insert(q.begin(), one.tokens - one.queries, none);
    c.insert(c.begin(), one.tokens - one.queries, none);
    AttendedBack back{Rows(one.tokens, none), Rows(one.tokens, Row(one.kv_heads * one.head_dim, 0.0)), Rows(one.tokens, Row(one.kv_heads * one.head_dim, 0.0))};
    for (std::size_t h = 0; h < one.heads; ++h) {
        const std::size_t shared = h / (one.heads / one.kv_heads) * one.head_dim, own = h * one.head_dim;
        const Rows qh = oracle::columns(q, own, one.head_dim), ch = oracle::columns(c, own, one.head_dim);
        const Rows kh = oracle::columns(k, shared, one.head_dim), vh = oracle::columns(v, shared, one.head_dim);
        const Rows probs = oracle::softmax(scaled(oracle::matmul(qh, oracle::transpose(kh)), scale), one.tokens);
        Rows e = oracle::matmul(ch, oracle::transpose(vh));
        for (std::size_t i = 0; i < one.tokens; ++i) {
            double mean = 0;
            for (std::size_t j = 0; j < one.tokens; ++j) mean += probs[i][j] * e[i][j];
            for (std::size_t j = 0; j < one.tokens; ++j) e[i][j] = scale * probs[i][j] * (e[i][j] - mean);
        }
        oracle::add_at(back.q, 0, own, oracle::matmul(e, kh));
        oracle::add_at(back.k, 0, shared, oracle::matmul(oracle::transpose(e), qh));
        oracle::add_at(back.v, 0, shared, oracle::matmul(oracle::transpose(probs), ch));
    }
    back.q.erase(back.q.begin(), back.q.begin() + static_cast<std::ptrdiff_t>(one.tokens - one.queries));
    return back;
}

TEMPLATE_TEST_CASE("attention in tiles is attention", "[op]", float, double) {
    using B = Subject<TestType>;
    if constexpr (is_native<B>(Native::tiles) || is_native<B>(Native::attention)) {
        for (const auto& one : {TiledCase{"one token", 1, 1, 1, 4}, TiledCase{"a full tile", 16, 2, 2, 5}, TiledCase{"one more than a tile", 17, 4, 2, 8},
                                TiledCase{"three tiles, four heads on one", 37, 4, 1, 6}, TiledCase{"the last queries", 37, 4, 2, 6, 5},
                                TiledCase{"all queries but the first", 18, 2, 1, 4, 17},
                                TiledCase{"one query", 18, 2, 1, 4, 1}, TiledCase{"across blocks of keys", 300, 2, 1, 40}, TiledCase{"and the last of them", 301, 2, 2, 5, 70}})
            for (const bool sliced : {false, true}) {
                INFO(one.what << (sliced ? ", sliced" : ""));
                Bench<TestType> bench(21, sliced);
                const std::size_t wide = one.heads * one.head_dim, narrow = one.kv_heads * one.head_dim;
                const Rows q = bench.normal(one.queries, wide), k = bench.normal(one.tokens, narrow), v = bench.normal(one.tokens, narrow);
                const Rows c = bench.normal(one.queries, wide);
                const auto Q = bench.activation(q), K = bench.activation(k), V = bench.activation(v);
                auto Z = bench.activation(one.queries, wide);
                const auto C = bench.coefficient(c);
                const std::size_t kept = 2 * one.heads * one.queries;
                auto rows = bench.line(kept + 2);
                const TiledAttention::Params<TestType> p{static_cast<Index>(one.heads), static_cast<Index>(one.kv_heads), static_cast<Index>(one.head_dim), 0.75};
                TiledAttention::forward(bench.ctx, p, Q.in(), K.in(), V.in(), Z.out(), rows.data());
                agree<TestType>("TiledAttention forward", bench.get(Z), attend(one, p.scale, q, k, v));
                CHECK(std::isnan(bench.get(rows)[0][kept]));  // nothing is written behind the last row's

                const TiledAttention::Saved<TestType> saved{Q.in(), K.in(), V.in(), Z.in(), rows.data()};
                auto c_q = bench.coefficient(one.queries, wide), c_k = bench.coefficient(one.tokens, narrow), c_v = bench.coefficient(one.tokens, narrow);
                TiledAttention::vjp(bench.ctx, p, saved, {2, 0.5, -1}, C.in(), c_q.out(), c_k.out(), c_v.out());
                const AttendedBack back = attend_back(one, p.scale, q, k, v, c);
                agree<TestType>("TiledAttention c_v", bench.get(c_v), scaled(back.v, -1));
                if (one.tokens > 1) {
                    agree<TestType>("TiledAttention c_q", bench.get(c_q), scaled(back.q, 2));
                    agree<TestType>("TiledAttention c_k", bench.get(c_k), scaled(back.k, 0.5));
                }
                if (one.tokens > 100) continue;  // differences of so many would take long
                if (one.tokens == 1) {  // one token attends to itself whatever q and k are
                    CHECK(peak(bench.get(c_q)) <= tolerance<TestType>);
                    CHECK(peak(bench.get(c_k)) <= tolerance<TestType>);
                } else {
                    agree_with_differences<TestType>("TiledAttention q", scaled(bench.get(c_q), 0.5), [&](const Rows& x) { return attend(one, p.scale, x, k, v); }, q, c);
                    agree_with_differences<TestType>("TiledAttention k", scaled(bench.get(c_k), 2), [&](const Rows& x) { return attend(one, p.scale, q, x, v); }, k, c);
                }
                agree_with_differences<TestType>("TiledAttention v", scaled(bench.get(c_v), -1), [&](const Rows& x) { return attend(one, p.scale, q, k, x); }, v, c);

                auto none_q = bench.coefficient(one.queries, wide), none_k = bench.coefficient(one.tokens, narrow), all_v = bench.coefficient(one.tokens, narrow);
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
        auto rows = bench.line(36);
        TiledAttention::forward(bench.ctx, TiledAttention::Params<TestType>{1, 1, 2, 1}, Q.in(), K.in(), V.in(), Z.out(), rows.data());
        CHECK(gap(bench.get(Z), attend(far, 1, q, k, v)) <= 100 * tolerance<TestType>);
        // Scores in the hundreds that are whole numbers, so that every score is exact, cost no accuracy on the way back.
        const auto whole = [&](double size) {
            Rows numbers = scaled(bench.normal(18, 4), size);
            for (Row& row : numbers)
                for (double& value : row) value = std::round(value);
            return numbers;
        };
        const TiledCase high{"high scores", 18, 1, 1, 4};
        const Rows high_q = whole(12), high_k = whole(12), high_v = bench.normal(18, 4), high_c = bench.normal(18, 4);
        const auto HQ = bench.activation(high_q), HK = bench.activation(high_k), HV = bench.activation(high_v);
        auto HZ = bench.activation(18, 4);
        const auto HC = bench.coefficient(high_c);
        auto c_q = bench.coefficient(18, 4), c_k = bench.coefficient(18, 4), c_v = bench.coefficient(18, 4);
        const TiledAttention::Params<TestType> whole_scale{1, 1, 4, 1};
        TiledAttention::forward(bench.ctx, whole_scale, HQ.in(), HK.in(), HV.in(), HZ.out(), rows.data());
        TiledAttention::vjp(bench.ctx, whole_scale, TiledAttention::Saved<TestType>{HQ.in(), HK.in(), HV.in(), HZ.in(), rows.data()}, {1, 1, 1}, HC.in(), c_q.out(), c_k.out(), c_v.out());
        CHECK(gap(bench.get(c_v), attend_back(high, 1, high_q, high_k, high_v, high_c).v) <= 4 * tolerance<TestType> * peak(high_c));
        if (!TiledAttention::available<B>(600)) {
            auto wide = bench.activation(18, 600);
            CHECK_THROWS_WITH(TiledAttention::forward(bench.ctx, TiledAttention::Params<TestType>{1, 1, 600, 1}, wide.in(), wide.in(), wide.in(), wide.out(), rows.data()),
                              Catch::Matchers::Contains("heads of 600 are wider than this backend's tiles take"));
        }
        auto short_k = bench.activation(17, 2);
        CHECK_THROWS_WITH(TiledAttention::forward(bench.ctx, TiledAttention::Params<TestType>{1, 1, 2, 1}, Q.in(), short_k.in(), V.in(), Z.out(), rows.data()),
                          Catch::Matchers::Contains("TiledAttention: expected keys for all 18 queries, found 17"));
        auto odd = bench.activation(18, 3);
        auto c_odd = bench.coefficient(18, 3);
        using Sizes = TiledAttention::Params<TestType>;
        const auto forward = [&](const Sizes& sizes, const auto& queries, const auto& keys, const auto& values, auto& out) {
            TiledAttention::forward(bench.ctx, sizes, queries.in(), keys.in(), values.in(), out.out(), rows.data());
        };
        CHECK_THROWS_WITH(forward(Sizes{1, 0, 2, 1}, Q, K, V, Z), Catch::Matchers::Contains("1 heads of 2 over 0"));
        CHECK_THROWS_WITH(forward(Sizes{3, 2, 1, 1}, odd, K, V, odd), Catch::Matchers::Contains("3 heads of 1 over 2"));
        CHECK_THROWS_WITH(forward(Sizes{1, 1, 3, 1}, Q, odd, odd, Z), Catch::Matchers::Contains("do not fit queries [18, 2]"));
        CHECK_THROWS_WITH(forward(Sizes{1, 1, 2, 1}, Q, odd, V, Z), Catch::Matchers::Contains("TiledAttention: keys: expected shape [18, 2], found [18, 3]"));
        CHECK_THROWS_WITH(forward(Sizes{1, 1, 2, 1}, Q, K, odd, Z), Catch::Matchers::Contains("TiledAttention: values"));
        CHECK_THROWS_WITH(forward(Sizes{1, 1, 2, 1}, Q, K, V, odd), Catch::Matchers::Contains("TiledAttention: output"));
        auto c_z = bench.coefficient(18, 2), c_fits = bench.coefficient(18, 2);
        const auto back = [&](const auto& of_out, auto& of_queries, auto& of_keys, auto& of_values) {
            const TiledAttention::Saved<TestType> kept{Q.in(), K.in(), V.in(), Z.in(), rows.data()};
            TiledAttention::vjp(bench.ctx, Sizes{1, 1, 2, 1}, kept, {1, 1, 1}, of_out.in(), of_queries.out(), of_keys.out(), of_values.out());
        };
        CHECK_THROWS_WITH(back(c_odd, c_fits, c_fits, c_fits), Catch::Matchers::Contains("TiledAttention: coefficient of the output"));
        CHECK_THROWS_WITH(back(c_z, c_odd, c_fits, c_fits), Catch::Matchers::Contains("TiledAttention: coefficient of q"));
        CHECK_THROWS_WITH(back(c_z, c_fits, c_odd, c_fits), Catch::Matchers::Contains("TiledAttention: coefficient of k"));
        CHECK_THROWS_WITH(back(c_z, c_fits, c_fits, c_odd), Catch::Matchers::Contains("TiledAttention: coefficient of v"));
    } else {
        Bench<TestType> bench;  // nothing to test: say so, and let the fixture see a call
        auto none = bench.activation(1, 1);
        B::fill(bench.ctx, none.out(), TestType(0));
        CHECK(peak(bench.get(none)) == 0);
    }
}

}  // namespace lrp::test
