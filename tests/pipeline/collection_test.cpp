// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The parts of a collection: which positions count, where batches are cut, what a corpus is, what stores may be merged.
#include <lrp/pipeline/collection.hpp>
#include <lrp/pipeline/corpus.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/tiny_store.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

TEST_CASE("positions that count: not the first, and no padding at either end") {
    const StoredDocument document{0, "", 1, "", {9, 9, 4, 9, 5, 9}};
    std::uint64_t firsts = 0, padding = 0;
    CHECK(CountRule{}.apply(document, firsts, padding).counts == std::vector<bool>{false, true, true, true, true, true});
    CHECK((firsts == 1 && padding == 0));
    CHECK(CountRule{true, {}}.apply(document, firsts, padding).counts == std::vector<bool>(6, true));
    CHECK((firsts == 1 && padding == 0));
    CHECK(CountRule{false, 9}.apply(document, firsts, padding).counts == std::vector<bool>{false, false, false, true, true, false});
    CHECK((firsts == 2 && padding == 3));
    CHECK(CountRule{true, 9}.apply(document, firsts, padding).counts == std::vector<bool>{false, false, true, true, true, false});
    CHECK((firsts == 2 && padding == 6));
    CHECK(CountRule{false, 9}.apply({0, "", 1, "", {9, 9}}, firsts, padding).counts == std::vector<bool>(2, false));
    CHECK((firsts == 2 && padding == 8));
}

TEST_CASE("batches hold as many tokens as they may, and no more") {
    std::vector<StoredDocument> documents;
    for (const std::size_t length : {3, 2, 4, 9, 1, 5}) documents.push_back({static_cast<std::int32_t>(documents.size()), "", 1, "", std::vector<std::int32_t>(length, 1)});
    const auto batches = cut_batches(documents, 5);
    const std::vector<std::array<std::int64_t, 4>> right{{0, 0, 2, 5}, {1, 2, 1, 4}, {2, 3, 1, 9}, {3, 4, 1, 1}, {4, 5, 1, 5}};
    REQUIRE(batches.size() == right.size());
    for (std::size_t i = 0; i < right.size(); ++i)
        CHECK(std::array<std::int64_t, 4>{batches[i].batch, batches[i].first_document, batches[i].documents, batches[i].tokens} == right[i]);
    std::map<std::string, std::string> provenance;
    complete_provenance(provenance, {batches[0], batches[3]}, 5, 7, 8);
    CHECK((provenance["documents"] == "3" && provenance["tokens"] == "6" && provenance["batches"] == "2" && provenance["batches_of_the_corpus"] == "5" &&
           provenance["skipped_first_positions"] == "7" && provenance["skipped_padding"] == "8"));
}

TEST_CASE("the windows of a store surround its places and end where documents do") {
    UnitSummary summary(1, {4, 2, 1});
    for (const Place& place : {Place{0, 0}, Place{0, 3}, Place{1, 5}}) (void)summary.list(0).offer(0, static_cast<float>(place.position), place);
    (void)summary.list(1).offer(0, -1, {0, 3});  // a place twice is one window
    WindowPlaces windows;
    windows.add(summary);
    std::vector<std::array<std::int32_t, 4>> found;
    windows.visit(summary.shape(), [](std::int32_t) { return 6; }, [&](std::int32_t document, std::int32_t position, std::int32_t begin, std::int32_t end) { found.push_back({document, position, begin, end}); });
    CHECK(found == std::vector<std::array<std::int32_t, 4>>{{0, 0, 0, 2}, {0, 3, 1, 5}, {1, 5, 3, 6}});
}

TEST_CASE("a corpus of ids: lines, lengths, and a digest that knows each id") {
    test::TemporaryFolder folder;
    const auto read = [&](const std::string& text, TooLong too_long = TooLong::refuse, const std::string& name = "c.jsonl") {
        folder.write(name, text);
        CorpusOptions options;
        options.too_long = too_long;
        options.context = 4;
        options.vocabulary = 10;
        return read_corpus({(folder.path() / name).string()}, std::nullopt, options);
    };
    const Corpus corpus = read("{\"ids\": [1, 2]}\n\n{\"ids\": [3]}\n");
    REQUIRE(corpus.documents.size() == 2);
    CHECK((corpus.documents[0].line == 1 && corpus.documents[1].line == 3 && corpus.documents[1].document == 1 && corpus.documents[1].source == "c.jsonl" && corpus.tokens == 3));
    CHECK(read("{\"ids\": [1, 2]}\n{\"ids\": [3]}\n").digest == corpus.digest);
    for (const char* other : {"{\"ids\": [1, 4]}\n{\"ids\": [3]}\n", "{\"ids\": [2, 1]}\n{\"ids\": [3]}\n", "{\"ids\": [1]}\n{\"ids\": [2, 3]}\n"}) CHECK(read(other).digest != corpus.digest);
    CHECK(read("{\"ids\": [1, 2]}\n", TooLong::refuse, "c.other").documents[0].ids == std::vector<std::int32_t>{1, 2});
    CHECK(read(" \t {\"ids\": [1, 2]}\n", TooLong::refuse, "c.other").documents[0].ids == std::vector<std::int32_t>{1, 2});
    const Corpus cut = read("{\"ids\": [1, 2, 3, 4, 5, 6]}\n{\"ids\": [1, 2, 3, 4]}\n", TooLong::truncate);
    CHECK((cut.documents[0].ids == std::vector<std::int32_t>{1, 2, 3, 4} && cut.truncated == std::vector<std::int32_t>{0} && cut.skipped == 0));
    CHECK(read("{\"ids\": [1]}\n{\"ids\": [1, 2, 3, 4, 5]}\n{\"ids\": [2]}\n{\"ids\": [1, 2, 3, 4, 5, 6]}\n", TooLong::truncate).truncated == std::vector<std::int32_t>{1, 3});
    const Corpus fewer = read("{\"ids\": [1, 2, 3, 4, 5, 6]}\n{\"ids\": [1, 2, 3, 4]}\n", TooLong::skip);
    CHECK((fewer.documents.size() == 1 && fewer.documents[0].document == 0 && fewer.truncated.empty() && fewer.skipped == 1));
}

TEST_CASE("stores of different collections are not merged") {
    const test::TinyStore tiny;
    test::TemporaryFolder folder;
    const auto path = [&](const char* name) { return (folder.path() / name).string(); };
    tiny.write(path("a"));
    tiny.write(path("b"), {{"condition", "last"}});
    tiny.write(path("c"), {{"pad_id", "3"}});
    CHECK_THROWS_WITH(merge_stores({path("a"), path("c")}, path("x")), Contains("pad_id is '3', in") && Contains("it is 'none'"));
    CHECK_THROWS_AS(merge_stores({path("a"), path("b")}, path("x")), Error);
    tiny.write(path("d"), {{"skipped_padding", "4"}});
    merge_stores({path("d")}, path("y"));
    const NeuronStore merged = NeuronStore::open(path("y"));
    CHECK((merged.fact("skipped_first_positions") == "3" && merged.fact("skipped_padding") == "4" && merged.fact("model") == "tiny" && merged.fact("tokens") == "16"));
}
