// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The program from outside: exit codes, messages, and what it writes.
#include <array>

#include <functional>

#include <lrp/io/json.hpp>
#include <lrp/io/safetensors.hpp>
#include <lrp/view/label.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/golden.hpp"
#include "support/program.hpp"

using namespace lrp;
using namespace lrp::test;
using Catch::Matchers::Contains;

namespace {

/// In how many KiB, to the next thousand, a program still ends with 0; in `works` it does.
[[maybe_unused]] long least_limit(long works, const std::function<Result(long limit)>& program) {
    for (long below = 0; works - below > 1000;) {
        const long middle = (below + works) / 2;
        (program(middle).code == 0 ? works : below) = middle;
    }
    return works;
}

}  // namespace

TEST_CASE("wrong use ends with 2 and says what is wrong; failure with 1") {
    struct Case {
        std::string arguments;
        int code;
        std::string message;
    };
    const std::string ids = mini + " --ids 0,5 ";
    const std::vector<Case> cases{
        {"", 2, "subcommand is required"},
        {"nonsense", 2,
         "there is no command 'nonsense'; there are trace, check, inspect, tokenize, generate, steer, chat, neurons, flow, faithfulness, make-random, bench"},
        {"trace", 2, "MODEL_DIR is required"},
        {"trace " + mini, 2, "give a prompt, or token ids with --ids"},
        {"trace " + mini + " hello --ids 1", 2, "give a prompt or --ids, not both"},
        {"trace " + mini + " --ids 1,x", 2, "--ids: expected token ids such as 1,5,7, found 'x'"},
        {"trace " + mini + " --ids 1,,2", 2, "found ''"},
        {"trace " + mini + " --ids 99999999999", 2, "found '99999999999'"},
        {"trace " + mini + " --ids 640", 1, "lrp: --ids: token id 640 at position 0 is outside the vocabulary of 640"},
        {"trace " + mini + " --ids 0,-1", 1, "token id -1 at position 1"},
        {"trace " + ids + "--rules lrp", 2, "--rules"},
        {"trace " + ids + "--products best", 2, "--products"},
        {"trace " + ids + "--softmax-rule none", 2, "--softmax-rule"},
        {"trace " + ids + "--backend tpu", 2, "backend: 'tpu' is not known; there is: eigen, reference, reference64"},
        {"check " + ids + "--against tpu", 2, "backend: 'tpu' is not known; there is: eigen, reference, reference64"},
        {"check " + ids + "--backend tpu --against eigen", 2, "backend: 'tpu' is not known"},
        {"trace " + ids + "--target nosuchtokenatall", 2, "--target: expected a token id or the text of one token, found 'nosuchtokenatall'"},
        {"trace " + ids + "--target dogs", 2, "' dogs' with a leading space is one token"},
        {"trace " + ids + "--target 640", 2, "target: expected a token id below 640, found 640"},
        {"trace " + ids + "--contrast 700", 2, "contrast: expected a token id below 640, found 700"},
        {"trace " + ids + "--position 2", 2, "--position: expected -2 to 1 for a prompt of 2 tokens, found 2"},
        {"trace " + ids + "--position one", 2, "--position"},
        {"trace " + ids + "--sites heads", 2, "--sites: expected some of embedding,residual,head,neuron, found 'heads'"},
        {"trace " + ids + "--normalize max", 2, "--normalize"},
        {"trace " + ids + "--recompute sometimes", 2, "recompute: expected never, always, auto"},
        {"trace " + ids + "--recompute 10", 1, "the budget is 10 bytes"},
        {"trace " + ids + "--threads many", 2, "--threads"},
        {"trace " + ids + "--threads 1025", 2, "--threads: Value 1025 not in range 0 to 1024"},
        {"trace " + ids + "--top 0", 2, "lrp trace: --top"},
        {"trace " + ids + "--html ''", 2, "--html: expected a value, found an empty one"},
        {"trace " + ids + "--npz -", 2, "--npz is not text"},
        {"trace " + ids + "--safetensors -", 2, "--safetensors is not text"},
        {"trace " + ids + "--json - --html -", 2, "only one result can go to standard output ('-'), found --html and --json"},
        {"trace " + ids + "--json x.html --html ./x.html", 2, "--json: --html writes to 'x.html' already"},
        {"trace " + ids + "--position 99999999999999999999", 2, "--position: expected a position, found 99999999999999999999"},
        {"trace " + ids + "--html /nonexistent/x.html", 1, "/nonexistent/x.html: cannot be written (No such file or directory)"},
        {"trace " + ids + "--json /", 1, "it is a folder"},
        {"trace " + ids + "--unknown", 2, "lrp trace: not expected: '--unknown'; `lrp trace --help`"},
        {"trace " + ids + "--htlm x.html", 2, "not expected: '--htlm' (did you mean --html?)"},
        {"trace " + mini + " The soup is hot", 2, "'soup' 'is' 'hot' (a text of several words needs quotes)"},
        {"trace " + mini + "/.. hot", 1, "expected a checkpoint folder, and there is no config.json in it"},
        {"trace " + mini + " hot --target ' cold'", 2, "' cold' which is 3 tokens: ' co' (595) 'l' (77) 'd' (69)"},
        {"trace /nonexistent --ids 1", 1, "/nonexistent: there is no such file or folder"},
        {"trace /nonexistent hello", 1, "/nonexistent: there is no such file or folder"},
        {"trace " + mini + "/config.json hello", 1, "config.json: expected a checkpoint folder, found a file"},
        {"trace " LRP_SOURCE_ROOT "/tests/golden/models/plain hello", 1, "there is no tokenizer.json; give token ids with --ids"},
        {"trace " LRP_SOURCE_ROOT "/docs --ids 1", 1, "expected a checkpoint folder, and there is no config.json in it"},
        {"check " + mini, 2, "give a prompt, or token ids with --ids"},
        {"check " + ids + "--tolerance -1", 2, "--tolerance"},
        {"check " + mini + " --against eigen", 2, "give a prompt, or token ids with --ids"},
        {"check " + ids + "--against", 2, "--against"},
        {"check " + ids + "--against eigen --target 640", 2, "target: expected a token id below 640, found 640"},
        {"trace " + ids + "--against eigen", 2, "not expected"},
        {"inspect /nonexistent", 1, "there is no such file or folder"},
        {"tokenize " + mini, 2, "give a text, or a file of JSON strings with --file"},
        {"tokenize " + mini + " text --file x", 2, "give a text or --file, not both"},
        {"tokenize " + mini + " --file /nonexistent", 1, "/nonexistent: cannot be opened"},
        {"tokenize /nonexistent text", 1, "there is no such tokenizer"},
        {"tokenize " + mini + " $(printf 'a\\377')", 1, "not UTF-8 at byte 1"},
    };
    for (const Case& one : cases) {
        INFO("lrp " << one.arguments);
        const Result result = lrp_run(one.arguments);
        CHECK(result.code == one.code);
        CHECK_THAT(result.err, Contains(one.message));
        CHECK(result.out.empty());
    }
}

