// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// collect, merge, label and show from outside: what a store holds, that its bytes do not depend on who made it or what interrupted them, and what
// bad input is told.
#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <map>
#include <set>

#include <lrp/io/json.hpp>
#include <lrp/io/mapped_file.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/program.hpp"

using namespace lrp;
using namespace lrp::test;
using Catch::Matchers::Contains;

namespace {

/// The first lines of the shipped corpus, in a file of their own.
std::string some_corpus(const TemporaryFolder& folder, int lines, int from = 0) {
    std::ifstream in(LRP_SOURCE_ROOT "/examples/models/corpus.txt");
    std::string text, line;
    for (int i = 0; i < from + lines && std::getline(in, line); ++i)
        if (i >= from) text += line + "\n";
    const std::string name = "corpus" + std::to_string(from) + ".txt";
    folder.write(name, text);
    return (folder.path() / name).string();
}

/// The shipped checkpoint with another value in its config.json.
std::string other_model(const TemporaryFolder& folder, const char* key, const nlohmann::json& value) {
    const std::filesystem::path other = folder.path() / "other_model";
    std::filesystem::create_directory(other);
    for (const char* name : {"model.safetensors", "tokenizer.json"}) std::filesystem::copy(std::filesystem::path(mini) / name, other / name);
    auto config = nlohmann::json::parse(read_text_file(std::filesystem::path(mini) / "config.json"));
    config[key] = value;
    folder.write("other_model/config.json", config.dump());
    return other.string();
}

/// Every file of a store by name.
std::map<std::string, std::string> bytes_of(const std::filesystem::path& store) {
    std::map<std::string, std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(store))
        if (entry.is_regular_file()) files[std::filesystem::relative(entry.path(), store).string()] = read_text_file(entry.path());
    return files;
}

}  // namespace

TEST_CASE("collect: sharded, merged, resumed and with any threads, a store has the same bytes") {
    TemporaryFolder folder;
    const auto path = [&](const char* name) { return (folder.path() / name).string(); };
    const std::string corpus = some_corpus(folder, 60), options = " --batch 256 --top 6 --before 4 --after 3";
    const auto collect = [&](const char* name, const std::string& more) {
        const Result result = lrp_run("collect " + mini + " " + corpus + " -o " + path(name) + options + " " + more);
        INFO(result.err);
        CHECK(result.code == 0);
        return result;
    };
    const Result whole = collect("whole", "");
    CHECK_THAT(whole.err, Contains("60 documents") && Contains("60 first positions skipped") && Contains("0 positions of padding") && !Contains("\r"));
    const auto right = bytes_of(path("whole"));
    CHECK(right.size() == 13);  // the database, and two sites of six layers
    CHECK_THAT(collect("whole", "").err, Contains("holds this collection already"));
    collect("one", "--threads 1 --recompute always");
    CHECK(bytes_of(path("one")) == right);
    for (int i = 0; i < 3; ++i) collect(("part" + std::to_string(i)).c_str(), "--shard " + std::to_string(i) + "/3");
    CHECK(bytes_of(path("part0")) != right);
    CHECK(lrp_run("merge " + path("part2") + " " + path("part0") + " " + path("part1") + " -o " + path("merged")).code == 0);
    CHECK(bytes_of(path("merged")) == right);
    CHECK(lrp_run("merge " + path("part1") + " " + path("part2") + " -o " + path("half")).code == 0);
    CHECK_THAT(lrp_run("merge " + path("half") + " " + path("part0") + " -o " + path("stepwise")).err, Contains("of the corpus"));
    CHECK(bytes_of(path("stepwise")) == right);

    struct Case {
        std::string arguments;
        int code;
        std::string message;
    };
    const std::vector<Case> cases{
        {"merge " + path("part0") + " " + path("part0") + " -o " + path("x"), 1, "batch 0 is in"},
        {"merge " + path("whole") + " " + path("part0") + " -o " + path("x"), 1, "as well"},
        {"merge " + path("part0") + " " + path("nothing") + " -o " + path("x"), 1, "nothing: there is no such store"},
        {"merge " + path("part0") + " " + path("part1") + " -o " + path("whole"), 1, "there is a store already"},
        {"collect " + mini + " " + corpus + " -o " + path("whole") + " --batch 256 --top 5", 1,
         "there is a store already, with k '6' where this collection has '5'"},
        {"collect " + mini + " " + corpus + " -o " + path("part0") + options + " --shard 1/3", 1, "there is a store already, of other batches of the corpus"},
        {"collect " + mini + " " + corpus + " -o " + path("whole") + options + " --products fast", 1, "with products 'exact' where this collection has 'fast'"},
        {"collect " + other_model(folder, "rms_norm_eps", 0.1) + " " + corpus + " -o " + path("whole") + options, 1, "made from the model 'mini'"},
        {"collect " + mini + " " + corpus + " -o " + path("x") + " --condition target --target 640", 2, "--target: expected a token below 640, found 640"},
        {"collect " + mini + " " + corpus + " -o " + folder.path().string(), 1, "this folder holds something else"},
        {"collect " + mini + " " + corpus + " -o " + path("x") + " --shard 3/3", 2, "expected i/n with i from 0 to n-1"},
        {"collect " + mini + " " + corpus + " -o " + path("x") + " --condition target", 2, "--condition target and --target TOKEN go together"},
        {"collect " + mini + " " + corpus + " -o " + corpus, 1, "expected a folder for the store, found a file"},
    };
    for (const Case& one : cases) {
        INFO(one.arguments);
        const Result result = lrp_run(one.arguments);
        CHECK(result.code == one.code);
        CHECK_THAT(result.err, Contains(one.message));
        CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    }
    CHECK_FALSE(std::filesystem::exists(path("x")));
}

