// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <vector>

#include <lrp/io/text_lines.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

std::vector<std::string> lines_of(const std::string& name) {
    std::vector<std::string> lines;
    each_text_line(name, [&](const std::string& line, const std::string& where, std::int64_t number) {
        CHECK(where == name + ": line " + std::to_string(number));
        lines.push_back(std::to_string(number) + line);
    });
    return lines;
}

}  // namespace

TEST_CASE("lines of a text file: numbered as an editor does, blank ones left out") {
    test::TemporaryFolder folder;
    const auto file = [&](const std::string& text) {
        folder.write("lines", text);
        return (folder.path() / "lines").string();
    };
    CHECK(lines_of(file("\xEF\xBB\xBFone\r\n\n \t\n two \nthree")) == std::vector<std::string>{"1one", "4 two ", "5three"});
    CHECK(lines_of(file("")).empty());
    CHECK(lines_of(file("a\n\xEF\xBB\xBF" "b")) == std::vector<std::string>{"1a", "2\xEF\xBB\xBF" "b"});
    CHECK_THROWS_WITH(lines_of(file("good\nb\xFF" "d\n")), Contains("lines: line 2: not UTF-8 at byte 1"));
    CHECK_THROWS_WITH(lines_of(folder.path().string()), Contains("cannot be read (it is a folder)"));
    CHECK_THROWS_WITH(lines_of("/nonexistent/x"), Contains("/nonexistent/x: cannot be opened (No such file or directory)"));
}