TEST_CASE("help and version") {
    for (const char* command : {"", "trace ", "check ", "inspect ", "tokenize ", "make-random ", "bench ", "collect ", "merge ", "label ", "show "}) {
        const Result help = lrp_run(std::string(command) + "--help");
        CHECK(help.code == 0);
        CHECK_THAT(help.out, Contains("Examples:") && Contains("lrp "));
    }
    for (const char* command : {"trace ", "check "}) CHECK_THAT(lrp_run(std::string(command) + "--help").out, Contains("eigen|reference|reference64"));
    CHECK_THAT(lrp_run("check --help").out, Contains("--against") && Contains("of the books") && Contains("with --against"));
    CHECK_THAT(lrp_run("--version").out, Contains("lrp 0.1.0") && Contains("Unicode"));
}

TEST_CASE("trace: what the screen shows, and what the files hold") {
    TemporaryFolder folder;
    const auto file = [&](const char* name) { return (folder.path() / name).string(); };
    const Result result =
        lrp_run("trace " + cats + " --sites embedding,residual,head,neuron --include-embedding --timing --npz " + file("t.npz") + " --safetensors " +
                file("t.safetensors") + " --json " + file("t.json") + " --html " + file("t.html") + " --svg " + file("t.svg") + " --tex " + file("t.tex"));
    CHECK(result.code == 0);
    CHECK_THAT(result.out, Contains("1. ' dogs'") && Contains("layer 5") && !Contains("layer 6") && Contains("embedding") && !Contains("\x1b["));
    CHECK_THAT(result.err, Contains("load ") && Contains("forward ") && Contains("relevance ") && Contains("peak memory"));
    const auto json = nlohmann::json::parse(read_text_file(file("t.json")));
    CHECK(json["predictions"][0]["token"] == " dogs");
    CHECK((json["ids"].size() == 18 && json["tokens"][9] == " dogs" && json["offsets"][9] == nlohmann::json({19, 24})));
    CHECK((json["residual"].size() == 6 && json["head"][5].size() == 18 && json["head"][5][17].size() == 8 && json["neuron"][0][0].size() == 384));
    CHECK((json["metadata"]["rules"] == "attnlrp" && json["metadata"]["model"] == "mini" && json["metadata"]["model_hash"].get<std::string>().size() == 16));
    CHECK(json["metadata"]["prompt"] == "I have 5 cats and 3 dogs. My cats love to play with my");
    const SafeTensors tensors = SafeTensors::open(file("t.safetensors"));
    CHECK(tensors.at("neuron").shape == std::vector<std::uint64_t>{6, 18, 384});
    CHECK(tensors.at("target").shape == std::vector<std::uint64_t>{1});
    const auto residual = values<float>(tensors.at("residual"));
    for (std::size_t i = 0; i < residual.size(); ++i) CHECK(json["residual"][i / 18][i % 18].get<float>() == residual[i]);
    CHECK_THAT(read_text_file(file("t.html")), Contains("<!DOCTYPE html>") && Contains("dogs"));
    CHECK_THAT(read_text_file(file("t.svg")), Contains("<svg"));
    CHECK_THAT(read_text_file(file("t.tex")), Contains("\\begin{document}"));
    CHECK(read_text_file(file("t.npz")).substr(0, 2) == "PK");
}

