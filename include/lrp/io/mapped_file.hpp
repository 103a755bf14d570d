// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>

#include <lrp/core/error.hpp>

namespace lrp {

/// A regular file mapped into memory for reading; symbolic links are followed. Move-only. Error (naming the file and the system's
/// reason) if it cannot be opened, is not a regular file, or cannot be mapped. A file that another program shortens while it is mapped
/// ends the process (SIGBUS); write_file never does that.
class MappedFile {
  public:
    explicit MappedFile(const std::filesystem::path& path) : path_(path) {
        const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not block
        require(file >= 0, path.string(), ": cannot be opened (", std::strerror(errno), ")");
        struct stat info {};
        const bool regular = ::fstat(file, &info) == 0 && S_ISREG(info.st_mode);
        if (!regular) {
            ::close(file);
            fail(path.string(), ": expected a regular file");
        }
        size_ = static_cast<std::size_t>(info.st_size);
        if (size_ > 0) {
            void* at = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file, 0);
            const int reason = errno;
            ::close(file);
            require(at != MAP_FAILED, path.string(), ": cannot be mapped (", std::strerror(reason), ")");
            data_ = static_cast<const std::byte*>(at);
        } else {
            ::close(file);
        }
    }
    MappedFile(MappedFile&& other) noexcept
        : path_(std::move(other.path_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    MappedFile& operator=(MappedFile&& other) noexcept {
        std::swap(path_, other.path_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile() {
        if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
    }

    /// Valid as long as this object, or the one it was moved to; null and empty for an empty file.
    [[nodiscard]] std::span<const std::byte> bytes() const { return {data_, size_}; }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  private:
    std::filesystem::path path_;
    const std::byte* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Whether there is anything at a path, links followed. Error if the system cannot say (no permission, name too long).
[[nodiscard]] inline bool is_there(const std::filesystem::path& path) {
    std::error_code code;
    const bool result = std::filesystem::exists(path, code);
    require(!code, path.string(), ": cannot be looked at (", code.message(), ")");
    return result;
}

/// A small text file, whole. Error if it cannot be read or is larger than `limit` bytes.
[[nodiscard]] inline std::string read_text_file(const std::filesystem::path& path, std::size_t limit = std::size_t{1} << 28) {
    const MappedFile file(path);
    require(file.bytes().size() <= limit, path.string(), ": expected at most ", limit, " bytes, found ", file.bytes().size());
    return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

}  // namespace lrp
