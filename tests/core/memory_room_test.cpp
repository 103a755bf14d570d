// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <sys/resource.h>

#include <vector>

#include <lrp/core/memory_room.hpp>

#include "support/catch.hpp"
#include "support/folder.hpp"

using namespace lrp;

namespace {

/// A file system of a few files.
class Root {
  public:
    void put(const std::string& path, const std::string& text) {
        std::filesystem::create_directories((folder_.path() / path).parent_path());
        folder_.write(path, text);
    }
    [[nodiscard]] MemoryRoom room() const { return memory_room(folder_.path()); }
    [[nodiscard]] MemoryUse use() const { return memory_use(folder_.path()); }

  private:
    test::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("the room is the least of what the machine and the groups leave") {
    Root root;
    CHECK((root.room().bytes == std::numeric_limits<std::uint64_t>::max() && root.room().limit == "no limit"));
    root.put("proc/meminfo", "MemTotal:       16000 kB\nMemFree: 1 kB\nMemAvailable:    8000 kB\n");
    CHECK((root.room().bytes == 8000 * 1024 && root.room().limit == "the machine's available memory"));
    root.put("proc/self/cgroup", "0::/a/b\n");
    root.put("sys/fs/cgroup/a/b/memory.max", "max\n");
    root.put("sys/fs/cgroup/a/b/memory.current", "500000\n");
    CHECK(root.room().bytes == 8000 * 1024);
    root.put("sys/fs/cgroup/a/memory.max", "1000000\n");  // of the group above
    root.put("sys/fs/cgroup/a/memory.current", "700000\n");
    root.put("sys/fs/cgroup/a/memory.stat", "anon 100000\nfile_mapped 5\nfile 600000\n");  // cached files can be taken back
    CHECK((root.room().bytes == 900000 && root.room().limit == "the control group's limit"));
    root.put("sys/fs/cgroup/a/memory.current", "2000000\n");
    CHECK(root.room().bytes == 0);
    root.put("proc/self/cgroup", "5:cpu:/x\n4:memory:/c\n");
    root.put("sys/fs/cgroup/memory/c/memory.limit_in_bytes", "300000\n");
    root.put("sys/fs/cgroup/memory/c/memory.usage_in_bytes", "100000\n");
    root.put("sys/fs/cgroup/memory/c/memory.stat", "cache 1\ntotal_cache 40000\n");
    CHECK(root.room().bytes == 240000);
    root.put("proc/meminfo", "MemAvailable:    100 kB\n");
    CHECK((root.room().bytes == 100 * 1024 && root.room().limit == "the machine's available memory"));
}

TEST_CASE("a limit of the address space counts, and what is in use is told") {
    const MemoryRoom before = memory_room();
    CHECK(before.bytes > 0);
    rlimit old{};
    REQUIRE(getrlimit(RLIMIT_AS, &old) == 0);
    rlimit tight = old;
    tight.rlim_cur = rlim_t{1} << 46;  // far above what is in use (20 TiB under AddressSanitizer), far below what is unlimited
    REQUIRE(setrlimit(RLIMIT_AS, &tight) == 0);
    Root nothing;
    nothing.put("proc/self/statm", "1000 10 1\n");
    const MemoryRoom room = nothing.room();
    setrlimit(RLIMIT_AS, &old);
    CHECK((room.bytes == (std::uint64_t{1} << 46) - 1000 * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) && room.limit == "the limit of the address space (ulimit -v)"));
    const MemoryUse first = memory_use();
    const std::vector<char> many(std::size_t{64} << 20, 1);
    const MemoryUse second = memory_use();
    CHECK((second.own >= first.own + (std::uint64_t{60} << 20) && second.own < first.own + (std::uint64_t{80} << 20) && second.mapped > 0));
    CHECK(many.back() == 1);
}

TEST_CASE("shared memory counts as a program's own, files that are mapped do not") {
    Root root;
    CHECK((root.use().own == 0 && root.use().mapped == 0));
    root.put("proc/self/status", "VmRSS:\t  60 kB\nRssAnon:\t  10 kB\nRssFile:\t  20 kB\nRssShmem:\t  30 kB\n");
    CHECK((root.use().own == 40 * 1024 && root.use().mapped == 20 * 1024));
}