TEST_CASE("collect: every document of a bad corpus is refused with file and line, and nothing is left") {
    TemporaryFolder folder;
    const auto file = [&](const std::string& name, const std::string& bytes) {
        folder.write(name, bytes);
        return (folder.path() / name).string();
    };
    std::string many = "[0";
    for (int i = 0; i < 600; ++i) many += ",5";
    struct Case {
        std::string file, message;
    };
    const std::vector<Case> cases{
        {file("empty.txt", ""), "empty.txt: the corpus is empty"},
        {file("blank.txt", "\n  \n\t\n"), "blank.txt: the corpus is empty"},
        {file("latin.txt", "good\n\ncaf\xE9 au lait\n"), "latin.txt: line 3: not UTF-8 at byte 3"},
        {file("broken.jsonl", "{\"text\": \"good\"}\n{\"text\": \n"), "broken.jsonl: line 2: not valid JSON"},
        {file("list.jsonl", "[1, 2]\n"), "list.jsonl: line 1: expected a JSON object"},
        {file("neither.jsonl", "{\"words\": \"x\"}\n"), "neither.jsonl: line 1: expected 'text' or 'ids', found neither"},
        {file("both.jsonl", "{\"text\": \"x\", \"ids\": [1]}\n"), "both.jsonl: line 1: expected 'text' or 'ids', found both"},
        {file("noids.jsonl", "{\"ids\": []}\n"), "noids.jsonl: line 1: ids: the list is empty"},
        {file("large.jsonl", "{\"ids\": [1, 640]}\n"), "large.jsonl: line 1: ids: expected whole numbers below 640, found 640"},
        {file("minus.jsonl", "{\"ids\": [1, -1]}\n"), "minus.jsonl: line 1: ids: expected whole numbers below 640, found -1"},
        {file("long.jsonl", "{\"ids\": [0, 5]}\n{\"ids\": " + many + "]}\n"), "long.jsonl: line 2: a document of 601 tokens, and the model was made for 512"},
        {"/nonexistent", "/nonexistent: cannot be opened"},
        {folder.path().string(), "it is a folder"},
    };
    const std::string store = (folder.path() / "store").string();
    for (const Case& one : cases) {
        INFO(one.file);
        const Result result = lrp_run("collect " + mini + " " + one.file + " -o " + store);
        CHECK(result.code == 1);
        CHECK_THAT(result.err, Contains(one.message));
        CHECK_FALSE(std::filesystem::exists(store));
    }
    CHECK_THAT(
        lrp_run("collect " + mini + " " + file("skip.jsonl", "{\"ids\": [0, 5, 7]}\n{\"ids\": " + many + "]}\n") + " -o " + store + " --too-long truncate").err,
        Contains("2 documents") && Contains("1 document cut to the context"));
    CHECK_THAT(lrp_run("collect " + mini + " - -o " + store + "2 --too-long skip --pad-id 9 <" +
                           file("pad.jsonl", "{\"ids\": [9, 9, 0, 5, 7, 9]}\n{\"ids\": " + many + "]}\n"),
                       "", false)
                   .err,
               Contains("1 document, 6 tokens; 1 first position skipped, 3 positions of padding skipped; 0 documents cut to the context, 1 left out"));
}

