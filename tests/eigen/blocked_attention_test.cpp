// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/eigen/attention/blocked_attention.hpp>

#include <algorithm>
#include <cmath>
#include <memory>
#include <random>
#include <vector>

#include "support/catch.hpp"
#include "support/guarded.hpp"

using namespace lrp;

namespace {

using Numbers = std::vector<double>;

/// What attention gives, forward and back.
struct Attended {
    Numbers z, log_sum, c_q, c_k, c_v;
};

struct AttentionCase {
    AttentionSizes sizes;
    Index keys, queries;
    std::vector<float> q, k, v, c;

    AttentionCase(Index heads, Index kv_heads, Index head_dim, Index keys_, Index queries_) : sizes{heads, kv_heads, head_dim, 0.6}, keys(keys_), queries(queries_) {
        std::mt19937 random(static_cast<unsigned>(heads + 10 * head_dim + 1000 * keys));
        std::normal_distribution<float> draw;
        const auto numbers = [&](Index rows, Index cols) {
            std::vector<float> all(static_cast<std::size_t>(rows * cols));
            for (float& one : all) one = draw(random);
            return all;
        };
        q = numbers(queries, heads * head_dim);
        k = numbers(keys, kv_heads * head_dim);
        v = numbers(keys, kv_heads * head_dim);
        c = numbers(queries, heads * head_dim);
    }

    /// By the definition, in double; factors 2, 0.5 and -1.
    [[nodiscard]] Attended right() const {
        const Index D = sizes.head_dim, members = sizes.heads / sizes.kv_heads;
        Attended out{Numbers(q.size()), Numbers(static_cast<std::size_t>(sizes.heads * queries)), Numbers(q.size()), Numbers(k.size()), Numbers(v.size())};
        const auto at = [](const auto& x, Index row, Index width, Index col) -> auto& { return x[static_cast<std::size_t>(row * width + col)]; };
        const auto dot = [&](const std::vector<float>& a, Index i, Index h, const std::vector<float>& b, Index j, Index kv) {
            double sum = 0;
            for (Index d = 0; d < D; ++d) sum += double{at(a, i, sizes.heads * D, h * D + d)} * double{at(b, j, sizes.kv_heads * D, kv * D + d)};
            return sum;
        };
        for (Index h = 0; h < sizes.heads; ++h)
            for (Index i = 0; i < queries; ++i) {
                const Index kv = h / members, seen = i + 1 + keys - queries;
                Numbers p(static_cast<std::size_t>(seen)), e = p;
                double total = 0, mean = 0;
                for (Index j = 0; j < seen; ++j) total += p[static_cast<std::size_t>(j)] = std::exp(sizes.scale * dot(q, i, h, k, j, kv));
                out.log_sum[static_cast<std::size_t>(h * queries + i)] = std::log(total);
                for (Index j = 0; j < seen; ++j) {
                    const auto n = static_cast<std::size_t>(j);
                    p[n] /= total;
                    e[n] = dot(c, i, h, v, j, kv);
                    mean += p[n] * e[n];
                }
                for (Index j = 0; j < seen; ++j) {
                    const auto n = static_cast<std::size_t>(j);
                    const double weight = sizes.scale * p[n] * (e[n] - mean);
                    for (Index d = 0; d < D; ++d) {
                        const Index own = i * sizes.heads * D + h * D + d, shared = j * sizes.kv_heads * D + kv * D + d;
                        out.z[static_cast<std::size_t>(own)] += p[n] * double{v[static_cast<std::size_t>(shared)]};
                        out.c_q[static_cast<std::size_t>(own)] += 2 * weight * double{k[static_cast<std::size_t>(shared)]};
                        out.c_k[static_cast<std::size_t>(shared)] += 0.5 * weight * double{q[static_cast<std::size_t>(own)]};
                        out.c_v[static_cast<std::size_t>(shared)] -= p[n] * double{c[static_cast<std::size_t>(own)]};
                    }
                }
            }
        return out;
    }

