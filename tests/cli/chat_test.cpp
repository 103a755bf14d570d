// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A conversation, from a pipe and at a terminal.
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <utility>

#include <lrp/io/json.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/program.hpp"
#include "support/small_store.hpp"

using namespace lrp;
using namespace lrp::test;
using Catch::Matchers::Contains;

namespace {

/// What `lrp chat` answers to lines.
Result chat(const TemporaryFolder& folder, const std::string& lines, const std::string& arguments = "") {
    folder.write("lines.txt", lines);
    return lrp_run("chat " + mini + " " + arguments + " <" + (folder.path() / "lines.txt").string(), "", false);
}

/// `lrp chat` with somebody who types: at a terminal, or into what is none and stays open.
class Typist {
  public:
    Typist(const std::string& arguments, bool terminal) {
        int theirs = -1;
        if (terminal) {
            ours_ = ::posix_openpt(O_RDWR | O_NOCTTY);
            REQUIRE((ours_ >= 0 && ::grantpt(ours_) == 0 && ::unlockpt(ours_) == 0));
            theirs = ::open(::ptsname(ours_), O_RDWR | O_NOCTTY);
        } else {
            int both[2] = {-1, -1};
            REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, both) == 0);
            ours_ = both[0];
            theirs = both[1];
        }
        REQUIRE(theirs >= 0);
        const std::string command = "exec " LRP_PROGRAM " chat " + mini + " " + arguments;
        program_ = ::fork();
        REQUIRE(program_ >= 0);
        if (program_ == 0) {
            ::setsid();
            if (terminal) ::ioctl(theirs, TIOCSCTTY, 0);
            for (const int descriptor : {0, 1, 2}) ::dup2(theirs, descriptor);
            ::close(theirs);
            ::close(ours_);
            std::signal(SIGINT, SIG_DFL);
            ::execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char*>(nullptr));
            ::_exit(127);
        }
        ::close(theirs);
    }
    Typist(const Typist&) = delete;
    Typist& operator=(const Typist&) = delete;
    ~Typist() {
        if (program_ > 0) {
            ::kill(program_, SIGKILL);
            (void)end();
        }
        ::close(ours_);
    }

    void type(const std::string& text) const { REQUIRE(::write(ours_, text.data(), text.size()) == std::ssize(text)); }
    void send(int signal) const { REQUIRE(::kill(program_, signal) == 0); }
    /// What the screen shows from here up to a text, and that.
    std::string shown(const std::string& text) {
        while (screen_.find(text) == std::string::npos && more()) {}
        INFO("waited for '" << text << "', the screen shows: " << screen_);
        const std::size_t at = screen_.find(text);
        REQUIRE(at != std::string::npos);
        const std::string result = screen_.substr(0, at + text.size());
        screen_.erase(0, result.size());
        return result;
    }
    /// How the program ended, as waitpid tells it.
    int end() {
        while (more()) {}
        int status = 0;
        ::waitpid(std::exchange(program_, -1), &status, 0);
        return status;
    }

  private:
    bool more() {
        pollfd input{ours_, POLLIN, 0};
        if (::poll(&input, 1, 120'000) != 1) return false;
        std::array<char, 4096> block{};
        const ssize_t n = ::read(ours_, block.data(), block.size());
        if (n > 0) screen_.append(block.data(), static_cast<std::size_t>(n));
        return n > 0;
    }

    int ours_ = -1;
    pid_t program_ = -1;
    std::string screen_;
};

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
    CHECK(lrp_run("chat /nonexistent").code == 1);
    CHECK(lrp_run("chat").code == 2);
}

TEST_CASE("chat: Ctrl-C ends an answer and clears a line, not the conversation; other signals, and no terminal, end it as ever") {
    if (::access("/dev/ptmx", R_OK | W_OK) != 0) {
        WARN("this machine gives no terminal to type at");
        return;
    }
    const TemporaryFolder folder;
    const std::string length = "--max-new-tokens 480 --ignore-eos --threads 1", hint = "(/quit or Ctrl-D ends)", prompt = "\r\n> ";
    std::string whole = chat(folder, "On Sunday\n/text\n", length).out;  // the answer, and then all of the text
    whole = whole.substr(whole.find('\n') + 1, whole.size() - whole.find('\n') - 2);
    Typist typist(length, true);
    (void)typist.shown(prompt);
    bool cut = false;
    for (int i = 0; i < 10 && !cut; ++i) {  // an answer may be faster than Ctrl-C
        typist.type("On Sunday\n");
        (void)typist.shown("On Sunday\r\n");
        (void)typist.shown(" ");
        typist.type("\x03");
        (void)typist.shown("> ");  // what was under way to the screen, the terminal throws away
        typist.type("/text\n");
        (void)typist.shown("/text\r\n");
        std::string text = typist.shown(prompt);
        text.erase(text.size() - prompt.size());
        cut = text.size() < whole.size();
        CHECK(whole.starts_with(text));
        typist.type("/reset\n");
        (void)typist.shown("/reset\r\n");
        (void)typist.shown("> ");
    }
    CHECK(cut);
    for (const std::string& typed : {std::string("\x03"), std::string("Ben paints\x03"), std::string("\x03")}) {
        typist.type(typed);
        (void)typist.shown(hint + prompt);
    }
    typist.type("/again\n");
    (void)typist.shown("there is no answer yet");
    (void)typist.shown("> ");
    typist.type("/quit\n");
    const int left = typist.end();
    CHECK((WIFEXITED(left) && WEXITSTATUS(left) == 0));

    Typist terminated(length, true);
    (void)terminated.shown(prompt);
    terminated.send(SIGTERM);
    const int status = terminated.end();
    CHECK((WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM));

    Typist piped(length, false);
    piped.type("On Sunday\n");
    (void)piped.shown(" ");
    piped.send(SIGINT);
    const int stopped = piped.end();
    CHECK((WIFSIGNALED(stopped) && WTERMSIG(stopped) == SIGINT));
}