TEST_CASE("collect: the report counts what its shard holds, and has a singular") {
    TemporaryFolder folder;
    std::string many = "[0";
    for (int i = 0; i < 600; ++i) many += ",5";
    folder.write("long.jsonl", "{\"ids\": " + many + "]}\n{\"ids\": [0, 5]}\n{\"ids\": " + many + "]}\n{\"ids\": [9, 0, 4]}\n");
    folder.write("named", "  {\"ids\": [7]}\n");
    int number = 0;
    const auto report = [&](const std::string& corpus, const std::string& options) {
        const std::string store = (folder.path() / std::to_string(number++)).string();
        const Result result = lrp_run("collect " + mini + " " + (folder.path() / corpus).string() + " -o " + store + " --top 2 " + options);
        INFO(result.err);
        CHECK(result.code == 0);
        return result.err;
    };
    const std::string cut = "--too-long truncate --batch 2 ";
    CHECK_THAT(report("long.jsonl", cut),
               Contains("4 documents, 1029 tokens; 4 first positions skipped, 0 positions of padding skipped; 2 documents cut to the context, 0 left out;"));
    CHECK_THAT(report("long.jsonl", cut + "--shard 0/4"),
               Contains("1 document, 512 tokens; 1 first position skipped") && Contains("1 document cut to the context, 0 left out of the whole corpus"));
    CHECK_THAT(report("long.jsonl", cut + "--shard 1/4"), Contains("1 document, 2 tokens; 1 first position skipped, 0 positions of padding skipped; ") && !Contains("cut to"));
    CHECK_THAT(report("long.jsonl", cut + "--shard 3/4 --pad-id 9"), Contains("3 tokens; 1 first position skipped, 1 position of padding skipped;"));
    CHECK_THAT(report("named", "--include-first"), Contains("1 document, 1 token; first positions counted, 0 positions of padding skipped;"));
}

