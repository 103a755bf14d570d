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
    contents.provenance = {{"model", "m"}, {"model_hash", "abc"}, {"layers", "2"}, {"odd", "x1"}, {"half", "2.5"}};
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
    CHECK_THROWS_WITH(store.number("half"), Contains("half: expected a whole number, found '2.5'"));
    CHECK_THROWS_WITH(store.number("odd"), Contains("odd: expected a whole number, found 'x1'"));
    CHECK_THROWS_WITH(store.fact("nothing"), Contains("nothing is missing"));
    CHECK_THROWS_WITH(store.require_model("def", "other"), Contains("made from the model 'm' (hash abc), not from other (hash def)"));
    CHECK_NOTHROW(store.require_model("abc", "other"));
    CHECK((store.batches().size() == 2 && store.batches()[1].batch == 3 && store.batches()[1].first_document == 7));
    CHECK(store.tokens() == std::vector<std::string>{"<s>", " red", "\n"});
    CHECK((store.document(7).ids == std::vector<std::int32_t>{1, 0} && store.document(7).line == 9 && store.document(0).text == "red dog"));
    CHECK_THROWS_WITH(store.document(2), Contains("document 2 is missing"));
    CHECK(store.find_documents("cat OR red", 10).size() == 2);
    CHECK((!store.query_error("cat OR red") && !store.query_error("\"red dog\"")));
    for (const char* query : {"label:cat", "text:cat", "\"red"}) CHECK(store.query_error(query).has_value());  // labels and documents have no column of one name
    CHECK(store.find_documents("dog*", 10) == std::vector<std::int32_t>{0});
    CHECK(store.find_documents("a OR cat OR dog", 10) == std::vector<std::int32_t>{7, 0});  // best first
    CHECK(store.layer_file("layers/a.npz").bytes().size() == std::string("bytes of layers/a.npz").size());
    CHECK_THROWS_WITH(store.layer_file("layers/c.npz"), Contains("has no file layers/c.npz"));
    Database written = Database::open(folder.path() / "a/store.sqlite", Database::Mode::write);
    Statement mode = written.prepare("PRAGMA journal_mode");
    CHECK((mode.next() && mode.text(0) == "wal"));  // readers and a writer of labels at once
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
        store.put_labels({{"neuron", 1, 5, "max", "mine", "fruit bowl", "", none, none, none}}, "mine", &tokens);  // the same again takes the old ones' place
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
    change("PRAGMA user_version = 0", "expected a store of schema version 1, found 0");
    change("PRAGMA user_version = 2", "expected a store of schema version 1, found 2");
    change("PRAGMA application_id = 5", "is no neuron store");
    change("UPDATE provenance SET value = 'n' WHERE key = 'model'", "the provenance's checksum does not fit");
    change("UPDATE provenance SET key = 'mode', value = 'lm' WHERE key = 'model'", "the provenance's checksum does not fit");
    change("UPDATE batches SET tokens = 6 WHERE batch = 0", "the provenance's checksum does not fit");
    change("UPDATE files SET crc32 = 1 WHERE name = 'layers/a.npz'", "the provenance's checksum does not fit");
    change("UPDATE documents SET text = 'blue dog' WHERE document = 0", "document 0: the checksum does not fit");
    change("UPDATE documents SET line = 2 WHERE document = 0", "document 0: the checksum does not fit");
    change("UPDATE documents SET ids = x'00000000' WHERE document = 7", "document 7: the checksum does not fit");
    change("UPDATE tokens SET text = 'y' WHERE token = 1", "token 1: the checksum does not fit");
    change("DELETE FROM windows WHERE document = 7", "the windows' checksum does not fit");
    change("INSERT INTO labels VALUES(1, 'neuron', 0, 0, 'max', 's', 'l', '', NULL, NULL, NULL, 5)", "a label of neuron 0/0: the checksum does not fit");
    change("INSERT INTO unit_tokens VALUES('neuron', 0, 0, 'top', 'max', 0, 1, 0.5, 5)", "a token of neuron 0/0: the checksum does not fit");
    change("DROP TABLE documents", "no such table");
    change("UPDATE provenance SET value = value", "");
    std::string bytes = read_text_file(folder.path() / "s/layers/a.npz");
    bytes[3] = static_cast<char>(bytes[3] ^ 1);
    std::ofstream(folder.path() / "s/layers/a.npz", std::ios::binary) << bytes;
    CHECK_THAT(message(folder.path() / "s"), Contains("layers/a.npz: the checksum does not fit"));
}

TEST_CASE("every number and word of a label and of a unit's token is in its checksum") {
    test::TemporaryFolder folder;
    write_store(folder.path(), some_contents());
    const StoredLabel label{"neuron", 1, 5, "max", "mine", "fruit", "1 2", 0.5, 0.25, 3.0};
    const std::vector<StoredUnitToken> tokens{{"neuron", 1, 5, "top", "max", 0, 1, 0.75}};
    NeuronStore::open(folder.path(), Database::Mode::write).put_labels({label}, "mine", &tokens);
    const auto change = [&](const std::string& table, const std::string& set, const std::string& back) {
        const auto run = [&](const std::string& sql) { Database::open(folder.path() / "store.sqlite", Database::Mode::write).run("UPDATE " + table + " SET " + sql); };
        run(set);
        INFO(set);
        CHECK_THAT(message(folder.path()), Contains("the checksum does not fit"));
        run(back);
        CHECK(message(folder.path()).empty());
    };
    for (const auto& [set, back] : std::vector<std::pair<std::string, std::string>>{
             {"site = 'head'", "site = 'neuron'"}, {"layer = 0", "layer = 1"}, {"unit = 6", "unit = 5"}, {"pole = 'min'", "pole = 'max'"}, {"source = 'max'", "source = 'mine'"},
             {"label = 'x'", "label = 'fruit'"}, {"tokens = '1 3'", "tokens = '1 2'"}, {"score = 1", "score = 0.5"}, {"null_mean = 0", "null_mean = 0.25"}, {"null_high = 0", "null_high = 3.0"}})
        change("labels", set, back);
    for (const auto& [set, back] : std::vector<std::pair<std::string, std::string>>{{"site = 'head'", "site = 'neuron'"}, {"layer = 0", "layer = 1"}, {"unit = 6", "unit = 5"},
                                                                                    {"kind = 'reads'", "kind = 'top'"}, {"pole = 'min'", "pole = 'max'"}, {"rank = 1", "rank = 0"},
                                                                                    {"token = 2", "token = 1"}, {"score = 0", "score = 0.75"}})
        change("unit_tokens", set, back);
}

TEST_CASE("a store that could not be written is none, and what killed writers left goes") {
    test::TemporaryFolder folder;
    std::filesystem::create_directories(folder.path() / "layers");
    folder.write("layers/.lrp-1-0.tmp", "x");
    StoreContents broken = some_contents();
    broken.windows = [](const auto&) { throw Error("no more"); };
    CHECK_THROWS_WITH(write_store(folder.path(), broken), Contains("no more"));
    CHECK_THAT(message(folder.path()), Contains("store.sqlite is missing"));
    CHECK((!is_there(folder.path() / "store.sqlite.new") && !is_there(folder.path() / "layers/.lrp-1-0.tmp")));
}