    template <class Way>
    [[nodiscard]] Attended by(unsigned threads = 2) const {
        const Index wide = sizes.heads * sizes.head_dim, narrow = sizes.kv_heads * sizes.head_dim;
        std::vector<std::unique_ptr<test::GuardedMatrix<float>>> given;  // behind the last number is what may not be touched
        const auto in = [&](const std::vector<float>& x, Index rows, Index cols) {
            const View<float> copy = given.emplace_back(std::make_unique<test::GuardedMatrix<float>>(rows, cols, cols, test::Guard::after))->view();
            std::copy(x.begin(), x.end(), copy.data);
            return View<const float>(copy);
        };
        const auto out = [](std::vector<float>& x, Index rows, Index cols) { return View<float>{x.data(), rows, cols}; };
        std::vector<float> z(q.size()), rows(static_cast<std::size_t>(2 * sizes.heads * queries)), c_q(q.size()), c_k(k.size()), c_v(v.size());
        ThreadPool pool(threads);
        detail::ProductScratch scratch(threads);
        Way::forward(pool, scratch, {sizes, in(q, queries, wide), in(k, keys, narrow), in(v, keys, narrow), out(z, queries, wide), rows.data()});
        Way::backward(pool, scratch, {sizes, in(q, queries, wide), in(k, keys, narrow), in(v, keys, narrow), in(z, queries, wide), rows.data(), in(c, queries, wide), 2, 0.5, -1,
                                      out(c_q, queries, wide), out(c_k, keys, narrow), out(c_v, keys, narrow)});
        const bool finite = std::all_of(c_q.begin(), c_q.end(), [](float x) { return std::isfinite(x); }) && std::all_of(c_k.begin(), c_k.end(), [](float x) { return std::isfinite(x); });
        // Zeros are written where nothing arrives, the rest is the same.
        for (const auto& [factor_q, factor_k] : {std::pair(0.0, 0.0), std::pair(0.0, 0.5), std::pair(2.0, 0.0)}) {
            if (!finite) break;
            std::vector<float> for_q(q.size(), NAN), for_k(k.size(), NAN), for_v(v.size(), NAN);
            Way::backward(pool, scratch, {sizes, in(q, queries, wide), in(k, keys, narrow), in(v, keys, narrow), in(z, queries, wide), rows.data(), in(c, queries, wide),
                                          factor_q, factor_k, -1, out(for_q, queries, wide), out(for_k, keys, narrow), out(for_v, keys, narrow)});
            CHECK(for_q == (factor_q == 0 ? std::vector<float>(q.size()) : c_q));
            CHECK((for_v == c_v && for_k == (factor_k == 0 ? std::vector<float>(k.size()) : c_k)));
        }
        const auto wider = [](const std::vector<float>& x) { return Numbers(x.begin(), x.end()); };
        Numbers log_sum;
        for (std::size_t i = 0; i < rows.size(); i += 2) log_sum.push_back(double{rows[i]} - std::log(double{rows[i + 1]}));
        return {wider(z), log_sum, wider(c_q), wider(c_k), wider(c_v)};
    }
};

/// Largest deviation over largest magnitude.
double deviation(const Numbers& a, const Numbers& b) {
    double worst = 0, most = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        worst = std::max(worst, std::isnan(a[i]) ? INFINITY : std::abs(a[i] - b[i]));
        most = std::max(most, std::abs(b[i]));
    }
    return worst / most;
}

template <class Way>
void check_way(double tolerance) {
    // Heads, heads of keys, width, keys, queries: within a tile, whole tiles, across tiles, across blocks of 256 and of 512 keys, few queries at the end, odd everywhere.
    for (const AttentionCase& one : {AttentionCase(1, 1, 4, 2, 2), AttentionCase(2, 2, 12, 64, 64), AttentionCase(4, 2, 7, 17, 17), AttentionCase(2, 1, 40, 75, 75),
                            AttentionCase(2, 2, 64, 300, 300), AttentionCase(4, 2, 5, 301, 70), AttentionCase(2, 1, 33, 530, 530), AttentionCase(2, 1, 16, 1030, 3)}) {
        INFO(one.sizes.heads << " heads over " << one.sizes.kv_heads << " of " << one.sizes.head_dim << ", " << one.keys << " keys, " << one.queries << " queries");
        const Attended mine = one.by<Way>(), right = one.right();
        CHECK(deviation(mine.z, right.z) <= tolerance);
        CHECK(deviation(mine.log_sum, right.log_sum) <= tolerance);
        CHECK(deviation(mine.c_q, right.c_q) <= tolerance);
        CHECK(deviation(mine.c_k, right.c_k) <= tolerance);
        CHECK(deviation(mine.c_v, right.c_v) <= tolerance);
        const Attended alone = one.by<Way>(1);
        CHECK((alone.z == mine.z && alone.c_q == mine.c_q && alone.c_k == mine.c_k && alone.c_v == mine.c_v));
    }
    // Peaks far above other scores, in any block; whole numbers, so that every score is exact.
    AttentionCase steep(2, 1, 8, 600, 600);
    steep.sizes.scale = 1;
    for (auto* numbers : {&steep.q, &steep.k})
        for (float& one : *numbers) one = std::round(4 * one);
    const Attended mine = steep.by<Way>(), right = steep.right();
    CHECK(deviation(mine.z, right.z) <= tolerance);
    CHECK(deviation(mine.log_sum, right.log_sum) <= tolerance);
    // What is not a number does not get lost.
    AttentionCase spoilt(1, 1, 8, 20, 20);
    spoilt.k[5 * 8] = NAN;
    const Attended all = spoilt.by<Way>();
    for (std::size_t i = 0; i < 20; ++i) CHECK(std::isnan(all.z[i * 8]) == (i >= 5));
}

}  // namespace

TEST_CASE("blocked attention is attention, forward and back, by every set of instructions that this machine has") {
    using namespace lrp::detail;
    check_way<BlockedAttention<FmaPlain, RowsPlain>>(1e-5);
#if defined(__x86_64__)
    const CpuFeatures cpu = CpuFeatures::detect();
    if (cpu.avx2) check_way<BlockedAttention<FmaAvx2, RowsAvx2>>(1e-5);
    if (cpu.avx512) check_way<BlockedAttention<FmaAvx512, RowsAvx512>>(1e-5);
    if (cpu.avx512_bf16) check_way<BlockedAttention<DotAvx512, RowsAvx512>>(3e-2);  // operands rounded to bf16, of which differences are taken
#endif
}