TEST_CASE("show: a unit as JSON, and what is refused") {
    TemporaryFolder folder;
    const std::string store = (folder.path() / "store").string(), corpus = some_corpus(folder, 30);
    REQUIRE(lrp_run("collect " + mini + " " + corpus + " -o " + store + " --top 5 --before 3 --after 2").code == 0);
    folder.write("ids.jsonl", "{\"ids\": [1, 2, 3]}\n");
    const std::string out = (folder.path() / "out").string();
    std::filesystem::create_directory(folder.path() / "model");
    folder.write("model/config.json", "{}");
    const auto json = nlohmann::json::parse(lrp_run("show " + store + " 3/118 --json").out);
    for (const char* name : {"activation_max", "activation_min", "relevance_max", "relevance_min"}) {
        const auto& list = json[name];
        REQUIRE(list.size() == 5);
        const bool falls = std::string(name).ends_with("max");
        for (std::size_t i = 0; i < list.size(); ++i) {
            const auto& entry = list[i];
            const std::int64_t document = entry["document"], position = entry["position"], begin = entry["begin"];
            CHECK((document >= 0 && document < 30 && position >= 1));
            CHECK((entry["tokens"].size() == entry["activation"].size() && entry["tokens"].size() == entry["relevance"].size()));
            CHECK(entry["tokens"][static_cast<std::size_t>(position - begin)] == entry["token"]);
            const double own = entry[std::string(name).substr(0, 10) == "activation" ? "activation" : "relevance"][static_cast<std::size_t>(position - begin)];
            CHECK(own == Approx(entry["value"].get<double>()).epsilon(1e-3).margin(1e-7));
            if (i > 0) CHECK((falls ? list[i - 1]["value"] >= entry["value"] : list[i - 1]["value"] <= entry["value"]));
        }
    }
    CHECK(json["statistics"]["activation"]["count"] == json["statistics"]["relevance"]["count"]);
    CHECK_THAT(lrp_run("show " + store + " 3/118").out, Contains("neuron 3/118") && Contains("activation_max") && Contains("relevance_min"));
    CHECK_THAT(lrp_run("show " + store + " 1/3 --head").out, Contains("head 1/3"));
    CHECK_THAT(lrp_run("show " + store).out, Contains("model_hash") && Contains("mini"));
    CHECK_THAT(lrp_run("show " + store + " --search turtles").out, Contains("turtles"));
    struct Case {
        std::string arguments;
        int code;
        std::string message;
    };
    const std::vector<Case> cases{
        {"show " + store + " 6/0", 2, "expected a layer from 0 to 5, found 6"},
        {"show " + store + " 0/384", 2, "expected a neuron from 0 to 383, found 384"},
        {"show " + store + " 0/8 --head", 2, "expected a head from 0 to 7, found 8"},
        {"show " + store + " -- -1/3", 2, "expected LAYER/NEURON such as 3/118 (or head:LAYER/HEAD), found '-1/3'"},
        {"show " + store + " fruit", 2, "expected LAYER/NEURON such as 3/118 (or head:LAYER/HEAD), found 'fruit'"},
        {"show " + store + " 3/", 2, "expected LAYER/NEURON"},
        {"show " + store + " --head", 2, "--head: say which, as layer/head"},
        {"show " + store + " head:0/8", 2, "expected a head from 0 to 7, found 8"},
        {"show " + folder.path().string(), 1, "there is no store here"},
        {"show /nonexistent", 1, "there is no such store"},
        {"label " + store + " --model " LRP_TEST_DATA "/golden/models/plain", 1, "this store was made from the model 'mini'"},
        {"collect " LRP_TEST_DATA "/golden/models/plain " + (folder.path() / "ids.jsonl").string() + " -o " + store, 1,
         "there is a store already, made from the model 'mini'"},
        {"label " + store + " --score " + corpus, 2, "name it with --model"},
        {"label " + store + " --source mine", 2, "lrp label: --source requires --import"},
        {"show " + store + " 3/118 --search dogs", 2, "--search: it goes neither with a unit nor with --json"},
        {"show " + store + " --search '\"a'", 2, "--search: expected words"},
        {"show " + store + " --search label:dogs", 2, "--search: expected words"},
        {"show " + store + " --search text:dogs", 2, "--search: expected words"},
        {"label " + store + " --export prompts", 2, "give the folder to write to with -o"},
        {"label " + store + " --export prompts -o " + store, 1, "this folder is a store or a model (it holds store.sqlite)"},
        {"label " + store + " --export neuronpedia -o " + (folder.path() / "model").string(), 1, "this folder is a store or a model (it holds config.json)"},
        {"label " + store + " --export prompts -o " + out + " --import x.csv", 2, "--import: it does not go with --export"},
        {"label " + store + " --export prompts -o " + out + " --model " + mini, 2, "--model: it does not go with --export"},
        {"label " + store + " --export prompts -o " + out + " --score " + corpus, 2, "--score: it does not go with --export"},
        {"label " + store + " --export prompts -o " + out + " --tokens 3", 2, "--tokens: it does not go with --export"},
        {"label " + store + " --tokens 3", 2, "--tokens: it asks something of the model; name it with --model"},
        {"label " + store + " --threads 1", 2, "--threads: it asks something of the model; name it with --model"},
        {"label " + store + " --import x.csv --model " + mini + " --score " + corpus + " --tokens 3", 2, "--tokens: it does not go with --import"},
        {"label " + store + " --import x.csv --model " + mini, 2, "--model: beside --import"},
    };
    CHECK(lrp_run("show " + store + " head:1/3 --json").out == lrp_run("show " + store + " 1/3 --head --json").out);
    for (const Case& one : cases) {
        INFO(one.arguments);
        const Result result = lrp_run(one.arguments);
        CHECK(result.code == one.code);
        CHECK_THAT(result.err, Contains(one.message));
        CHECK(result.out.empty());
    }
    CHECK_FALSE(std::filesystem::exists(out));
    CHECK_FALSE(std::filesystem::exists(folder.path() / "model/neuron.0.jsonl"));
}