TEST_CASE("trace --file: many prompts are to the last bit what each is by itself") {
    TemporaryFolder folder;
    const auto file = [&](const std::string& name) { return (folder.path() / name).string(); };
    // Lengths to either side of what products of few rows take, a blank line, and a line twice.
    std::vector<std::string> prompts{"The soup was hot", "On Sunday there is a lot of snow.", "I", "I have 5 cats and 3 dogs. My cats love to play with my",
                                     "The soup was hot"};
    std::string longer = "I have 5 cats and 3 dogs.";
    for (int i = 0; i < 4; ++i) prompts.push_back(longer += " My cats love to play with my dogs.");
    std::string text;
    std::vector<int> numbers;
    int number = 0;
    for (const std::string& one : prompts) {
        if (number == 2) {
            text += " \t\r\n";
            ++number;
        }
        text += one + "\n";
        numbers.push_back(++number);
    }
    folder.write("prompts.txt", text);
    const std::string command = "trace " + mini + " --file " + file("prompts.txt") + " --threads 2";
    const Result result = lrp_run(command + " --timing --npz " + file("many.npz") + " --safetensors " + file("many.safetensors") + " --json " + file("many.jsonl"));
    INFO(result.err);
    REQUIRE(result.code == 0);
    CHECK_THAT(result.err, Contains("9 prompts, ") && Contains(" in 1 pass; load ") && Contains("expected peak memory: "));
    CHECK_THAT(result.out, Contains("line 1: '") && !Contains("line 3: ") && Contains("line 5: ' dogs' "));
    CHECK(read_text_file(file("many.npz")).substr(0, 2) == "PK");
    const SafeTensors many = SafeTensors::open(file("many.safetensors"));
    const std::string lines = read_text_file(file("many.jsonl"));
    CHECK(lrp_run(command + " --json -").out == lines);
    CHECK(lrp_run("trace " + mini + " --file - --threads 1 --json - <" + file("prompts.txt"), "", false).out == lines);
    std::string objects;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        if (i == 2) objects += "\n";
        objects += nlohmann::json{{i % 2 == 0 ? "prompt" : "text", prompts[i]}}.dump() + "\n";
    }
    folder.write("prompts.jsonl", objects);
    CHECK(lrp_run("trace " + mini + " --file " + file("prompts.jsonl") + " --threads 2 --json -").out == lines);
    folder.write("bad.jsonl", "{\"promt\": \"a\"}\n");
    CHECK_THAT(lrp_run("trace " + mini + " --file " + file("bad.jsonl")).err, Contains("bad.jsonl: line 1: expected 'prompt' or 'text', found neither"));
    std::size_t at = 0;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        INFO("line " << numbers[i]);
        const Result alone = lrp_run("trace " + mini + " '" + prompts[i] + "' --threads 2 --json " + file("one.json") + " --safetensors " + file("one.safetensors"));
        REQUIRE(alone.code == 0);
        const SafeTensors one = SafeTensors::open(file("one.safetensors"));
        for (const char* name : {"ids", "target"}) CHECK(values<std::int32_t>(many.at(std::to_string(i) + "." + name)) == values<std::int32_t>(one.at(name)));
        for (const char* name : {"logits", "embedding", "residual", "head", "neuron"}) {
            CHECK(many.at(std::to_string(i) + "." + name).shape == one.at(name).shape);
            CHECK(values<float>(many.at(std::to_string(i) + "." + name)) == values<float>(one.at(name)));
        }
        const auto end = lines.find('\n', at);
        REQUIRE(end != std::string::npos);
        auto json = nlohmann::json::parse(lines.substr(at, end - at));
        at = end + 1;
        CHECK(json["metadata"]["line"] == std::to_string(numbers[i]));
        json["metadata"].erase("line");
        CHECK(json == nlohmann::json::parse(read_text_file(file("one.json"))));
    }
    CHECK(at == lines.size());
    CHECK(many.metadata().at("prompts") == "9");
    CHECK((many.metadata().at("format") == "lrpxx-traces" && many.metadata().at("3.prompt") == prompts[3]));
}

