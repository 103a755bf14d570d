// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/store/store.hpp>

#include <lrp/store/store_write.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

StoreContents some_contents() {
    StoreContents contents;
    contents.provenance = {{"model", "m"}, {"model_hash", "abc"}, {"layers", "2"}, {"odd", "x1"}};
    contents.batches = {{0, 0, 2, 5}, {3, 7, 1, 2}};
    contents.tokens = {"<s>", " red", "\n"};
    contents.files = {"layers/b.npz", "layers/a.npz"};
    contents.file_bytes = [](const std::string& name) { return "bytes of " + name; };
    contents.documents = [](const auto& visit) {
        visit({0, "c.txt", 1, "red dog", {0, 1, 2}});
        visit({1, "c.txt", 3, "", {2, 2}});
        visit({7, "d.jsonl", 9, "a cat", {1, 0}});
    };
    contents.windows = [](const auto& visit) { visit(0, 1, 0, 2), visit(7, 0, 0, 2); };
    return contents;
}

std::string message(const std::filesystem::path& folder) {
    try {
        (void)NeuronStore::open(folder);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

}  // namespace

TEST_CASE("a store gives back what was written, and the same contents give the same bytes") {
    test::TemporaryFolder folder;
    write_store(folder.path() / "a", some_contents());
    write_store(folder.path() / "b", some_contents());
    CHECK(read_text_file(folder.path() / "a/store.sqlite") == read_text_file(folder.path() / "b/store.sqlite"));
    NeuronStore store = NeuronStore::open(folder.path() / "a");
    CHECK((store.fact("model") == "m" && store.number("layers") == 2));
    CHECK_THROWS_WITH(store.number("odd"), Contains("odd: expected a whole number, found 'x1'"));
    CHECK_THROWS_WITH(store.fact("nothing"), Contains("nothing is missing"));
    CHECK_THROWS_WITH(store.require_model("def", "other"), Contains("made from the model 'm' (hash abc), not from other (hash def)"));
    CHECK_NOTHROW(store.require_model("abc", "other"));
    CHECK((store.batches().size() == 2 && store.batches()[1].batch == 3 && store.batches()[1].first_document == 7));
    CHECK(store.tokens() == std::vector<std::string>{"<s>", " red", "\n"});
    CHECK((store.document(7).ids == std::vector<std::int32_t>{1, 0} && store.document(7).line == 9 && store.document(0).text == "red dog"));
    CHECK_THROWS_WITH(store.document(2), Contains("document 2 is missing"));
    CHECK(store.find_documents("cat OR red", 10).size() == 2);
    CHECK(store.find_documents("dog*", 10) == std::vector<std::int32_t>{0});
    CHECK(store.layer_file("layers/a.npz").bytes().size() == std::string("bytes of layers/a.npz").size());
    CHECK_THROWS_WITH(store.layer_file("layers/c.npz"), Contains("has no file layers/c.npz"));
    CHECK_THROWS_WITH(write_store("/proc/nowhere", some_contents()), Contains("/proc/nowhere/layers: cannot be made"));
}

TEST_CASE("labels are replaced by source, found by words, and checked") {
    test::TemporaryFolder folder;
    write_store(folder.path(), some_contents());
    const double none = std::numeric_limits<double>::quiet_NaN();
    {
        NeuronStore store = NeuronStore::open(folder.path(), Database::Mode::write);
        store.put_labels({{"neuron", 1, 5, "max", "tokens", "red fruit", "1", 0.5, -0.0, 3.0}, {"head", 0, 1, "min", "tokens", "weather", "2", none, none, none}}, "tokens");
        const std::vector<StoredUnitToken> tokens{{"neuron", 1, 5, "top", "max", 0, 1, 0.75}};
        store.put_labels({{"neuron", 1, 5, "max", "mine", "fruit bowl", "", none, none, none}}, "mine", &tokens);
        CHECK_THROWS_AS(store.put_labels({{"neuron", 1, 5, "max", "mine", "a", "", none, none, none}, {"neuron", 1, 5, "max", "mine", "b", "", none, none, none}}, "mine"), Error);
    }
    NeuronStore store = NeuronStore::open(folder.path());
    CHECK(store.labels().size() == 3);  // the one that failed changed nothing
    CHECK((store.labels("fruit").size() == 2 && store.labels("weather").size() == 1 && store.labels("wea*")[0].site == "head"));
    CHECK((store.labels_of("neuron", 1, 5).size() == 2 && store.labels_of("neuron", 1, 5)[1].score == 0.5 && std::isnan(store.labels_of("head", 0, 1)[0].score)));
    CHECK((store.tokens_of("neuron", 1, 5).size() == 1 && store.tokens_of("neuron", 1, 5)[0].score == 0.75));
    CHECK_THROWS_AS(store.put_labels({}, "mine"), Error);  // opened for reading
}

TEST_CASE("what is no whole store of this version is refused with the reason") {
    test::TemporaryFolder folder;
    CHECK_THAT(message(folder.path() / "no"), Contains("there is no such store"));
    CHECK_THAT(message(folder.path()), Contains("store.sqlite is missing"));
    folder.write("work.0.sqlite", "");
    CHECK_THAT(message(folder.path()), Contains("the collection is not finished"));
    const auto change = [&](const char* sql, const std::string& reason) {
        std::filesystem::remove_all(folder.path() / "s");
        write_store(folder.path() / "s", some_contents());
        Database::open(folder.path() / "s/store.sqlite", Database::Mode::write).run(sql);
        INFO(sql);
        CHECK_THAT(message(folder.path() / "s"), Contains(reason));
    };
    change("PRAGMA user_version = 2", "expected a store of schema version 1, found 2");
    change("PRAGMA application_id = 5", "is no neuron store");
    change("UPDATE provenance SET value = 'n' WHERE key = 'model'", "the provenance's checksum does not fit");
    change("UPDATE batches SET tokens = 6 WHERE batch = 0", "the provenance's checksum does not fit");
    change("UPDATE files SET crc32 = 1 WHERE name = 'layers/a.npz'", "the provenance's checksum does not fit");
    change("UPDATE documents SET text = 'blue dog' WHERE document = 0", "document 0: the checksum does not fit");
    change("UPDATE documents SET ids = x'00000000' WHERE document = 7", "document 7: the checksum does not fit");
    change("UPDATE tokens SET text = 'y' WHERE token = 1", "token 1: the checksum does not fit");
    change("DELETE FROM windows WHERE document = 7", "the windows' checksum does not fit");
    change("INSERT INTO labels VALUES(1, 'neuron', 0, 0, 'max', 's', 'l', '', NULL, NULL, NULL, 5)", "a label of neuron 0/0: the checksum does not fit");
    change("INSERT INTO unit_tokens VALUES('neuron', 0, 0, 'top', 'max', 0, 1, 0.5, 5)", "a token of neuron 0/0: the checksum does not fit");
    change("DROP TABLE documents", "no such table");
}