TEST_CASE("a damaged store is refused with the reason, wherever the damage is") {
    TemporaryFolder folder;
    const std::string store = (folder.path() / "store").string();
    REQUIRE(lrp_run("collect " + mini + " " + some_corpus(folder, 12) + " -o " + store + " --top 3 --before 2 --after 2").code == 0);
    const std::string right = lrp_run("show " + store + " 2/7 --json").out;
    const auto files = bytes_of(store);
    const auto restore = [&](const std::string& name) { folder.write("store/" + name, files.at(name)); };
    for (const auto& [name, bytes] : files) {
        INFO(name);
        folder.write("store/" + name, bytes.substr(0, bytes.size() / 2));  // cut short
        const Result cut = lrp_run("show " + store + " 2/7 --json");
        CHECK(cut.code == 1);
        CHECK_THAT(cut.err, Contains(name) || Contains("store.sqlite"));
        std::filesystem::remove(folder.path() / "store" / name);
        CHECK(lrp_run("show " + store + " 2/7").code == 1);
        restore(name);
        for (std::size_t i = 0; i < 12; ++i) {  // one bit, at places all over the file
            std::string damaged = bytes;
            const std::size_t at = (2 * i + 1) * bytes.size() / 24;
            damaged[at] = static_cast<char>(damaged[at] ^ 16);
            folder.write("store/" + name, damaged);
            const Result result = lrp_run("show " + store + " 2/7 --json");
            INFO("byte " << at << ": " << result.err);
            // Bytes of a database page that hold nothing may change without harm; then nothing else changes either.
            CHECK((result.code == 1 || (name == "store.sqlite" && result.code == 0 && result.out == right)));
        }
        restore(name);
    }
    CHECK(lrp_run("show " + store + " 2/7 --json").out == right);
    folder.write("store/store.sqlite", "this is no database, but long enough to be looked at as if it were one, with some more bytes to be sure of it");
    CHECK_THAT(lrp_run("show " + store + " 2/7").err, Contains("store.sqlite: file is not a database"));
}

TEST_CASE("a full disk loses nothing") {
    TemporaryFolder folder;
    const std::string store = (folder.path() / "store").string(), corpus = some_corpus(folder, 60), options = " --batch 128 --top 6 --before 4 --after 3";
    const std::string command = "collect " + mini + " " + corpus + options + " -o ";
    REQUIRE(lrp_run(command + store + "0").code == 0);
    // The work file may grow to four megabytes and no more.
    const Result full = lrp_run(command + store, "ulimit -f 4096;");
    CHECK(full.code == 1);
    CHECK_THAT(full.err, Contains("work.0.sqlite: ") || Contains("cannot be written"));
    const Result more = lrp_run(command + store);
    CHECK(more.code == 0);
    CHECK(bytes_of(store) == bytes_of(store + "0"));
    // Neither the page nor labels fit: a sentence, no half page, and the store as it was.
    const std::string page = (folder.path() / "page.html").string();
    for (const std::string& what : {"show " + store + " --html " + page, "label " + store}) {
        const Result result = lrp_run(what, "ulimit -f 64;");
        INFO(what << ": " << result.err);
        CHECK(result.code == 1);
        CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
        CHECK_FALSE(std::filesystem::exists(page));
        CHECK(lrp_run("show " + store + " 3/118 --json").out == lrp_run("show " + store + "0 3/118 --json").out);
    }
}

