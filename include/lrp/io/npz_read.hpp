// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <zlib.h>

#include <charconv>
#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <lrp/core/error.hpp>

namespace lrp {

/// One array of an .npz archive, as it lies in the archive: `bytes` belong to the archive's memory, at any alignment.
struct NpzArray {
    std::string descr;  ///< "<f4", "<i4", ...
    std::vector<std::uint64_t> shape;
    std::string_view bytes;
};

/// The arrays of an .npz archive of stored (not compressed) members, in C order, by name without ".npy". `bytes` must outlive the result.
/// Error naming `source` and the member for anything else, for a checksum that does not fit, and for a size that is not the shape's.
class NpzReader {
  public:
    NpzReader(std::string_view bytes, std::string source) : bytes_(bytes), source_(std::move(source)) {
        constexpr std::size_t end_size = 22;
        require(bytes.size() >= end_size && bytes.substr(bytes.size() - end_size, 4) == "PK\x05\x06", source_, ": expected an .npz archive (truncated, or something else)");
        const std::size_t end = bytes.size() - end_size, count = number<std::uint16_t>(end + 10);
        std::size_t at = number<std::uint32_t>(end + 16);
        for (std::size_t i = 0; i < count; ++i) {
            require(at <= end && end - at >= 46 && bytes.substr(at, 4) == "PK\x01\x02", source_, ": entry ", i, " of the archive's directory is damaged");
            const std::size_t name = number<std::uint16_t>(at + 28), extra = number<std::uint16_t>(at + 30), comment = number<std::uint16_t>(at + 32);
            require(end - at - 46 >= name + extra + comment, source_, ": entry ", i, " of the archive's directory is damaged");
            read_member(std::string(bytes.substr(at + 46, name)), number<std::uint16_t>(at + 10), number<std::uint32_t>(at + 16), number<std::uint32_t>(at + 20), number<std::uint32_t>(at + 42));
            at += 46 + name + extra + comment;
        }
        require(at == end, source_, ": the archive's directory is damaged");
    }

    [[nodiscard]] const std::map<std::string, NpzArray>& arrays() const { return arrays_; }
    /// The values of an array. Error if it is missing or of another type or shape.
    template <class T>
    void read(const std::string& name, std::string_view descr, const std::vector<std::uint64_t>& shape, std::span<T> out) const {
        const auto found = arrays_.find(name);
        require(found != arrays_.end(), source_, ": array '", name, "' is missing");
        require(found->second.descr == descr && found->second.shape == shape, source_, ": array '", name, "': expected ", descr, " ", shape_text(shape), ", found ",
                found->second.descr, " ", shape_text(found->second.shape));
        require(found->second.bytes.size() == out.size_bytes(), source_, ": array '", name, "' has ", found->second.bytes.size(), " bytes, ", out.size_bytes(), " were asked for");
        if (!out.empty()) std::memcpy(out.data(), found->second.bytes.data(), out.size_bytes());
    }

  private:
    template <class T>
    [[nodiscard]] T number(std::size_t at) const {
        T value = 0;
        std::memcpy(&value, bytes_.data() + at, sizeof(T));
        return value;
    }
    static std::string shape_text(const std::vector<std::uint64_t>& shape) {
        std::string text = "[";
        for (const auto extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
        return text + "]";
    }

    void read_member(const std::string& name, unsigned method, std::uint32_t checksum, std::size_t size, std::size_t at) {
        const std::string where = source_ + ": member '" + name + "'";
        require(method == 0, where, ": expected a stored member, found compression method ", method);
        require(at <= bytes_.size() && bytes_.size() - at >= 30 && bytes_.substr(at, 4) == "PK\x03\x04", where, ": its header is damaged");
        const std::size_t begin = at + 30 + number<std::uint16_t>(at + 26) + number<std::uint16_t>(at + 28);
        require(begin <= bytes_.size() && bytes_.size() - begin >= size, where, ": it lies beyond the end of the file (truncated?)");
        const std::string_view data = bytes_.substr(begin, size);
        require(::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()) == checksum, where, ": the checksum does not fit (the file is damaged)");
        require(name.ends_with(".npy"), where, ": expected a name that ends with .npy");
        arrays_[name.substr(0, name.size() - 4)] = read_array(data, where);
    }

    static NpzArray read_array(std::string_view data, const std::string& where) {
        require(data.size() >= 10 && data.starts_with(std::string_view("\x93NUMPY\x01\x00", 8)), where, ": expected a .npy file of version 1.0");
        const std::size_t length = static_cast<unsigned char>(data[8]) + 256u * static_cast<unsigned char>(data[9]);
        require(data.size() - 10 >= length, where, ": its header is damaged");
        const std::string_view header = data.substr(10, length);
        NpzArray array;
        array.bytes = data.substr(10 + length);
        const auto after = [&](std::string_view key) {
            const auto at = header.find(key);
            require(at != std::string_view::npos, where, ": its header has no ", key);
            return header.substr(at + key.size());
        };
        const std::string_view descr = after("'descr': '");
        array.descr = descr.substr(0, descr.find('\''));
        require(after("'fortran_order': ").starts_with("False"), where, ": expected C order");
        std::string_view list = after("'shape': (");
        list = list.substr(0, list.find(')'));
        std::uint64_t count = 1;
        for (const char *p = list.data(), *end = list.data() + list.size(); p < end;) {
            std::uint64_t extent = 0;
            const auto [next, code] = std::from_chars(p, end, extent);
            require(code == std::errc() && !__builtin_mul_overflow(count, extent, &count), where, ": its shape cannot be read");
            array.shape.push_back(extent);
            p = next;
            while (p < end && (*p == ',' || *p == ' ')) ++p;
        }
        const bool plain = array.descr.size() == 3 && std::string_view("fiu").find(array.descr[1]) != std::string_view::npos && array.descr[2] >= '1' && array.descr[2] <= '8';
        const std::size_t width = plain ? static_cast<std::size_t>(array.descr[2] - '0') : 1;
        require(!plain || (array.bytes.size() / width == count && array.bytes.size() % width == 0), where, ": its size is not that of its shape");
        return array;
    }

    std::string_view bytes_;
    std::string source_;
    std::map<std::string, NpzArray> arrays_;
};

}  // namespace lrp
