// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// safetensors files: small ones made in memory, and ones of any size written piece by piece.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <span>

#include <nlohmann/json.hpp>

#include <lrp/io/data_file.hpp>
#include <lrp/io/safetensors.hpp>

namespace lrp {

/// A tensor that a file is to hold.
struct TensorPlan {
    std::string name;
    Dtype dtype = Dtype::f32;
    std::vector<std::uint64_t> shape;

    /// Error for a type that is none of this library's, and a size that cannot be addressed.
    [[nodiscard]] std::uint64_t bytes() const {
        const auto kind = std::find_if(detail::dtypes.begin(), detail::dtypes.end(), [this](const auto& d) { return d.dtype == dtype; });
        require(dtype != Dtype::other, "tensor '", name, "': expected a type that can be computed with");
        std::uint64_t total = kind->bits / 8;
        for (const auto extent : shape)
            require(!__builtin_mul_overflow(total, extent, &total), "tensor '", name, "': the shape is larger than can be addressed");
        return total;
    }
};

/// The first bytes of a safetensors file whose data are these tensors, one after the other in this order: the length, then the header, padded
/// with spaces so that the data begins at a multiple of 64 bytes. Error for a header of more than the 100,000,000 bytes that readers accept.
[[nodiscard]] inline std::string safetensors_header(std::span<const TensorPlan> tensors, const std::map<std::string, std::string>& metadata) {
    nlohmann::json header = nlohmann::json::object();
    if (!metadata.empty()) header["__metadata__"] = metadata;
    std::uint64_t begin = 0;
    for (const TensorPlan& tensor : tensors) {
        const std::uint64_t end = begin + tensor.bytes();
        header[tensor.name] = {{"dtype", dtype_name(tensor.dtype)}, {"shape", tensor.shape}, {"data_offsets", {begin, end}}};
        begin = end;
    }
    std::string text = header.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    require(text.size() <= 99'999'900, "data file: the header of ", text.size(), " bytes is longer than safetensors allows");
    text.append((64 - (8 + text.size()) % 64) % 64, ' ');
    const std::uint64_t length = text.size();
    std::string result(8, '\0');
    std::memcpy(result.data(), &length, 8);
    return result.append(text);
}

/// A data file as safetensors: arrays by name (all of 4-byte types), metadata as strings. Same input, same bytes. Error as check_array_names,
/// DataArray::bytes and safetensors_header.
[[nodiscard]] inline std::string to_safetensors(const DataFile& file) {
    check_array_names(file, "__metadata__");
    std::vector<const DataArray*> order;
    for (const DataArray& array : file.arrays) order.push_back(&array);
    std::sort(order.begin(), order.end(), [](const DataArray* a, const DataArray* b) { return a->name < b->name; });
    std::vector<TensorPlan> plans;
    std::string data;
    for (const DataArray* array : order) {
        data += array->bytes();
        plans.push_back({array->name, array->is_float() ? Dtype::f32 : Dtype::i32, array->shape});
    }
    return safetensors_header(plans, file.metadata).append(data);
}

/// A safetensors file of any size, written piece by piece: the header when it is made, then any part of the data at any time, from any thread.
/// What was never written reads as zeros. Errors name the file and the system's reason.
class SafetensorsWriter {
  public:
    /// Makes the file; Error if there is one already. `metadata` as in the format; transformers wants {"format": "pt"}.
    SafetensorsWriter(std::filesystem::path path, std::span<const TensorPlan> tensors, const std::map<std::string, std::string>& metadata)
        : path_(std::move(path)) {
        const std::string header = safetensors_header(tensors, metadata);
        data_begin_ = header.size();
        for (const TensorPlan& tensor : tensors) data_bytes_ += tensor.bytes();
        file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        check(file_ >= 0);
        try {
            check(::ftruncate(file_, static_cast<::off_t>(data_begin_ + data_bytes_)) == 0);
            put(header, 0);
        } catch (...) {
            ::close(file_);
            throw;
        }
    }
    SafetensorsWriter(const SafetensorsWriter&) = delete;
    SafetensorsWriter& operator=(const SafetensorsWriter&) = delete;
    ~SafetensorsWriter() {
        if (file_ >= 0) ::close(file_);
    }

    /// Where the first tensor begins in the file.
    [[nodiscard]] std::uint64_t data_begin() const { return data_begin_; }
    /// Of all tensors together.
    [[nodiscard]] std::uint64_t data_bytes() const { return data_bytes_; }

    /// Writes bytes of the data, counted from the begin of the first tensor. Error for bytes beyond the last.
    void write(std::string_view bytes, std::uint64_t offset) const {
        require(offset <= data_bytes_ && bytes.size() <= data_bytes_ - offset, path_.string(), ": ", bytes.size(), " bytes at ", offset, " are beyond the ",
                data_bytes_, " of its tensors");
        put(bytes, data_begin_ + offset);
    }

    /// Waits until all of it is on the disk.
    void finish() {
        check(::fsync(file_) == 0 || errno == EINVAL || errno == ENOTSUP);
        const int closed = ::close(file_);
        file_ = -1;
        check(closed == 0);
    }

  private:
    void check(bool good) const {
        const int reason = errno;
        if (!good) fail(path_.string(), ": cannot be written (", std::strerror(reason), ")");
    }
    void put(std::string_view bytes, std::uint64_t at) const {
        while (!bytes.empty()) {
            const ::ssize_t done = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<::off_t>(at));
            if (done < 0 && errno == EINTR) continue;
            check(done >= 0);
            bytes.remove_prefix(static_cast<std::size_t>(done));
            at += static_cast<std::uint64_t>(done);
        }
    }

    std::filesystem::path path_;
    std::uint64_t data_begin_ = 0, data_bytes_ = 0;
    int file_ = -1;
};

}  // namespace lrp