TEST_CASE("killed at any moment, a collection goes on and ends in the same store") {
    TemporaryFolder folder;
    const std::string script = LRP_TEST_DATA "/cli/kill.sh";
    std::filesystem::create_directories(folder.path() / "kill/killed/layers");
    folder.write("kill/killed/layers/.lrp-99-0.tmp", "what a writer left that was killed");
    const std::string command = "sh " + script + " " LRP_PROGRAM " " + mini + " " + some_corpus(folder, 80) + " " + (folder.path() / "kill").string() + " 6 2>&1";
    FILE* pipe = popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::string out;
    std::array<char, 4096> block{};
    for (std::size_t n = 0; (n = fread(block.data(), 1, block.size(), pipe)) > 0;) out.append(block.data(), n);
    INFO(out);
    CHECK(pclose(pipe) == 0);
    CHECK_THAT(out, Contains("6 kills: the same store"));
}

#if defined(LRP_CLI_WITH_MPI)
TEST_CASE("a collection that was killed goes on with its own shard alone") {
    TemporaryFolder folder;
    const std::string store = (folder.path() / "store").string(), corpus = some_corpus(folder, 4000);
    const auto collect = [&](const std::string& more) { return "collect " + mini + " " + corpus + " -o " + store + " --batch 64 " + more; };
    const std::string begun = "( " LRP_PROGRAM " " + collect("--shard 0/2") + " 2>/dev/null & pid=$!; while [ ! -e " + store + "/work.0.sqlite-wal ] && kill -0 $pid 2>/dev/null; do sleep 0.05; done; sleep 0.5; kill -9 $pid )";
    REQUIRE(std::system(("sh -c '" + begun + "'").c_str()) == 0);
    for (const char* more : {"--shard 1/2", "", "--shard 0/4"}) {
        const Result other = lrp_run(collect(more));
        CHECK(other.code == 1);
        CHECK_THAT(other.err, Contains("a collection was begun here with shard '0/2'"));
    }
}

TEST_CASE("two and four ranks make the store of one") {
    TemporaryFolder folder;
    const auto path = [&](const char* name) { return (folder.path() / name).string(); };
    const std::string arguments = "collect " + mini + " " + some_corpus(folder, 60) + " --batch 128 --top 6 --before 4 --after 3 --threads 1 -o ";
    REQUIRE(lrp_run(arguments + path("one")).code == 0);
    // Where leaks are looked for: Open MPI leaves its own behind, and one process alone is watched everywhere else.
    const std::string mpirun = "ASAN_OPTIONS=detect_leaks=0 mpirun --allow-run-as-root --oversubscribe -n ";
    for (const int ranks : {2, 4}) {
        const std::string store = path(("ranks" + std::to_string(ranks)).c_str());
        const Result result = lrp_run(arguments + store, mpirun + std::to_string(ranks));
        INFO(result.err);
        CHECK(result.code == 0);
        CHECK(bytes_of(store) == bytes_of(path("one")));
    }
    // One rank's mistake ends all.
    CHECK(lrp_run("collect " + mini + " /nonexistent -o " + path("none"), mpirun + "2").code != 0);
}
#endif

