// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Reading on behind kept keys and values, against whole forward passes.
#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/decoder.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
using lrp::test::largest_difference;
using lrp::test::largest_magnitude;
using lrp::test::random_weights;

namespace {

std::vector<std::int32_t> tokens(std::size_t count) {
    std::vector<std::int32_t> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(static_cast<std::int32_t>((i * i * 7 + 3 * i + 1) % 50));
    return ids;
}

template <Backend B>
std::vector<typename B::scalar> whole(typename B::context& ctx, const LlamaModel<B, AttnLRP>& model, std::span<const std::int32_t> ids) {
    const std::vector<std::int32_t> last{static_cast<std::int32_t>(ids.size()) - 1};
    return model.forward(ctx, ids, last, Recompute::keep()).logits.download(ctx);
}

}  // namespace

TEMPLATE_TEST_CASE("reading on gives the logits of a whole pass, however the text is cut", "", ReferenceBackend<double>, ReferenceBackend<float>,
                   EigenBackend<double>, EigenBackend<float>) {
    using B = TestType;
    typename B::context ctx;
    LlamaModel<B, AttnLRP> model(test::small_llama(true), random_weights<B>(ctx, test::small_llama(true)));
    const auto ids = tokens(41);
    for (const Index tiled_from : {Index{512}, Index{1}, Index{20}}) {
        model.set_tiled_from(tiled_from);
        for (const std::vector<std::size_t>& cuts :
             std::vector<std::vector<std::size_t>>{{41}, {40, 1}, {1, 40}, {7, 1, 1, 20, 12}, std::vector<std::size_t>(41, 1)}) {
            LlamaDecoder decoder(ctx, model, 41);
            std::size_t read = 0;
            for (const std::size_t count : cuts) {
                const auto logits = decoder.extend(std::span(ids).subspan(read, count));
                read += count;
                const auto right = whole<B>(ctx, model, std::span(ids).first(read));
                INFO("cut into " << cuts.size() << ", " << read << " read, tiled from " << tiled_from);
                CHECK(largest_difference(logits, right) <= tolerance<typename B::scalar> * largest_magnitude(right));
                if (std::same_as<B, ReferenceBackend<double>> && tiled_from == 512) CHECK(logits == right);
            }
            CHECK(decoder.ids() == ids);
        }
    }
}

TEST_CASE("a decoder goes back, refuses what does not fit, and reads on afterwards") {
    using B = ReferenceBackend<double>;
    B::context ctx;
    const LlamaModel<B, AttnLRP> model(test::small_llama(true), random_weights<B>(ctx, test::small_llama(true)));
    const auto ids = tokens(12);
    LlamaDecoder decoder(ctx, model, 12);
    (void)decoder.extend(std::vector<std::int32_t>{4, 4, 4, 4});
    decoder.keep(0);
    (void)decoder.extend(std::span(ids).first(8));
    (void)decoder.extend(std::vector<std::int32_t>{9, 9, 9});
    CHECK_THROWS_WITH(decoder.extend(tokens(2)), Contains("there is room for 12 tokens; 11 were read and 2 are to follow"));
    CHECK_THROWS_WITH(decoder.keep(13), Contains("at most the 11 tokens read, found 13"));
    decoder.keep(8);
    CHECK_THROWS_WITH(decoder.extend(std::vector<std::int32_t>{1, 50}), Contains("token id 50 at position 9 is outside the vocabulary of 50"));
    CHECK_THROWS_WITH(decoder.extend({}), Contains("no token was given"));
    CHECK(decoder.extend(std::span(ids).subspan(8)) == whole<B>(ctx, model, ids));
    CHECK_THROWS_WITH((LlamaDecoder(ctx, model, 0)), Contains("room for at least one token"));
}

namespace {
/// Notes which rows each site was shown with, and doubles a neuron.
struct Watcher {
    using B = EigenBackend<double>;
    std::vector<std::string> seen;
    std::vector<RowSpan> rows;
    double factor = 1;
    void activation(B::context& ctx, SiteRef site, Activation<double> x) {
        seen.push_back(site.text());
        if (site.site != Site::final_norm && site.site != Site::logits) {
            REQUIRE(site.rows.size() == 1);
            rows.push_back(site.rows[0]);
            if (site.site != Site::scores && site.site != Site::probs) CHECK(x.rows == site.rows[0].count);
        } else {
            CHECK((site.rows.empty() && x.rows == 1));
        }
        if (site.site == Site::neuron && site.layer == 1) {
            const View<double> part = x.columns(3, 1);
            B::map(ctx, Add::Scale<double>{factor}, part, View<const double>(part));
        }
    }
};
/// The same change in a whole pass.
struct Doubler {
    using B = EigenBackend<double>;
    void activation(B::context& ctx, SiteRef site, Activation<double> x) {
        if (site.site != Site::neuron || site.layer != 1) return;
        const View<double> part = x.columns(3, 1);
        B::map(ctx, Add::Scale<double>{2}, part, View<const double>(part));
    }
};
}  // namespace

TEST_CASE("an observer sees the new rows at every site, and what it changes stays in the cache") {
    using B = EigenBackend<double>;
    B::context ctx(1);
    const LlamaModel<B, AttnLRP> model(test::small_llama(true), random_weights<B>(ctx, test::small_llama(true)));
    const auto ids = tokens(9);
    Watcher watcher{{}, {}, 2};
    LlamaDecoder decoder(ctx, model, 20);
    CHECK(decoder.cache_bytes() == 2 * 3 * 20 * static_cast<std::uint64_t>(test::small_llama(true).attention.keys()) * sizeof(double));
    (void)decoder.extend(std::span(ids).first(6), watcher);
    CHECK(watcher.seen.size() == 1 + 3 * 19 + 2);
    for (const RowSpan& row : watcher.rows) CHECK(row == RowSpan{0, 6});
    watcher.rows.clear();
    const auto steered = decoder.extend(std::span(ids).subspan(6), watcher);
    for (const RowSpan& row : watcher.rows) CHECK(row == RowSpan{6, 3});
    const std::vector<std::int32_t> last{8};
    Doubler doubler;
    const auto right = model.forward(ctx, ids, last, Recompute::keep(), doubler).logits.download(ctx);
    CHECK(largest_difference(steered, right) < 1e-12 * largest_magnitude(right));
    CHECK(largest_difference(steered, whole<B>(ctx, model, ids)) > 1e-6);
}
