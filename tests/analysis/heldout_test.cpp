// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The shipped checkpoint does what its card says: held-out prompts are completed, and the noun that decides is found.
#include <cstdio>
#include <fstream>

#include <lrp/eigen/backend.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("the shipped checkpoint completes at least 95 % of 500 held-out prompts") {
    const auto models = std::filesystem::path(LRP_SOURCE_ROOT) / "examples/models";
    auto mini = Pretrained<EigenBackend<float>, AttnLRP>::load(models / "mini");
    std::ifstream in(models / "heldout.jsonl");
    int right = 0, found = 0, count = 0;
    for (std::string line; count < 500 && std::getline(in, line); ++count) {
        const auto entry = nlohmann::json::parse(line);
        const Trace trace = mini.explain(entry["prompt"].get<std::string>());
        const auto answer = entry["answer"].get<std::string>();
        right += trace.target_token == answer;
        const auto most = std::max_element(trace.embedding.begin(), trace.embedding.end()) - trace.embedding.begin();
        found += trace.tokens[static_cast<std::size_t>(most)] == answer;
    }
    std::printf("held-out prompts: %d of %d right; the deciding noun is the most relevant token in %d\n", right, count, found);
    REQUIRE(count == 500);
    CHECK(right >= 475);
    CHECK(found >= 400);
}

TEST_CASE("the example of the front page") {
    auto mini = Pretrained<EigenBackend<float>, AttnLRP>::load(std::filesystem::path(LRP_SOURCE_ROOT) / "examples/models/mini");
    const Trace trace = mini.explain("I have 5 cats and 3 dogs. My cats love to play with my");
    CHECK(trace.target_token == " dogs");
    CHECK(trace.tokens[9] == " dogs");
    CHECK(std::max_element(trace.embedding.begin(), trace.embedding.end()) - trace.embedding.begin() == 9);
    CHECK(trace.offsets[9] == std::pair<std::size_t, std::size_t>(19, 24));
}