TEST_CASE("label: tokens, import, score, exports") {
    TemporaryFolder folder;
    const std::string store = (folder.path() / "store").string(), out = (folder.path() / "out").string();
    REQUIRE(lrp_run("collect " + mini + " " + some_corpus(folder, 200) + " -o " + store + " --top 8").code == 0);
    const Result result = lrp_run("label " + store + " --model " + mini + " --score " + some_corpus(folder, 40, 3000));
    INFO(result.err);
    CHECK(result.code == 0);
    CHECK_THAT(result.err, Contains("are better than 95 %") && Contains("4704 labels by activation and "));
    const auto json = nlohmann::json::parse(lrp_run("show " + store + " 3/118 --json").out);
    // Two by activation, and by relevance what comes next where the unit matters most: counted again from the lists.
    CHECK(json["labels"].size() >= 2);
    for (const auto& label : json["labels"]) CHECK((label["source"] == "tokens" || label["source"] == "tokens-next"));
    std::map<std::string, double> next;
    const auto& places = json["relevance_max"];
    for (const auto& entry : places) {
        const std::size_t behind = entry["position"].get<std::size_t>() + 1 - entry["begin"].get<std::size_t>();
        if (behind < entry["tokens"].size()) next[entry["tokens"][behind].get<std::string>()] += 1.0 / static_cast<double>(places.size());
    }
    REQUIRE(!next.empty());
    for (const auto& token : json["tokens"]["next_max"]) CHECK(token["score"].get<double>() == Approx(next.at(token["token"].get<std::string>())));
    for (const char* kind : {"top_max", "top_min", "tfidf_max", "tfidf_min", "writes_max", "writes_min", "reads_max", "reads_min"})
        CHECK(json["tokens"][kind].size() >= 1);
    CHECK(json["tokens"]["top_max"][0]["score"].get<double>() <= 1);
    // Labelling again without the model loses neither what the model said nor the scores.
    const std::string with_model = lrp_run("show " + store + " 3/118").out;
    CHECK_THAT(with_model, Contains("writes max") && Contains("[score "));
    CHECK(lrp_run("label " + store).code == 0);
    CHECK(lrp_run("show " + store + " 3/118").out == with_model);
    folder.write("labels.csv", "layer,unit,label,pole\n3,118,\"dogs, \"\"and\"\" cats\",max\n0,0,weather,min\n");
    CHECK(lrp_run("label " + store + " --import " + (folder.path() / "labels.csv").string() + " --source mine").code == 0);
    CHECK_THAT(lrp_run("show " + store + " 3/118").out, Contains("label (max, mine): dogs, \"and\" cats"));
    CHECK_THAT(lrp_run("show " + store + " --search weather").out, Contains("0/0"));
    for (const char* file : {"labels.csv", "labels.jsonl"}) {
        folder.write("labels.jsonl", "{\"layer\": 0, \"unit\": 0, \"label\": \"weather\"}\n");
        const Result piped = lrp_run("label " + store + " --import - --source 'two\nlines' <" + (folder.path() / file).string(), "", false);
        CHECK(piped.code == 0);
        CHECK_THAT(piped.err, Contains(" of 'two\\nlines' are in "));
        CHECK_THAT(lrp_run("show " + store + " 0/0").out, Contains("two\\nlines): weather"));
    }
    folder.write("one.csv", "layer,label\n1,x\n");
    CHECK_THAT(lrp_run("label " + store + " --import - <" + (folder.path() / "one.csv").string(), "", false).err,
               Contains("lrp: standard input: line 1: the column unit is missing"));
    struct Case {
        std::string text, message;
    };
    for (const Case& one :
         {Case{"layer,unit,label\n9,0,x\n", "line 2: unit '9/0': expected a layer from 0 to 5"}, Case{"layer,label\n1,x\n", "line 1: the column unit is missing"},
          Case{"layer,unit,label\n1,2\n", "line 2: expected 3 fields, found 2"}, Case{"layer,unit,label\n1,2,\"x\n", "line 2: a quote begins"},
          Case{"layer,unit,label\n1,2,x\n1,2,y\n", "line 3: a second label for neuron 1/2"}, Case{"layer,unit,label\n", "there is no label"},
          Case{"layer,unit,label\n1,2,\xff\n", "line 2: not UTF-8"}}) {
        folder.write("bad.csv", one.text);
        const Result bad = lrp_run("label " + store + " --import " + (folder.path() / "bad.csv").string());
        INFO(one.text);
        CHECK(bad.code == 1);
        CHECK_THAT(bad.err, Contains("bad.csv: ") && Contains(one.message));
    }
    for (const char* format : {"prompts", "delphi", "neuronpedia", "zennit-crp"}) CHECK(lrp_run("label " + store + " --export " + format + " -o " + out).code == 0);
    for (const char* file : {"prompts.jsonl", "model.layers.5.mlp.down_proj/0_383.safetensors", "model.layers.5.mlp.down_proj/config.json", "neuron.0.jsonl",
                             "head.5.jsonl", "ActMax_max_unnormed/layers.3.neuron_data.npy", "RelMin_max_unnormed/layers.0.head_rf.npy"})
        CHECK(std::filesystem::exists(std::filesystem::path(out) / file));
    const Result page = lrp_run("show " + store + " --html -");
    CHECK(page.code == 0);
    CHECK_THAT(page.out, Contains("<!DOCTYPE html>") && Contains("id=\"n.neuron.5\"") && Contains("id=\"labels\"") && !Contains("http://localhost"));
}

