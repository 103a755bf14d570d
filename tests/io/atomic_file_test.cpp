// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/io/atomic_file.hpp>

#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>
#include <vector>

#include <lrp/io/mapped_file.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
using lrp::test::TemporaryFolder;

namespace {
namespace fs = std::filesystem;
auto entries(const TemporaryFolder& folder) { return std::distance(fs::directory_iterator(folder.path()), {}); }
}  // namespace

TEST_CASE("write_file writes whole files or none") {
    TemporaryFolder folder;
    write_file(folder.path() / "x", "first");
    write_file(folder.path() / "x", std::string("sec\0nd", 6));
    CHECK(read_text_file(folder.path() / "x") == std::string("sec\0nd", 6));
    write_file(folder.path() / "empty", "");
    CHECK(fs::file_size(folder.path() / "empty") == 0);
    CHECK(entries(folder) == 2);
    CHECK_THROWS_WITH(write_file(folder.path() / "none" / "x", "y"), Contains("x: cannot be written (No such file or directory)"));
    CHECK_THROWS_WITH(write_file(folder.path() / "x" / "y", "z"), Contains("cannot be written (Not a directory)"));
    CHECK_THROWS_WITH(write_file(folder.path(), "y"), Contains("cannot be written (it is a folder)"));
    CHECK_THROWS_WITH(write_file(folder.path() / std::string(300, 'n'), "y"), Contains("cannot be written (File name too long)"));
    CHECK_THROWS_AS(write_file("", "y"), Error);
    CHECK(entries(folder) == 2);
}

TEST_CASE("write_file leaves the old file and nothing else when the disk is full") {
    TemporaryFolder folder;
    write_file(folder.path() / "x", "old");
    ::rlimit before{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const ::rlimit small{1000, before.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    std::string message;
    try {
        write_file(folder.path() / "x", std::string(5000, 'y'));
    } catch (const Error& error) {
        message = error.what();
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, handler);
    CHECK_THAT(message, Contains("x: cannot be written (File too large)"));
    CHECK(read_text_file(folder.path() / "x") == "old");
    CHECK(entries(folder) == 1);
}

TEST_CASE("write_file keeps links, permissions and devices") {
    TemporaryFolder folder;
    folder.write("real", "old");
    fs::create_symlink("real", folder.path() / "link");
    fs::permissions(folder.path() / "real", fs::perms::owner_read | fs::perms::owner_write);
    write_file(folder.path() / "link", "new");
    CHECK(fs::is_symlink(folder.path() / "link"));
    CHECK(read_text_file(folder.path() / "real") == "new");
    CHECK(fs::status(folder.path() / "real").permissions() == (fs::perms::owner_read | fs::perms::owner_write));

    fs::create_symlink("b", folder.path() / "a");
    fs::create_symlink("a", folder.path() / "b");
    CHECK_THROWS_WITH(write_file(folder.path() / "a", "new"), Contains("a: cannot be written (Too many levels of symbolic links)"));
    CHECK(fs::is_symlink(folder.path() / "a"));

    REQUIRE(::mkfifo((folder.path() / "pipe").c_str(), 0600) == 0);
    const int reader = ::open((folder.path() / "pipe").c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    REQUIRE(reader >= 0);
    write_file(folder.path() / "pipe", "through");
    std::string got(7, ' ');
    CHECK(::read(reader, got.data(), got.size()) == 7);
    ::close(reader);
    CHECK(got == "through");
    CHECK(fs::is_fifo(folder.path() / "pipe"));
    CHECK(entries(folder) == 5);
}

TEST_CASE("write_file gives new files the permissions of any other new file") {
    TemporaryFolder folder;
    folder.write("plain", "x");
    write_file(folder.path() / "whole", "x");
    CHECK(fs::status(folder.path() / "whole").permissions() == fs::status(folder.path() / "plain").permissions());
}

TEST_CASE("write_file from several threads at once leaves one of the whole files") {
    TemporaryFolder folder;
    std::vector<std::thread> threads;
    for (char c = 'a'; c < 'e'; ++c)
        threads.emplace_back([&folder, c] {
            for (int i = 0; i < 5; ++i) write_file(folder.path() / "x", std::string(10000, c));
        });
    for (auto& thread : threads) thread.join();
    const std::string text = read_text_file(folder.path() / "x");
    CHECK((text.size() == 10000 && text.find_first_not_of(text[0]) == std::string::npos));
    CHECK(entries(folder) == 1);
}

TEST_CASE("what killed writers left is removed, and nothing else") {
    TemporaryFolder folder;
    for (const char* name : {".lrp-12-0.tmp", ".lrp-7-31.tmp", ".lrp-notes", "lrp-1-0.tmp", "x.tmp"}) folder.write(name, "x");
    remove_leftovers(folder.path());
    CHECK(entries(folder) == 3);
    CHECK_FALSE(fs::exists(folder.path() / ".lrp-12-0.tmp"));
    CHECK(fs::exists(folder.path() / ".lrp-notes"));
    remove_leftovers(folder.path() / "nothing");
}
