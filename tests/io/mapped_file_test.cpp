// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/mapped_file.hpp>

#include <sys/stat.h>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
using lrp::test::TemporaryFolder;

namespace {
std::string text_of(const MappedFile& file) { return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()}; }
}  // namespace

TEST_CASE("a file is mapped through links, and stays so when its owner moves or another file takes its name") {
    TemporaryFolder folder;
    folder.write("blob", "the bytes");
    std::filesystem::create_symlink("blob", folder.path() / "link");
    MappedFile file(folder.path() / "link");
    CHECK(text_of(file) == "the bytes");
    CHECK(file.path() == folder.path() / "link");
    const auto* where = file.bytes().data();
    MappedFile moved(std::move(file));
    CHECK(moved.bytes().data() == where);
    folder.write("new", "other");
    std::filesystem::rename(folder.path() / "new", folder.path() / "blob");
    CHECK(text_of(moved) == "the bytes");
    MappedFile other(folder.path() / "blob");
    other = std::move(moved);
    CHECK(text_of(other) == "the bytes");
    static_assert(!std::is_copy_constructible_v<MappedFile> && std::is_nothrow_move_constructible_v<MappedFile>);
}

TEST_CASE("an empty file has no bytes") {
    TemporaryFolder folder;
    folder.write("empty", "");
    const MappedFile file(folder.path() / "empty");
    CHECK(file.bytes().empty());
    const MappedFile moved = MappedFile(folder.path() / "empty");
    CHECK(moved.bytes().empty());
}

TEST_CASE("what is no file is refused at once, a pipe without a writer too") {
    TemporaryFolder folder;
    CHECK_THROWS_WITH(MappedFile(folder.path() / "none"), Contains("none: cannot be opened (No such file or directory)"));
    CHECK_THROWS_WITH(MappedFile(folder.path()), Contains("expected a regular file"));
    REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
    CHECK_THROWS_WITH(MappedFile(folder.path() / "pipe"), Contains("pipe: expected a regular file"));
    std::filesystem::create_symlink("nowhere", folder.path() / "dangling");
    CHECK_THROWS_WITH(MappedFile(folder.path() / "dangling"), Contains("cannot be opened"));
    CHECK_THROWS_AS(MappedFile(folder.path() / std::string(5000, 'n')), Error);
}

TEST_CASE("is_there follows links and does not guess") {
    TemporaryFolder folder;
    folder.write("a", "");
    CHECK(is_there(folder.path() / "a"));
    CHECK(is_there(folder.path()));
    CHECK_FALSE(is_there(folder.path() / "b"));
    std::filesystem::create_symlink("nowhere", folder.path() / "dangling");
    CHECK_FALSE(is_there(folder.path() / "dangling"));
    CHECK_THROWS_AS(is_there(folder.path() / std::string(5000, 'n')), Error);
}

TEST_CASE("a text file is read whole up to its limit") {
    TemporaryFolder folder;
    folder.write("t", std::string("a\0b", 3));
    CHECK(read_text_file(folder.path() / "t", 3) == std::string("a\0b", 3));
    CHECK_THROWS_WITH(read_text_file(folder.path() / "t", 2), Contains("t: expected at most 2 bytes, found 3"));
}
