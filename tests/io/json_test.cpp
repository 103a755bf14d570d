// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/json.hpp>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

TEST_CASE("text that is no strict JSON is refused, and named") {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"", "j: not valid JSON"},
        {"{\"a\":1,}", "j: not valid JSON"},
        {"{} {}", "j: not valid JSON"},
        {"{'a':1}", "j: not valid JSON"},
        {"{\"a\":1e999}", "j: not valid JSON"},
        {"{\"a\":NaN}", "j: not valid JSON"},
        {"{\"a\":01}", "j: not valid JSON"},
        {"{\"a\":\"\xff\"}", "j: not valid JSON"},
        {"{\"a\":\"\xc0\xaf\"}", "j: not valid JSON"},
        {"{\"a\":\"\\ud800\"}", "j: not valid JSON"},
        {"{\"a\":\"line\nbreak\"}", "j: not valid JSON"},
        {std::string("{}\0{}", 5), "j: not valid JSON (NUL byte at 2)"},
        {"\xEF\xBB\xBF{}", "j: not valid JSON (it begins with a byte order mark)"},
        {"{\"a\":1,\"a\":2}", "j: the key 'a' occurs twice in one object"},
        {"{\"a\":1,\"\\u0061\":2}", "j: the key 'a' occurs twice in one object"},
        {"{\"b\":{\"a\":1,\"c\":{\"a\":3},\"a\":2}}", "j: the key 'a' occurs twice in one object"},
        {"version https://git-lfs.github.com/spec/v1\noid sha256:0", "j: this is a Git LFS pointer"},
        {"[[[[[[[[[1]]]]]]]]]", "j: JSON nests deeper than 8 levels"},
        {std::string(1'000'000, '['), "j: JSON nests deeper than 8 levels"},
        {std::string(3'000'000, '{'), "j: not valid JSON"},
    };
    for (const auto& [text, message] : cases) {
        INFO(text.substr(0, 50));
        CHECK_THROWS_WITH(parse_json(text, "j", 8), Contains(message));
        CHECK_THROWS_AS(parse_json(text, "j", 8), Error);
    }
    CHECK(parse_json("[[[[[[[[1]]]]]]]]", "j", 8).size() == 1);
    CHECK(parse_json(R"({"a":{"k":1},"b":{"k":2}})", "j").size() == 2);
}

TEST_CASE("errors do not carry megabytes of the file that caused them") {
    const std::string big(2'000'000, 'x');
    for (const std::string& text : {"{\"" + big, "{\"" + big + "\":1,\"" + big + "\":1}", "[\"" + big + "\x01\"]"}) {
        std::string message;
        try {
            (void)parse_json(text, "j");
        } catch (const Error& error) {
            message = error.what();
        }
        CHECK((!message.empty() && message.size() < 500));
    }
    CHECK(detail::shortened("caf\xC3\xA9", 5) == "caf\xC3\xA9");
    CHECK(detail::shortened("caf\xC3\xA9", 4) == "caf...");
    CHECK(detail::shortened(std::string(4, '\xBF'), 2) == "...");
}

TEST_CASE("fields say what they expected and what they found") {
    const auto json = parse_json(R"({"t":"x","f":true,"n":2.5,"w":7,"none":null,"o":{"i":-1},"big":18446744073709551615,"bigger":18446744073709551616})", "j");
    const JsonFields fields(json, "j");
    CHECK((fields.text("t") == "x" && fields.flag("f") == true && fields.number("n") == 2.5 && fields.number("w") == 7.0 && fields.whole("w", 7, 7) == 7u));
    CHECK(fields.whole("big", 0, UINT64_MAX) == UINT64_MAX);
    CHECK((!fields.text("none") && !fields.flag("none") && !fields.number("none") && !fields.whole("none", 1, 2) && !fields.text("absent")));
    CHECK((!fields.has("none") && fields.states("none") && !fields.states("absent")));
    CHECK_THROWS_WITH(fields.text("w"), "j: w: expected a string, found 7");
    CHECK_THROWS_WITH(fields.flag("w"), "j: w: expected true or false, found 7");
    CHECK_THROWS_WITH(fields.number("t"), "j: t: expected a number, found \"x\"");
    CHECK_THROWS_WITH(fields.number("f"), "j: f: expected a number, found true");
    CHECK_THROWS_WITH(fields.whole("w", 8, 9), "j: w: expected a whole number from 8 to 9, found 7");
    CHECK_THROWS_WITH(fields.whole("n", 0, 9), "j: n: expected a whole number from 0 to 9, found 2.5");
    CHECK_THROWS_WITH(fields.whole("bigger", 0, UINT64_MAX), Contains("j: bigger: expected a whole number"));
    CHECK_THROWS_WITH(fields.object("o").whole("i", 0, UINT64_MAX), Contains("j: o: i: expected a whole number from 0 to 18446744073709551615, found -1"));
    CHECK_THROWS_WITH(fields.object("t"), "j: t: expected a JSON object, found string");
    CHECK_THROWS_WITH(fields.object("absent"), "j: absent is missing");
    CHECK_THROWS_WITH(fields.must(fields.text("absent"), "absent"), "j: absent is missing");
}