TEST_CASE("chat: lines of files from elsewhere; what cannot be seen is spelled out in messages") {
    const TemporaryFolder folder;
    const Result plain = chat(folder, "On Sunday there is a lot of snow.\n/why\n/text\n", "--max-new-tokens 4");
    const Result windows = chat(folder, "\xEF\xBB\xBFOn Sunday there is a lot of snow.\r\n/why\r\n/text\r\n", "--max-new-tokens 4");
    CHECK((windows.code == 0 && windows.err.empty() && windows.out == plain.out));
    CHECK_THAT(chat(folder, "/no\x1b[31mthing\n").err, Contains("there is no /no\\x1b[31mthing;"));
    CHECK_THAT(chat(folder, "/set 3/118=4\r\r\n").err, Contains("found '3/118=4\\r'"));
}

TEST_CASE("chat: with a temperature every answer of a session draws anew, and a session again draws the same") {
    const TemporaryFolder folder;
    const std::string drawn = "--max-new-tokens 8 --temperature 1.5 --seed ", lines = "On Sunday there is a lot of snow.\n/again\n/again\n";
    const Result session = chat(folder, lines, drawn + "3");
    std::string expected;
    for (const char* seed : {"3", "4", "5"}) expected += lrp_run("generate " + snow + drawn + seed).out;
    CHECK((session.out == expected && chat(folder, lines, drawn + "3").out == expected));
    CHECK(lrp_run("generate " + snow + drawn + "3").out != lrp_run("generate " + snow + drawn + "4").out);
}

TEST_CASE("chat: edits that change nothing leave the answer, with a note") {
    const TemporaryFolder folder;
    const std::string rest = "On Sunday there is a lot of snow.\n/text\n";
    const Result plain = chat(folder, rest, "--max-new-tokens 4"), idle = chat(folder, "/scale 3/118=1\n" + rest, "--max-new-tokens 4");
    CHECK((idle.code == 0 && idle.out == "1 unit is changed from here on\n" + plain.out));
    CHECK_THAT(idle.err, Contains("lrp: note: steering: nothing was changed by the edits of 1 unit:"));
}

TEST_CASE("chat: what is longer than the context, and a store that has no such labels, are told where it helps") {
    const TemporaryFolder folder;
    const Result never = chat(folder, "snow\n", "--max-new-tokens 512");
    CHECK((never.code == 2 && never.out.empty()));
    CHECK_THAT(never.err, Contains("--max-new-tokens: expected fewer than the model's context of 512 tokens, found 512") && !Contains("warning"));
    std::string half = "snow";
    for (int i = 1; i < 300; ++i) half += " snow";
    const Result line = chat(folder, half + " " + half + "\nsnow\n", "--max-new-tokens 4");
    CHECK_THAT(line.err, Contains("the line has ") && Contains(" (--max-new-tokens): more than the 512 that the model was made for; type a shorter one") && !Contains("/reset"));
    CHECK(line.out == chat(folder, "snow\n", "--max-new-tokens 4").out);
    CHECK_THAT(chat(folder, half + "\n" + half + "\n", "--max-new-tokens 4").err, Contains("the model was made for 512; begin anew with /reset"));

    const Result nowhere = chat(folder, "", "--store /nonexistent");
    CHECK(nowhere.code == 1);
    CHECK_THAT(nowhere.err, Contains("/nonexistent: there is no such store"));
    const std::string store = "--store " + small_store(folder) + " ";
    const Result source = chat(folder, "", store + "--label-source xx");
    CHECK(source.code == 2);
    CHECK_THAT(source.err, Contains("--label-source: expected one of 'test' in ") && Contains("found 'xx'"));
    CHECK(chat(folder, "", "--label-source test").code == 2);
    CHECK(chat(folder, "/label fruit*0\n", store + "--label-source test --max-new-tokens 2").out == "2 units have that label and are changed from here on\n");
}
