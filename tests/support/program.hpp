// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/wait.h>

#include <array>
#include <cstdio>
#include <string>

#include <lrp/io/json.hpp>
#include <lrp/io/mapped_file.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

namespace lrp::test {

/// The shipped checkpoint; it and a prompt, as arguments.
inline const std::string mini = LRP_SOURCE_ROOT "/examples/models/mini";
inline const std::string snow = mini + " 'On Sunday there is a lot of snow.' ";
inline const std::string cats = mini + " 'I have 5 cats and 3 dogs. My cats love to play with my' ";

/// How a program ended, and what it wrote.
struct Result {
    int code = -1;
    std::string out, err;
};

/// Runs `lrp` with arguments as a shell would take them; `before` stands before the program. Without `no_input` the arguments say what is read.
inline Result lrp_run(const std::string& arguments, const std::string& before = "", bool no_input = true) {
    TemporaryFolder folder;
    const std::string err = (folder.path() / "err").string();
    const std::string command = before + " " LRP_PROGRAM " " + arguments + " 2>" + err + (no_input ? " </dev/null" : "");
    Result result;
    FILE* pipe = popen(command.c_str(), "r");
    REQUIRE(pipe != nullptr);
    std::array<char, 4096> block{};
    for (std::size_t n = 0; (n = fread(block.data(), 1, block.size(), pipe)) > 0;) result.out.append(block.data(), n);
    const int status = pclose(pipe);
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    result.err = read_text_file(err);
    return result;
}

/// What a run that must succeed wrote.
inline nlohmann::json json_of(const std::string& arguments) {
    const Result result = lrp_run(arguments);
    INFO("lrp " << arguments << ": " << result.err);
    REQUIRE(result.code == 0);
    return nlohmann::json::parse(result.out);
}

}  // namespace lrp::test
