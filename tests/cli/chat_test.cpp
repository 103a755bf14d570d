// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A conversation, from a pipe.
#include <lrp/io/json.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/program.hpp"

using namespace lrp;
using namespace lrp::test;
using Catch::Matchers::Contains;

namespace {

/// What `lrp chat` answers to lines.
Result chat(const TemporaryFolder& folder, const std::string& lines, const std::string& arguments = "") {
    folder.write("lines.txt", lines);
    return lrp_run("chat " + mini + " " + arguments + " <" + (folder.path() / "lines.txt").string(), "", false);
}

}  // namespace

TEST_CASE("chat: lines are continued as `generate` continues the text so far; orders explain, change, take back") {
    const TemporaryFolder folder;
    const std::string answer = " The street looks white. Emma goes out in the snow and takes the gloves.\n";
    const Result one = chat(folder, "On Sunday there is a lot of snow.\n");
    CHECK((one.code == 0 && one.err.empty() && one.out == answer));

    const Result two = chat(folder, "On Sunday there is a lot of snow.\n/text\nBen paints the chair\n/reset\n/text\n", "--max-new-tokens 3");
    const Result alone = lrp_run("generate " + mini + " 'On Sunday there is a lot of snow. The street looks Ben paints the chair' --max-new-tokens 3");
    CHECK(two.out == " The street looks\nOn Sunday there is a lot of snow. The street looks\n" + alone.out + "\n");

    const Result why = chat(folder, "On Sunday there is a lot of snow.\n/why 4\n/why\n", "--max-new-tokens 4");
    CHECK(why.code == 0);
    CHECK_THAT(why.out, Contains("Why ' white', logit ") && Contains("snow[") && Contains("looks[1]") && Contains("neurons  ") && Contains("heads    "));

    const auto steered =
        nlohmann::json::parse(lrp_run("steer " + mini + " 'On Sunday there is a lot of snow.' --max-new-tokens 4 --json --scale 5/10=0 --head 1/3=0").out);
    const Result edited = chat(folder, "/scale 5/10=0\n/head 1/3=0\nOn Sunday there is a lot of snow.\n/off\n/again\n", "--max-new-tokens 4");
    CHECK(edited.code == 0);
    CHECK_THAT(edited.out, Contains("1 unit is changed") && Contains("2 units are changed") && Contains(steered["after"]["text"].get<std::string>() + "\n") &&
                               Contains(steered["before"]["text"].get<std::string>() + "\n"));
    CHECK_THAT(chat(folder, "/help\n").out, Contains("/why") && Contains("/again") && Contains("/quit"));
    CHECK(chat(folder, "/quit\nnot read\n").out.empty());
}

TEST_CASE("chat: a tokenizer that puts the space itself, and a model with more ids than it knows") {
    const TemporaryFolder folder;
    for (const char* name : {"config.json", "model.safetensors"}) std::filesystem::copy(std::filesystem::path(mini) / name, folder.path() / name);
    folder.write("tokenizer.json", R"({"version":"1.0","added_tokens":[],"pre_tokenizer":null,"post_processor":null,
        "normalizer":{"type":"Sequence","normalizers":[{"type":"Prepend","prepend":"▁"},{"type":"Replace","pattern":{"String":" "},"content":"▁"}]},
        "decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":{"String":"▁"},"content":" "},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
        "model":{"type":"BPE","vocab":{"▁":0,"a":1,"b":2,"▁a":3,"▁b":4},"merges":["▁ a","▁ b"]}})");
    folder.write("lines.txt", "a\nb\n/text\n");
    const std::string model = folder.path().string();
    const Result said = lrp_run("chat " + model + " --max-new-tokens 2 <" + (folder.path() / "lines.txt").string(), "", false);
    INFO(said.out << said.err);
    CHECK(said.code == 0);
    CHECK_THAT(said.out, Contains("a b") && !Contains("  b"));
    const auto generated = json_of("generate " + model + " a --max-new-tokens 5 --json");
    const auto ids = generated["new_ids"].get<std::vector<int>>();
    CHECK(std::any_of(ids.begin(), ids.end(), [](int id) { return id >= 5; }));  // what the tokenizer does not know is left out of the text
}

TEST_CASE("chat: what is wrong is said, and the conversation goes on") {
    const TemporaryFolder folder;
    for (const auto& [line, message] : {std::pair("/nonsense", "there is no /nonsense; /help lists what there is"),
                                        {"/why", "nothing was said yet"},
                                        {"/again", "there is no answer yet"},
                                        {"/set 3", "/set: "},
                                        {"/head 1/3", "/head: "},
                                        {"/label rain*2", "/label: give the store"},
                                        {"/zero 99/1", "steering: unit 99/1: expected a layer from 0 to 5, found 99"}}) {
        INFO(line);
        const Result result = chat(folder, std::string(line) + "\n/off\nOn Sunday there is a lot of snow.\n", "--max-new-tokens 2");
        CHECK(result.code == (message[0] == '\0' ? 0 : 1));
        CHECK_THAT(result.err, Contains(message));
        CHECK_THAT(result.out, Contains(" The street\n"));
    }
    CHECK_THAT(chat(folder, "On Sunday there is a lot of snow.\n/why 9\n", "--max-new-tokens 2").err, Contains("/why: expected 1 to 2"));
    CHECK_THAT(chat(folder, "/zero 99/1\nsnow\n").err, Contains("steering: ") && Contains("99"));
    CHECK_THAT(chat(folder, "snow\n", "--max-new-tokens 100000").err, Contains("the model was made for"));
    CHECK(lrp_run("chat /nonexistent").code == 1);
    CHECK(lrp_run("chat").code == 2);
}
