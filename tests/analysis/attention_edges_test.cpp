// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Edges of attention against loops over downloaded q, k, v and coefficients; what they add up to; heads that say nothing.
#include <lrp/analysis/attention_edges.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using lrp::test::largest_difference;
using lrp::test::largest_magnitude;
using lrp::test::random_weights;

namespace {

LlamaConfig six_heads() {
    LlamaConfig config = test::small_llama();
    config.intermediate_size = 12;
    config.attention = {6, 2, 8};
    return config;
}

/// What a backward pass shows of each layer, all rows.
struct EdgeReader {
    using B = ReferenceBackend<double>;
    std::array<std::vector<double>, 3> q, k, v, c_head, c_probs;
    void relevance(B::context& ctx, SiteRef site, Activation<const double> x, Coefficient<double> c) {
        const auto layer = static_cast<std::size_t>(site.layer);
        if (site.site == Site::q) q[layer] = download(ctx, x);
        if (site.site == Site::k) k[layer] = download(ctx, x);
        if (site.site == Site::v) v[layer] = download(ctx, x);
        if (site.site == Site::head) c_head[layer] = download(ctx, View<const double>(c));
        if (site.site == Site::probs) c_probs[layer] = download(ctx, View<const double>(c));
    }
};

/// [L, H, T, T] by the definition, one number after another; 6 heads of width 8, three to a key.
std::vector<double> naive_edges(const EdgeReader& reader, std::size_t tokens) {
    const std::size_t heads = 6, width = 8, all = test::small_prompt.size();
    std::vector<double> edges(3 * heads * all * all);
    for (std::size_t l = 0; l < 3; ++l)
        for (std::size_t h = 0; h < heads; ++h)
            for (std::size_t i = 0; i < tokens; ++i) {
                std::vector<double> weight(i + 1);
                double total = 0;
                for (std::size_t j = 0; j <= i; ++j) {
                    double score = 0;
                    for (std::size_t d = 0; d < width; ++d) score += reader.q[l][(i * heads + h) * width + d] * reader.k[l][(j * 2 + h / 3) * width + d];
                    total += weight[j] = std::exp(score / std::sqrt(8.0));
                }
                for (std::size_t j = 0; j <= i; ++j)
                    for (std::size_t d = 0; d < width; ++d)
                        edges[((l * heads + h) * all + i) * all + j] +=
                            weight[j] / total * reader.v[l][(j * 2 + h / 3) * width + d] * reader.c_head[l][(i * heads + h) * width + d];
            }
    return edges;
}

template <Composite Rules>
EdgeReader read(std::size_t position) {
    ReferenceBackend<double>::context ctx;
    const LlamaModel<ReferenceBackend<double>, Rules> model(six_heads(), random_weights<ReferenceBackend<double>>(ctx, six_heads()));
    AttributeOptions options;
    options.position = position;
    options.target = 5;
    EdgeReader reader;
    (void)attribute(ctx, model, test::small_prompt, options, reader);
    return reader;
}

template <Backend B, Composite Rules>
EdgeReport edges_of(std::size_t position, bool per_head = true, Index tiled_from = default_tiled_from<B>, std::shared_ptr<const LlamaWeights<B>> weights = {}) {
    typename B::context ctx;
    if (!weights) weights = random_weights<B>(ctx, six_heads());
    LlamaModel<B, Rules> model(six_heads(), weights);
    model.set_tiled_from(tiled_from);
    AttributeOptions options;
    options.position = position;
    options.target = 5;
    return attention_edges(ctx, model, test::small_prompt, options, per_head);
}

template <class Rules>
void compare() {
    for (const std::size_t position : {7u, 4u}) {
        const std::vector<double> right = naive_edges(read<Rules>(position), position + 1);
        const double peak = largest_magnitude(right);
        REQUIRE(peak > 0.01);
        const EdgeReport exact = edges_of<ReferenceBackend<double>, Rules>(position), tiled = edges_of<EigenBackend<float>, Rules>(position, true, 0),
                         fast = edges_of<EigenBackend<float>, Rules>(position, true, 1024);
        CHECK(largest_difference(exact.edges.head, right) < 1e-6 * peak);  // kept as float
        CHECK(largest_difference(tiled.edges.head, right) < 1e-4 * peak);
        CHECK(largest_difference(fast.edges.head, right) < 1e-4 * peak);

        const std::size_t all = test::small_prompt.size();
        std::vector<double> over_heads(3 * all * all), per_query(3 * all * 6);
        for (std::size_t l = 0; l < 3; ++l)
            for (std::size_t h = 0; h < 6; ++h)
                for (std::size_t i = 0; i < all; ++i)
                    for (std::size_t j = 0; j < all; ++j) {
                        over_heads[(l * all + i) * all + j] += right[((l * 6 + h) * all + i) * all + j];
                        per_query[(l * all + i) * 6 + h] += right[((l * 6 + h) * all + i) * all + j];
                        if (j > i || i > position) CHECK(exact.edges.head[((l * 6 + h) * all + i) * all + j] == 0);
                    }
        CHECK(largest_difference(exact.edges.summed, over_heads) < 1e-6 * peak);
        CHECK(largest_difference(fast.edges.summed, over_heads) < 1e-4 * peak);
        CHECK(largest_difference(fast.trace.head, per_query) < 1e-4 * peak);
        CHECK(largest_difference(exact.trace.head, per_query) < 1e-6 * peak);
        const EdgeReport lean = edges_of<EigenBackend<float>, Rules>(position, false, 1024);
        CHECK(lean.edges.head.empty());
        CHECK(lean.edges.summed == fast.edges.summed);
    }
}

}  // namespace

