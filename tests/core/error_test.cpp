// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/error.hpp>

#include <string_view>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

TEST_CASE("fail joins its parts to one sentence and throws what is asked for") {
    CHECK_THROWS_WITH(fail("row ", 3, " of ", std::string("x"), ": ", 0.25, ' ', std::string_view("lies")), "row 3 of x: 0.25 lies");
    CHECK_THROWS_AS(fail("plain"), Error);
    CHECK_THROWS_AS(fail<UsageError>("usage"), UsageError);
    CHECK_THROWS_AS(fail<UsageError>("usage"), Error);  // a usage error is an error too
    CHECK_THROWS_AS(fail("plain"), std::runtime_error);
    try {
        fail("plain");
    } catch (const UsageError&) {
        FAIL("an error is not a usage error");
    } catch (const Error&) {
    }
}

TEST_CASE("numbers in messages tell floats apart") {
    CHECK_THROWS_WITH(fail(0.1f, ' ', 16777217.0, ' ', 1e-9), "0.100000001 16777217 1e-09");
}

TEST_CASE("require throws only where the condition does not hold") {
    CHECK_NOTHROW(require(true, "never"));
    CHECK_THROWS_WITH(require(false, "expected ", 2, ", found ", 3), "expected 2, found 3");
}
