// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Result files that are there whole or not at all.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>

#include <lrp/core/error.hpp>

namespace lrp {

namespace detail {

/// Writes everything, flushes if told, and closes; 0, or the system's reason. A device or pipe that knows no flushing is not at fault.
inline int write_and_close(int file, std::string_view bytes, bool flush) {
    int reason = 0;
    while (reason == 0 && !bytes.empty()) {
        const ::ssize_t done = ::write(file, bytes.data(), bytes.size());
        if (done >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(done));
        } else if (errno != EINTR) {
            reason = errno;
        }
    }
    if (reason == 0 && flush && ::fsync(file) != 0 && errno != EINVAL && errno != ENOTSUP) reason = errno;
    if (::close(file) != 0 && reason == 0) reason = errno;
    return reason;
}

}  // namespace detail

/// Writes a file whole or not at all: a temporary file in the same folder, flushed to disk, then renamed, so that a program that has the
/// old file mapped keeps it. A symbolic link is followed, permissions of an existing file stay, and what is there but is no file (a
/// device, a pipe) is written to directly. Error naming the file and the system's reason; the temporary file is removed.
inline void write_file(const std::filesystem::path& path, std::string_view bytes) {
    namespace fs = std::filesystem;
    const auto check = [&path](int reason) { require(reason == 0, path.string(), ": cannot be written (", std::strerror(reason), ")"); };
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    require(!fs::is_directory(status), path.string(), ": cannot be written (it is a folder)");
    if (status.type() == fs::file_type::none) check(code.value());
    if (fs::exists(status)) {
        if (::access(path.c_str(), W_OK) != 0) check(errno);
        if (!fs::is_regular_file(status)) {
            const int device = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
            if (device < 0) check(errno);
            return check(detail::write_and_close(device, bytes, false));
        }
    }
    fs::path target = fs::canonical(path, code);
    if (code) {  // not there yet
        target = path;
        for (int links = 0; links < 40 && fs::is_symlink(fs::symlink_status(target, code)); ++links) target = target.parent_path() / fs::read_symlink(target, code);
    }

    static std::atomic<unsigned> number{0};
    std::string temporary;
    int file = -1;
    do {
        temporary = (target.parent_path() / (".lrp-" + std::to_string(::getpid()) + "-" + std::to_string(number++) + ".tmp")).string();
        file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    } while (file < 0 && errno == EEXIST);
    if (file < 0) check(errno);
    int reason = 0;
    if (fs::exists(status) && ::fchmod(file, static_cast<::mode_t>(status.permissions()) & 07777) != 0) reason = errno;
    const int written = detail::write_and_close(file, bytes, true);
    if (reason == 0) reason = written;
    if (reason == 0 && std::rename(temporary.c_str(), target.c_str()) != 0) reason = errno;
    if (reason != 0) ::unlink(temporary.c_str());
    check(reason);
}

/// Removes what killed writers left in a folder that nobody else writes to now.
inline void remove_leftovers(const std::filesystem::path& folder) {
    std::error_code code;
    for (const auto& entry : std::filesystem::directory_iterator(folder, code)) {
        const std::string name = entry.path().filename().string();
        std::error_code ignored;
        if (name.starts_with(".lrp-") && name.ends_with(".tmp")) std::filesystem::remove(entry.path(), ignored);
    }
}

}  // namespace lrp