TEST_CASE("trace --file: what does not fit is said with file and line") {
    TemporaryFolder folder;
    const auto file = [&](const std::string& name, const std::string& text) {
        folder.write(name, text);
        return (folder.path() / name).string();
    };
    std::string endless = "I have";
    for (int i = 0; i < 600; ++i) endless += " cats";
    struct Case {
        std::string arguments;
        int code;
        std::string message;
    };
    const std::string good = " --file " + file("good.txt", "The soup was hot\nI have\n");
    const std::vector<Case> cases{
        {" --file " + file("bad.txt", "good\n\ncaf\xE9\n"), 1, "bad.txt: line 3: not UTF-8 at byte 3"},
        {" --file " + file("long.txt", "good\n" + endless + "\n"), 1, "tokens, and the model was made for 512"},
        {" --file " + file("empty.txt", "\n \n"), 1, "empty.txt: there is no prompt in it"},
        {" --file /nonexistent", 1, "/nonexistent: cannot be opened"},
        {good + " hello", 2, "--file: a prompt on the command line does not go with it"},
        {good + " --ids 1", 2, "--file: --ids does not go with it"},
        {good + " --html x.html", 2, "--file: --html does not go with it"},
        {good + " --unit 0/1", 2, "--file: --unit does not go with it"},
        {good + " --through 0/1", 2, "--file: --through does not go with it"},
        {good + " --include-embedding", 2, "--file: --include-embedding does not go with it"},
        {good + " --normalize none", 2, "--file: --normalize does not go with it"},
        {good + " --npz -", 2, "--npz is not text"},
        {good + " --position 3", 2, "line 2: --position: expected"},
        {good + " --target 640", 2, "target: expected a token id below 640, found 640"},
    };
    for (const Case& one : cases) {
        INFO(one.arguments);
        const Result result = lrp_run("trace " + mini + one.arguments);
        CHECK(result.code == one.code);
        CHECK_THAT(result.err, Contains(one.message));
        CHECK(result.out.empty());
    }
    const auto json = nlohmann::json::parse(
        lrp_run("trace " + mini + " --file " + file("one.txt", "The soup was hot\n") + " --position -2 --target 3 --json - --sites residual").out);
    CHECK((json["position"] == json["ids"].size() - 2 && json["target"][0] == 3 && !json.contains("neuron")));
    const auto seeded = [&](const std::string& more) { return json_of("trace " + mini + " --file " + file("one.txt", "The soup was hot\n") + " --json - " + more); };
    const auto plain = seeded(""), logit = seeded("--lxt-seed");
    for (std::size_t t = 0; t < plain["embedding"].size(); ++t)
        CHECK(logit["embedding"][t].get<double>() == Approx(plain["embedding"][t].get<double>() * plain["explained"].get<double>()).epsilon(1e-4).margin(1e-4));
}

