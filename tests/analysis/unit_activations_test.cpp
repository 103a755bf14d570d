// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Activations of neurons and heads as the forward pass saves them.
#include <map>

#include <lrp/analysis/unit_activations.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"
#include "support/random_model.hpp"

using namespace lrp;

namespace {

/// Keeps both sites as they pass by.
struct Keeper {
    std::map<std::pair<Site, Index>, std::vector<double>> values;
    void activation(ReferenceBackend<double>::context& ctx, SiteRef site, Activation<double> x) {
        values[{site.site, site.layer}] = download(ctx, View<const double>(x));
    }
};

}  // namespace

TEST_CASE("unit_activations: neurons as they are, heads by their length") {
    LlamaConfig config;
    config.vocab_size = 31;
    config.hidden_size = 12;
    config.intermediate_size = 7;
    config.layers = 2;
    config.attention = {4, 2, 4};
    ReferenceBackend<double>::context ctx;
    const LlamaModel<ReferenceBackend<double>, AttnLRP> model(config, test::random_weights<ReferenceBackend<double>>(ctx, config, 3));
    const std::vector<std::int32_t> ids{1, 30, 7, 7, 2};
    Keeper keeper;
    (void)model.forward(ctx, ids, std::vector{4}, Recompute::keep(), keeper);

    int calls = 0;
    unit_activations(ctx, model, ids, [&](Site site, std::size_t layer, const std::vector<float>& values) {
        ++calls;
        const auto& all = keeper.values.at({site, static_cast<Index>(layer)});
        const std::size_t width = site == Site::head ? 4 : 1;
        REQUIRE(values.size() * width == all.size());
        for (std::size_t i = 0; i < values.size(); ++i) {
            const double expected =
                site == Site::head
                    ? std::sqrt(all[4 * i] * all[4 * i] + all[4 * i + 1] * all[4 * i + 1] + all[4 * i + 2] * all[4 * i + 2] + all[4 * i + 3] * all[4 * i + 3])
                    : all[i];
            CHECK(values[i] == Approx(expected).epsilon(1e-6));
        }
    });
    CHECK(calls == 4);
}
