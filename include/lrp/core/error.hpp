// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// How the library says that something is wrong: one exception type, one sentence with names and numbers in it.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace lrp {

/// What went wrong while reading input, checking shapes or computing. The text is one sentence that names the file, tensor, field
/// or argument, what was expected and what was found. A program ends with exit code 1.
struct Error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// The caller asked for something that does not exist (an unknown site, rule set or option value). A program ends with exit code 2.
struct UsageError : Error {
    using Error::Error;
};

namespace detail {

template <class... Parts>
[[nodiscard]] std::string concat(const Parts&... parts) {
    std::ostringstream out;
    out.precision(9);
    (out << ... << parts);
    return out.str();
}

}  // namespace detail

/// Throws `E` (Error unless named) with all parts written one after the other.
template <class E = Error, class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
    throw E(detail::concat(parts...));
}

/// Throws Error with the parts if the condition does not hold.
template <class... Parts>
void require(bool condition, const Parts&... parts) {
    if (!condition) fail(parts...);
}

}  // namespace lrp