TEST_CASE("a store's lists and statistics are those of every position that counts, whatever counts") {
    TemporaryFolder folder;
    folder.write("ids.jsonl", "{\"ids\": [9, 9, 0, 5, 7, 300, 9]}\n{\"ids\": [0, 42, 17]}\n");
    const std::string corpus = (folder.path() / "ids.jsonl").string();
    struct Case {
        const char* options;
        std::set<std::pair<int, int>> places;
    };
    int number = 0;
    for (const Case& one : {Case{"", {{0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}, {0, 6}, {1, 1}, {1, 2}}}, Case{"--include-first", {{0, 0}, {0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}, {0, 6}, {1, 0}, {1, 1}, {1, 2}}},
                            Case{"--pad-id 9", {{0, 3}, {0, 4}, {0, 5}, {1, 1}, {1, 2}}}, Case{"--condition target --target 3", {{0, 1}, {0, 2}, {0, 3}, {0, 4}, {0, 5}, {0, 6}, {1, 1}, {1, 2}}}}) {
        INFO(one.options);
        const std::string store = (folder.path() / std::to_string(number++)).string();
        REQUIRE(lrp_run("collect " + mini + " " + corpus + " -o " + store + " --top 20 --before 1 --after 1 " + one.options).code == 0);
        const auto json = json_of("show " + store + " 3/118 --json");
        for (const std::string quantity : {"activation", "relevance"}) {
            const auto& list = json[quantity + "_max"];
            std::set<std::pair<int, int>> places;
            std::vector<double> values;
            double mean = 0, variance = 0, positive = 0;
            for (const auto& entry : list) {
                places.emplace(entry["document"].get<int>(), entry["position"].get<int>());
                values.push_back(entry["value"]);
                mean += values.back() / static_cast<double>(list.size());
                positive += values.back() > 0 ? 1 / static_cast<double>(list.size()) : 0;
            }
            for (const double value : values) variance += (value - mean) * (value - mean) / static_cast<double>(list.size());
            CHECK(places == one.places);
            CHECK(json["statistics"][quantity]["count"] == values.size());
            CHECK(json["statistics"][quantity]["mean"].get<double>() == Approx(mean).epsilon(1e-5).margin(1e-9));
            CHECK(json["statistics"][quantity]["variance"].get<double>() == Approx(variance).epsilon(1e-5).margin(1e-9));
            CHECK(json["statistics"][quantity]["positive"].get<double>() == Approx(positive));
            std::array<char, 128> text{};
            const std::string shown = lrp_run("show " + store + " 3/118").out;
            std::snprintf(text.data(), text.size(), "positive %.1f %%, median", 100 * positive);
            CHECK_THAT(shown, Contains(text.data()));
            const auto quantile = [&](std::size_t i, double share) {
                const auto& pair = json["statistics"][quantity]["quantiles"][i];
                CHECK(pair[0] == share);
                return pair[1].get<double>();
            };
            std::snprintf(text.data(), text.size(), "median %.4g, 1 %% below %.4g, 1 %% above %.4g", quantile(4, 0.5), quantile(1, 0.01), quantile(7, 0.99));
            CHECK_THAT(shown, Contains(text.data()));
        }
        if (std::string(one.options).starts_with("--condition")) {  // the relevance is that of a trace
            const auto trace = json_of("trace " + mini + " --ids 0,42,17 --target 3 --json - --sites neuron");
            for (const auto& entry : json["relevance_max"])
                if (entry["document"] == 1) CHECK(entry["value"].get<double>() == Approx(trace["neuron"][3][entry["position"].get<std::size_t>()][118].get<double>()).epsilon(1e-3).margin(1e-6));
        }
    }
}
