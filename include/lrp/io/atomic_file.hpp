// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>

#include <lrp/core/error.hpp>

namespace lrp {

/// Writes a file whole or not at all: a temporary file in the same folder, flushed to disk, then renamed. Error naming the file and the
/// system's reason; the temporary file is removed.
inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
    require(!std::filesystem::is_directory(path), path.string(), ": cannot be written (it is a folder)");
    std::string temporary = path.string() + ".XXXXXX";
    const int file = ::mkostemp(temporary.data(), O_CLOEXEC);
    require(file >= 0, path.string(), ": cannot be written (", std::strerror(errno), ")");
    const auto give_up = [&](int reason) {
        ::unlink(temporary.c_str());
        fail(path.string(), ": cannot be written (", std::strerror(reason), ")");
    };
    while (!bytes.empty()) {
        const ::ssize_t done = ::write(file, bytes.data(), bytes.size());
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) {
            const int reason = errno;
            ::close(file);
            give_up(reason);
        }
        bytes.remove_prefix(static_cast<std::size_t>(done));
    }
    const ::mode_t mask = ::umask(0);
    ::umask(mask);
    const bool good = ::fchmod(file, 0666 & ~mask) == 0 && ::fsync(file) == 0;
    const int reason = errno;
    ::close(file);
    if (!good) give_up(reason);
    if (std::rename(temporary.c_str(), path.c_str()) != 0) give_up(errno);
}

}  // namespace lrp
