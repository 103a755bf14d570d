// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <lrp/core/error.hpp>
#include <lrp/core/utf8.hpp>

namespace lrp {

/// Takes off what is no part of a line: a byte order mark before the `first`, a carriage return at the end.
inline void trim_text_line(std::string& line, bool first) {
    if (first && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
    if (line.ends_with('\r')) line.pop_back();
}

/// Calls take(line, where, number) for every line of a text file that is not blank; "-" is standard input. `where` names file and line for errors;
/// numbers count from 1, blank lines too. A byte order mark and a carriage return at a line's end are no part of it. Error naming the file if it
/// cannot be read, and the line if that is not UTF-8.
template <class F>
void each_text_line(const std::string& name, const F& take) {
    std::ifstream opened;
    if (name != "-") {
        std::error_code code;
        require(!std::filesystem::is_directory(name, code), name, ": cannot be read (it is a folder)");
        opened.open(name, std::ios::binary);
        require(opened.good(), name, ": cannot be opened (", std::strerror(errno), ")");
    }
    std::istream& in = name == "-" ? std::cin : opened;
    std::string line;
    for (std::int64_t number = 1; std::getline(in, line); ++number) {
        const std::string where = name + ": line " + std::to_string(number);
        trim_text_line(line, number == 1);
        const auto invalid = utf8::find_invalid(line);
        require(invalid == std::string::npos, where, ": not UTF-8 at byte ", invalid);
        if (line.find_first_not_of(" \t") != std::string::npos) take(line, where, number);
    }
    require(!in.bad(), name, ": cannot be read to its end");
}

}  // namespace lrp
