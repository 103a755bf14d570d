// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/pipeline/pretrained.hpp>

#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"
#include "support/golden.hpp"

using namespace lrp;
using lrp::test::golden_folder;
using Catch::Matchers::Contains;

TEST_CASE("a model from a folder explains a prompt, ids, and many prompts alike") {
    auto model = Pretrained<ReferenceBackend<float>, AttnLRP>::load(LRP_SOURCE_ROOT "/examples/models/mini");
    const std::vector<std::string> prompts{"The soup is", "I have 5 cats and 3"};
    const AttributeOptions options{.sites = {.head = true, .neuron = true}};
    const std::vector<Trace> many = model.explain_all(prompts, options);
    REQUIRE(many.size() == 2);
    for (std::size_t i = 0; i < many.size(); ++i) {
        const Trace one = model.explain(prompts[i], options), of_ids = model.explain(one.ids, options);
        CHECK((one.prompt == prompts[i] && many[i].prompt == prompts[i] && of_ids.prompt.empty()));
        CHECK((one.tokens == many[i].tokens && one.tokens == of_ids.tokens && one.target_token == many[i].target_token && one.target_token == of_ids.target_token));
        CHECK((one.offsets == many[i].offsets && one.offsets.back().second == prompts[i].size() && of_ids.offsets.back().second == 0));
        for (const auto array : {&Trace::embedding, &Trace::residual, &Trace::head, &Trace::neuron}) CHECK((!(one.*array).empty() && one.*array == many[i].*array && one.*array == of_ids.*array));
        CHECK(one.tokens[1] != one.tokens[2]);
    }
}

TEST_CASE("without a tokenizer ids are explained, and texts refused") {
    auto model = Pretrained<ReferenceBackend<float>, AttnLRP>::load(golden_folder() / "models/plain");
    const Trace trace = model.explain(std::vector<std::int32_t>{0, 5, 9});
    CHECK((trace.tokens.size() == 3 && trace.embedding.size() == 3));
    CHECK_THROWS_WITH(model.explain("text"), Contains("the model has no tokenizer.json; give token ids"));
    const std::vector<std::string> prompts{"text"};
    CHECK_THROWS_WITH(model.explain_all(prompts), Contains("the model has no tokenizer.json"));
}