TEST_CASE("memory that is not there is said in a sentence, before the work or in the middle of it") {
#if defined(__SANITIZE_ADDRESS__)
    WARN("a program under AddressSanitizer needs an address space without limit");
#else
    // OpenBLAS's threads each take 128 MiB of addresses, at a moment of their own.
    const auto within = [](long limit) { return "export OPENBLAS_NUM_THREADS=1; ulimit -v " + std::to_string(limit) + ";"; };
    // In how little the program starts at all: libraries of backends (cuBLASLt, OpenBLAS) may take hundreds of MiB.
    const long base = least_limit(8'000'000, [&](long limit) { return lrp_run("inspect " + mini, within(limit) + " timeout 10"); });
    REQUIRE(base < 7'000'000);
    TemporaryFolder folder;
    const std::string tiny = (folder.path() / "tiny").string();
    REQUIRE(lrp_run("make-random " + tiny + " --like tiny").code == 0);
    std::string ids = " --threads 1 --ids 1";
    for (int i = 0; i < 12000; ++i) ids += ",2";
    for (const std::string& limit : {within(base + 20'000), within(base + 70'000)}) {
        INFO(limit);
        const Result result = lrp_run("trace " + tiny + ids + " --recompute never", limit);
        CHECK(result.code == 1);
        CHECK_THAT(result.err, Contains("not enough memory: a pass over 12001 tokens may need 1") &&
                                   Contains(", and the limit of the address space (ulimit -v) leaves ") && Contains("; with --recompute always it would be "));
        CHECK(result.out.empty());
        const Result unplanned = lrp_run("neurons " + tiny + ids, limit);
        CHECK(unplanned.code == 1);
        CHECK_THAT(unplanned.err, Contains("lrp: not enough memory: the system refused a request for more, and the limit of the address space (ulimit -v) leaves "));
    }
    const Result fits = lrp_run("trace " + tiny + " --timing --threads 1 --ids 1,2", within(base + 900'000));
    CHECK(fits.code == 0);
    CHECK_THAT(fits.err, Contains("expected peak memory: ") && Contains("products by "));
    const Result many = lrp_run("trace " + tiny + " --threads 1000 --ids 1,2", within(base + 900'000));  // each thread's stack takes 8 MiB of addresses
    CHECK(many.code == 1);
    CHECK_THAT(many.err, Contains("thread pool: the system gave ") && Contains(" of 1000 threads"));
    // The reference backend converts weights. How much a program takes before that is the machine's affair, so limits are tried downward
    // from the least in which it works.
    const auto converting = [&](long limit) { return lrp_run("trace " + mini + " --backend reference64 --threads 1 --ids 1", within(limit)); };
    REQUIRE(converting(base + 900'000).code == 0);
    const long works = least_limit(base + 900'000, converting);
    bool refused = false;
    for (long limit = works - 2000; !refused && limit > works - 100'000; limit -= 2000) {
        const Result weights = converting(limit);
        INFO("works in " << works << " KiB, inspect in " << base << "; tried " << limit << ": " << weights.err);
        CHECK((weights.code == 0) == weights.err.empty());
        refused = weights.err.find("not enough memory: the weights, which must be converted, may need ") != std::string::npos;
    }
    INFO("works in " << works << " KiB, inspect in " << base);
    CHECK(refused);
    // With OpenBLAS's threads, some of which may never get their memory, the program ends all the same.
    int worked = 0;
    for (const long more : {5'000, 50'000, 100'000, 150'000, 900'000}) {
        const int code = lrp_run("inspect " + mini, "export OPENBLAS_NUM_THREADS=3; ulimit -v " + std::to_string(base + more) + "; timeout 20").code;
        CHECK(code != 124);
        worked += code == 0;
    }
    CHECK(worked > 0);
#endif
}

TEST_CASE("trace: ids need no tokenizer, standard output takes one text, colours obey") {
    TemporaryFolder folder;
    for (const char* name : {"config.json", "model.safetensors"}) std::filesystem::copy(mini + "/" + name, folder.path() / name);
    const Result bare = lrp_run("trace " + folder.path().string() + " --ids 0,42,338 --json - --sites residual --target 3 --contrast 4 --position -1");
    CHECK(bare.code == 0);
    const auto json = nlohmann::json::parse(bare.out);
    CHECK((json["tokens"][1] == "42" && json["target"] == nlohmann::json({3}) && json["contrast"] == nlohmann::json({4})));
    CHECK((json.contains("residual") && !json.contains("embedding") && !json.contains("neuron")));
    const std::string ids = "trace " + mini + " --ids 0,42,338";
    CHECK_THAT(lrp_run(ids, "CLICOLOR_FORCE=1").out, Contains("\x1b["));
    CHECK_THAT(lrp_run(ids, "CLICOLOR_FORCE=1 NO_COLOR=1").out, !Contains("\x1b["));
    const Result narrow = lrp_run("trace " + cats, "COLUMNS=40");
    CHECK(narrow.code == 0);
    std::istringstream lines(narrow.out);
    std::size_t layers = 0;
    for (std::string line; std::getline(lines, line);) {
        layers += line.starts_with("layer ");
        CHECK(display_width(line) <= 40);
    }
    CHECK(layers == 12);  // two bands of six
    std::istringstream tables(lrp_run("check " + cats, "COLUMNS=80").out);
    for (std::string line; std::getline(tables, line);) CHECK((display_width(line) <= 80 || line.starts_with("OK: ")));
}

TEST_CASE("trace: rules, softmax rules and backends give what they should") {
    const auto embedding = [](const std::string& options) {
        const Result result = lrp_run("trace " + cats + " --json - " + options);
        REQUIRE(result.code == 0);
        return nlohmann::json::parse(result.out)["embedding"].get<std::vector<float>>();
    };
    const SafeTensors golden = SafeTensors::open(golden_folder() / "mini/expected.safetensors");
    const auto right = values<float>(golden.at("0.attnlrp.embedding")), cp = values<float>(golden.at("0.cp-lrp.embedding"));
    CHECK(largest_difference(embedding(""), right) < 1e-4 * largest_magnitude(right));
    CHECK(largest_difference(embedding("--backend reference --recompute always"), right) < 1e-4 * largest_magnitude(right));
#if defined(LRP_CLI_WITH_XTENSOR)
    CHECK(largest_difference(embedding("--backend xtensor"), right) < 1e-4 * largest_magnitude(right));
#endif
    CHECK(largest_difference(embedding("--rules cp-lrp"), cp) < 1e-4 * largest_magnitude(cp));
    CHECK(largest_difference(embedding("--softmax-rule taylor"), right) < 1e-4 * largest_magnitude(right));
    CHECK(largest_difference(embedding("--softmax-rule uniform"), right) > 0.1);
    CHECK(largest_difference(embedding("--softmax-rule stop"), embedding("--softmax-rule uniform")) > 0.1);
    CHECK(largest_difference(embedding("--rules gradient"), right) > 0.1);
    CHECK(embedding("--threads 1") == embedding("--threads 3"));
    const auto logit_seed = embedding("--lxt-seed");
    CHECK(logit_seed[9] == Approx(right[9] * 13.2795).epsilon(1e-4));
}

TEST_CASE("a result that is lost on standard output is an error") {
    for (const std::string& arguments : {"trace " + mini + " hi", "check " + mini + " hi", "neurons " + mini + " hi", "flow " + mini + " hi", "inspect " + mini, "inspect " + mini + " --json",
                                         "generate " + mini + " hi --max-new-tokens 1", "tokenize " + mini + " hi", "steer " + mini + " hi --scale 2/40=0 --max-new-tokens 2",
                                         "bench " + mini + " --ids 1,2 --runs 1", std::string("--help")}) {
        INFO(arguments);
        const Result result = lrp_run(arguments + " >/dev/full");
        CHECK(result.code == 1);
        CHECK_THAT(result.err, Contains("lrp: standard output: the result could not be written"));
    }
}

TEST_CASE("what is odd about a model or a prompt is said") {
    TemporaryFolder folder;
    for (const char* name : {"config.json", "model.safetensors"}) std::filesystem::copy(golden_folder() / "models/gqa4_tied_llama3" / name, folder.path() / name);
    const auto run = [&] { return lrp_run("trace " + folder.path().string() + " --ids 1,2,3"); };
    CHECK(run().err.empty());
    const auto change = [&](const std::string& key, int value) {
        auto config = nlohmann::json::parse(read_text_file(folder.path() / "config.json"));
        config[key] = value;
        folder.write("config.json", config.dump());
    };
    change("max_position_embeddings", 2);
    CHECK_THAT(run().err, Contains("warning: the prompt has 3 tokens, the model was made for 2"));
    std::filesystem::copy(golden_folder() / "models/plain/model.safetensors", folder.path() / "model.safetensors",
                          std::filesystem::copy_options::overwrite_existing);
    auto config = nlohmann::json::parse(read_text_file((golden_folder() / "models/plain/config.json")));
    config["tie_word_embeddings"] = true;
    folder.write("config.json", config.dump());
    CHECK_THAT(run().err, Contains("the files hold another lm_head.weight, which is not used"));
}

TEST_CASE("check passes on the shipped checkpoint, and fails where nothing may differ") {
    for (const char* rules : {"attnlrp", "cp-lrp", "gradient", "attnlrp --softmax-rule uniform"}) {
        const Result result = lrp_run("check " + cats + " --rules " + rules);
        CHECK(result.code == 0);
        CHECK_THAT(result.out, Contains("OK: predicted and observed absorption agree") && Contains("softmax 7"));
    }
    const auto trace = json_of("trace " + cats + "--json -");
    double embedding = 0;
    for (const double value : trace["embedding"]) embedding += value;
    std::array<char, 64> share{};
    std::snprintf(share.data(), share.size(), "that is %.2f %% of what was explained", 100 * embedding / trace["explained"].get<double>());
    CHECK_THAT(lrp_run("check " + cats).out, Contains(share.data()));
    const Result strict = lrp_run("check " + cats + " --tolerance 1e-30");
    CHECK(strict.code == 1);
    CHECK_THAT(strict.out, Contains("FAILED: predicted and observed absorption disagree"));
}

TEST_CASE("a backend that the program was built without is known by name, and refused") {
    const std::string help = lrp_run("trace --help").out;
    const auto built = [&](const std::string& name) { return lrp_run("trace " + mini + " --ids 0,5 --backend " + name); };
    for (const char* name : {"eigen", "reference", "reference64"}) CHECK(built(name).code == 0);
    for (const char* name : {"xtensor", "thrust-cpp", "thrust-omp", "thrust-tbb", "cuda", "cuda-bf16"}) {
        const Result result = built(name);
        INFO(name << ": " << result.err);
        CHECK_THAT(help, Contains(name));
        if (result.code == 0) continue;  // built with it
        if (result.code == 1) {          // built with it, for a device that is not here
            CHECK_THAT(result.err, Contains(std::string("backend: '") + name + "' cannot run here (no CUDA device: "));
            continue;
        }
        CHECK(result.code == 2);
        CHECK_THAT(result.err, Contains(std::string("backend: '") + name + "' is not in this program (built without it); there is: eigen, reference, reference64"));
        CHECK(lrp_run("check " + mini + " --ids 0,5 --against " + name).err == result.err);
    }
}

TEST_CASE("check --against holds one backend against another") {
    const std::string check = "check " + cats;
    for (const char* rules : {"attnlrp", "cp-lrp", "gradient", "attnlrp --softmax-rule stop"}) {
        const Result result = lrp_run(check + " --against reference64 --rules " + rules);
        INFO(result.out);
        CHECK(result.code == 0);
        CHECK_THAT(result.out, Contains("OK: eigen (float32, weights bfloat16) and reference (float64) agree (largest deviation ") && Contains("allowed 0.0001)"));
        for (const char* op : {"Embedding ", "RMSNorm ", "Linear ", "Rope ", "MatMul ", "Softmax ", "Add ", "SiLU ", "Multiply "})
            CHECK_THAT(result.out, Contains("\n" + std::string(op)));
        CHECK_THAT(result.out, !Contains("predicted") && !Contains("first site"));
    }
    // One token and again: attention is undecided, and what reaches scores, q and k is rounding.
    CHECK(lrp_run("check " + mini + " --ids 5,5 --against reference64").code == 0);
    const Result same = lrp_run(check + " --backend eigen --against eigen --tolerance 1e-300");
    CHECK(same.code == 0);
    CHECK_THAT(same.out, Contains("(largest deviation 0, allowed 1e-300)"));
    CHECK(lrp_run(check + " --backend reference64 --against reference64 --recompute always --tolerance 1e-300").code == 0);
    const Result strict = lrp_run(check + " --backend eigen --against reference64 --tolerance 1e-9");
    CHECK(strict.code == 1);
    CHECK_THAT(strict.out, Contains("FAILED: eigen (float32, weights bfloat16) and reference (float64) disagree"));
    CHECK_THAT(strict.out, Contains("forward: the first site that deviates is layers.0.attn_norm, made by RMSNorm"));
    CHECK_THAT(strict.out, Contains("backward: the first site that deviates is logits, made by Linear"));
}

TEST_CASE("trace computes in double where it is asked to, and says so") {
    const auto trace = [](const std::string& backend) { return nlohmann::json::parse(lrp_run("trace " + cats + " --json - --backend " + backend).out); };
    const auto narrow = trace("reference"), wide = trace("reference64");
    CHECK((narrow["metadata"]["compute_type"] == "float32" && wide["metadata"]["compute_type"] == "float64" && wide["metadata"]["backend"] == "reference64"));
    const auto a = narrow["residual"].dump(), b = wide["residual"].dump();
    CHECK(a != b);
    CHECK(narrow["predictions"][0]["token"] == wide["predictions"][0]["token"]);
}

TEST_CASE("inspect and tokenize") {
    const auto facts = nlohmann::json::parse(lrp_run("inspect " + mini + " --json").out);
    CHECK((facts["config"]["layers"] == 6 && facts["parameters"] == 1263232 && facts["dtypes"].contains("BF16") && facts["tokenizer"]["model"] == "BPE"));
    CHECK_THAT(lrp_run("inspect " + mini).out, Contains("Memory needed") && Contains("model.layers.0.mlp.down_proj.weight"));
    const auto one = nlohmann::json::parse(lrp_run("tokenize " + mini + " 'I have 5 cats' --json").out);
    CHECK(one["decoded"] == "<|begin_of_text|>I have 5 cats");
    CHECK(one["offsets"][5] == nlohmann::json({8, 13}));
    CHECK_THAT(lrp_run("tokenize " + mini + " 'I have 5 cats'").out, Contains("' cats'") && Contains("8..13"));
    TemporaryFolder folder;
    folder.write("lines.jsonl", "\"a\\nb\"\n\n\"caf\\u00e9\"\n");
    const Result lines = lrp_run("tokenize " + mini + " --json --file " + (folder.path() / "lines.jsonl").string());
    CHECK(std::count(lines.out.begin(), lines.out.end(), '\n') == 2);
    folder.write("bad.jsonl", "\"a\"\n{\"text\": 3}\n");
    const Result bad = lrp_run("tokenize " + mini + " --json --file " + (folder.path() / "bad.jsonl").string());
    CHECK(bad.code == 1);
    CHECK_THAT(bad.err, Contains("bad.jsonl: line 2: expected one JSON string, found {\"text\":3}"));
}