TEST_CASE("edges are A_qk v_k . c_q in plain loops, and add up to the relevance of heads, whatever the rules") {
    compare<AttnLRP>();
    compare<CpLRP>();
}

TEST_CASE("half of an edge is the relevance of its attention weight under AttnLRP, none under CP-LRP") {
    for (const double share : {0.5, 0.0}) {
        const EdgeReader reader = share == 0 ? read<CpLRP>(7) : read<AttnLRP>(7);
        const EdgeReport report = share == 0 ? edges_of<ReferenceBackend<double>, CpLRP>(7) : edges_of<ReferenceBackend<double>, AttnLRP>(7);
        const std::size_t tokens = test::small_prompt.size();
        for (std::size_t l = 0; l < 3; ++l)
            for (std::size_t h = 0; h < 6; ++h)
                for (std::size_t i = 0; i < tokens; ++i) {
                    // The weights add up to 1, so dividing edges by their coefficients must give that.
                    double total = 0;
                    for (std::size_t j = 0; j <= i; ++j) {
                        const double c = reader.c_probs[l][(h * tokens + i) * tokens + j],
                                     edge = static_cast<double>(report.edges.head[((l * 6 + h) * tokens + i) * tokens + j]);
                        if (share == 0) CHECK(c == 0);
                        if (share != 0 && c != 0) total += share * edge / c;
                    }
                    if (share != 0 && (l < 2 || i == 7)) CHECK(total == Approx(1).epsilon(1e-4));
                }
    }
}

TEST_CASE("a head whose columns of o_proj are zero has no edges, the others keep theirs") {
    using B = ReferenceBackend<double>;
    B::context ctx;
    const auto weights = [&](bool muted) {
        std::mt19937 random(1);
        std::normal_distribution<double> draw(0, 0.3);
        return std::make_shared<const LlamaWeights<B>>(make_llama_weights<B>(ctx, six_heads(), [&](const std::string& name, Index rows, Index cols, auto host) {
            for (auto& value : host) value = draw(random) + (name.ends_with("norm.weight") ? 1 : 0);
            if (!muted || name.find("layers.1.self_attn.o_proj.weight") == std::string::npos) return;
            for (Index row = 0; row < rows; ++row)
                for (Index col = 4 * 8; col < 5 * 8; ++col) host[static_cast<std::size_t>(row * cols + col)] = 0;
        }));
    };
    const EdgeReport all = edges_of<B, CpLRP>(7, true, 0, weights(false)), without = edges_of<B, CpLRP>(7, true, 0, weights(true));
    const auto size = test::small_prompt.size() * test::small_prompt.size();
    const auto head = [&](const EdgeReport& report, std::size_t layer, std::size_t index) {
        const auto first = report.edges.head.begin() + static_cast<std::ptrdiff_t>((layer * 6 + index) * size);
        return std::vector<float>(first, first + static_cast<std::ptrdiff_t>(size));
    };
    CHECK(largest_magnitude(head(without, 1, 4)) == 0);
    CHECK(largest_magnitude(head(all, 1, 4)) > 1e-3);
    for (const std::size_t other : {0u, 3u, 5u}) CHECK(largest_magnitude(head(without, 1, other)) > 1e-4);
}

TEST_CASE("the strongest edges are those of a plain sort, with their places") {
    AttentionEdges edges{2, 2, 2, {0, 0, 1, -3, 0.5f, 0, 0, 0, 3, 0, -7, 0, 0, 0, 0, 0.25f}, {}};
    const auto found = strongest_edges(edges, 4);
    REQUIRE(found.size() == 4);
    const std::vector<std::array<double, 5>> right{{1, 0, 1, 0, -7}, {0, 0, 1, 1, -3}, {1, 0, 0, 0, 3}, {0, 0, 1, 0, 1}};
    for (std::size_t n = 0; n < 4; ++n) {
        const EdgeRelevance& edge = found[n];
        CHECK(std::array<double, 5>{static_cast<double>(edge.layer), static_cast<double>(edge.head), static_cast<double>(edge.query), static_cast<double>(edge.key),
                                    edge.relevance} == right[n]);
    }
    CHECK(strongest_edges(edges, 100).size() == 6);  // none that is 0
}
