// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/store/work_file.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

TEST_CASE("a work file holds what was committed, for one process and one collection") {
    test::TemporaryFolder folder;
    const auto file = folder.path() / "work.0.sqlite";
    const std::map<std::string, std::string> identity{{"k", "5"}, {"model_hash", "abc"}};
    const auto bytes = [](const std::string& name) { return "state of " + name + std::string("\0 with a NUL", 12); };
    {
        WorkFile work(file, identity);
        CHECK((work.done().empty() && !work.has_state()));
        work.commit({3, 1}, {"a", "b"}, bytes);
        CHECK((work.done() == std::set<std::int64_t>{1, 3} && work.has_state()));
        CHECK_THROWS_WITH(WorkFile(file, identity), Contains("another program is collecting into this folder"));
        // A commit that fails half way leaves the one before.
        CHECK_THROWS_AS(work.commit({7}, {"a", "b"}, [](const std::string& name) { return name == "a" ? std::string("new") : throw Error("no more"); }), Error);
        CHECK_THROWS_AS(work.commit({3}, {"a"}, [](const std::string&) { return std::string("new"); }), Error);  // a batch that was done
        CHECK(work.state("a") == bytes("a"));
        work.commit({2}, {"b"}, [](const std::string&) { return std::string("later"); });
    }
    WorkFile work(file, identity);
    CHECK(work.done() == std::set<std::int64_t>{1, 2, 3});
    CHECK((work.state("a") == bytes("a") && work.state("b") == "later"));
    CHECK_THROWS_WITH(work.state("c"), Contains("the state of 'c' is missing"));
}

TEST_CASE("a work file of another collection, and what is none, are refused") {
    test::TemporaryFolder folder;
    { WorkFile work(folder.path() / "w", {{"k", "5"}}); }
    CHECK_THROWS_WITH(WorkFile(folder.path() / "w", {{"k", "6"}}), Contains("begun here with k '5', and is now asked to go on with '6'"));
    folder.write("x", std::string(5000, 'x'));
    CHECK_THROWS_WITH(WorkFile(folder.path() / "x", {{"k", "5"}}), Contains("file is not a database"));
    CHECK_THROWS_WITH(WorkFile(folder.path() / "no/w", {{"k", "5"}}), Contains("cannot be opened"));
}
