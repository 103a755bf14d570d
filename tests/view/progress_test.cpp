// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

#include <cstdlib>
#include <thread>

#include <lrp/view/progress.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

constexpr std::uint64_t mebi = 1 << 20;

/// The reading end of a fresh pseudo-terminal, and its terminal, 80 columns wide.
struct PseudoTerminal {
    int reader = ::posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
    int terminal = -1;

    PseudoTerminal() {
        if (reader >= 0 && ::grantpt(reader) == 0 && ::unlockpt(reader) == 0) terminal = ::open(::ptsname(reader), O_RDWR | O_NOCTTY);
        winsize size{};
        size.ws_col = 80;
        size.ws_row = 24;
        ::ioctl(terminal, TIOCSWINSZ, &size);
    }
    ~PseudoTerminal() {
        ::close(terminal);
        ::close(reader);
    }
    std::string text() const {
        std::string result(1 << 16, '\0');
        const ::ssize_t size = ::read(reader, result.data(), result.size());
        result.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
        return result;
    }
};

}  // namespace

TEST_CASE("a progress line tells share, amount, rate and time left") {
    // 30 of 120 MiB in 10 s: 3 MiB/s, 90 MiB to go, 30 s. The bar takes the room that is left.
    const ProgressState state{"writing", "bytes", 120 * mebi, 0, 30 * mebi, 10};
    CHECK(progress_line(state, 200) == "writing  25 % [##########------------------------------] 30.0 MiB of 120.0 MiB, 3.0 MiB/s, 0:30 left");
    const std::string words = "writing  25 %", rest = " 30.0 MiB of 120.0 MiB, 3.0 MiB/s, 0:30 left";
    CHECK(progress_line(state, static_cast<int>(words.size() + rest.size()) + 3 + 12) == words + " [###---------]" + rest);
    CHECK(progress_line(state, static_cast<int>(words.size() + rest.size()) + 3 + 9) == words + rest);  // no room for a bar
    CHECK(progress_line(state, 20) == "writing  25 % 30.0 M");
    CHECK(progress_line(state, -1).empty());
}

TEST_CASE("what an earlier run did is progress, but not rate") {
    CHECK(progress_line({"collecting", "prompts", 100, 40, 60, 8}, 60) == "collecting  60 % 60 of 100 prompts, 2.5 prompts/s, 0:16 left");
    CHECK(progress_line({"collecting", "prompts", 100, 40, 60, 8}, 75).size() == 75);
}

TEST_CASE("without a total there is neither share nor time left; at the beginning there is no rate") {
    CHECK(progress_line({"reading", "lines", 0, 0, 1500, 2}, 100) == "reading 1500 lines, 750 lines/s");
    CHECK(progress_line({"reading", "lines", 1500, 0, 0, 0}, 30) == "reading   0 % 0 of 1500 lines");
    CHECK_THAT(progress_line({"reading", "lines", 10, 0, 10, 1}, 100), Contains("reading 100 % [########################################] 10 of 10 lines"));
}

TEST_CASE("progress is shown on a terminal and taken away at the end") {
    const PseudoTerminal pair;
    REQUIRE(pair.terminal >= 0);
    {
        Progress progress("writing", "bytes", 100 * mebi, 0, pair.terminal);
        progress.add(10 * mebi);
        CHECK(pair.text().empty());  // quick commands show nothing
        std::this_thread::sleep_for(std::chrono::milliseconds(120));
        progress.add(15 * mebi);
        progress.add(5 * mebi);
        const std::string shown = pair.text();
        CHECK_THAT(shown, Contains("\rwriting  25 % [") && Contains("25.0 MiB of 100.0 MiB") && Contains(" left"));
        CHECK(shown.find("30.0 MiB of") == std::string::npos);  // ten times a second is enough
        CHECK(shown.size() < 80 + 8);
    }
    CHECK(pair.text() == "\r\x1b[K");
}

TEST_CASE("progress writes nothing where there is no terminal") {
    int ends[2];
    REQUIRE(::pipe2(ends, O_NONBLOCK) == 0);
    {
        Progress progress("writing", "bytes", 100, 0, ends[1]);
        std::this_thread::sleep_for(std::chrono::milliseconds(120));
        progress.add(50);
    }
    char byte = 0;
    CHECK(::read(ends[0], &byte, 1) == -1);
    ::close(ends[0]);
    ::close(ends[1]);
}

TEST_CASE("many threads may report at once") {
    const PseudoTerminal pair;
    Progress progress("counting", "steps", 4000, 0, pair.terminal);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&progress] {
            for (int i = 0; i < 1000; ++i) progress.add();
        });
    for (auto& thread : threads) thread.join();
    std::this_thread::sleep_for(std::chrono::milliseconds(120));
    progress.add(0);
    CHECK_THAT(pair.text(), Contains("4000 of 4000 steps"));
}
