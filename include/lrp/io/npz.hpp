// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <zlib.h>

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <lrp/core/utf8.hpp>
#include <lrp/io/data_file.hpp>

namespace lrp {

namespace detail {

/// Little-endian integers appended to a string.
template <class T>
void append_number(std::string& out, T value) {
    for (std::size_t i = 0; i < sizeof(T); ++i) out.push_back(static_cast<char>((static_cast<std::uint64_t>(value) >> (8 * i)) & 255));
}

/// One .npy file, version 1.0: magic, header dictionary padded to 64 bytes, data in C order.
inline std::string npy(const std::string& descr, const std::vector<std::uint64_t>& shape, const std::string& data) {
    std::string dimensions;
    for (const auto extent : shape) dimensions += std::to_string(extent) + ",";
    std::string header = "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (" + dimensions + "), }";
    header.append(63 - (10 + header.size()) % 64, ' ');
    header += '\n';
    std::string out = "\x93NUMPY";
    out += std::string("\x01\x00", 2);
    append_number<std::uint16_t>(out, static_cast<std::uint16_t>(header.size()));
    return out + header + data;
}

/// Text as UTF-32 code units, numpy's <U; each maximal stretch that is no UTF-8 becomes one U+FFFD.
inline std::string utf32(const std::string& text, std::uint64_t& count) {
    const std::string clean = utf8::lossy(text);
    std::string out;
    count = 0;
    for (std::size_t at = 0; at < clean.size(); ++count) append_number<std::uint32_t>(out, utf8::next(clean, at));
    return out;
}

/// A zip archive of stored members with fixed timestamps, so that the same results give the same bytes.
class ZipWriter {
  public:
    void add(const std::string& name, const std::string& data) {
        require(count_ < std::numeric_limits<std::uint16_t>::max(), "npz: more than 65535 arrays; write safetensors instead");
        require(data.size() < limit && body_.size() + directory_.size() + data.size() + 4096 < limit,
                "npz: the archive would exceed 4 GiB at '", name, "'; write safetensors instead");
        require(count_ < std::numeric_limits<std::uint16_t>::max(), "npz: the archive would hold more than 65535 arrays at '", name, "'; write safetensors instead");
        const auto crc = static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(data.data()), data.size()));
        std::string common;
        append_number<std::uint16_t>(common, 20);      // version needed
        append_number<std::uint16_t>(common, 0);       // flags
        append_number<std::uint16_t>(common, 0);       // stored
        append_number<std::uint16_t>(common, 0);       // time 00:00:00
        append_number<std::uint16_t>(common, 0x0021);  // date 1980-01-01
        append_number<std::uint32_t>(common, crc);
        append_number<std::uint32_t>(common, static_cast<std::uint32_t>(data.size()));
        append_number<std::uint32_t>(common, static_cast<std::uint32_t>(data.size()));
        append_number<std::uint16_t>(common, static_cast<std::uint16_t>(name.size()));
        append_number<std::uint16_t>(common, 0);  // extra field
        directory_ += "PK\x01\x02";
        append_number<std::uint16_t>(directory_, 20);  // made by
        directory_ += common;
        append_number<std::uint16_t>(directory_, 0);  // comment
        append_number<std::uint16_t>(directory_, 0);  // disk
        append_number<std::uint16_t>(directory_, 0);  // internal attributes
        append_number<std::uint32_t>(directory_, 0);  // external attributes
        append_number<std::uint32_t>(directory_, static_cast<std::uint32_t>(body_.size()));
        directory_ += name;
        body_.append("PK\x03\x04").append(common).append(name).append(data);
        ++count_;
    }
    [[nodiscard]] std::string finish() const {
        std::string end = "PK\x05\x06";
        append_number<std::uint32_t>(end, 0);  // disks
        append_number<std::uint16_t>(end, count_);
        append_number<std::uint16_t>(end, count_);
        append_number<std::uint32_t>(end, static_cast<std::uint32_t>(directory_.size()));
        append_number<std::uint32_t>(end, static_cast<std::uint32_t>(body_.size()));
        append_number<std::uint16_t>(end, 0);
        return body_ + directory_ + end;
    }

  private:
    static constexpr std::size_t limit = std::numeric_limits<std::uint32_t>::max();
    std::string body_, directory_;
    std::uint16_t count_ = 0;
};

}  // namespace detail

/// A data file as .npz for `numpy.load`; the metadata is one more member, a 0-d string array of JSON: `json.loads(f["metadata"].item())`.
/// Same input, same bytes. Error as check_array_names and DataArray::bytes, and beyond 4 GiB, the limit of a plain zip archive.
[[nodiscard]] inline std::string to_npz(const DataFile& file) {
    check_array_names(file, "metadata");
    detail::ZipWriter zip;
    for (const DataArray& array : file.arrays)
        zip.add(array.name + ".npy", detail::npy(array.is_float() ? "<f4" : "<i4", array.shape, array.bytes()));
    std::uint64_t length = 0;
    const std::string text = nlohmann::json(file.metadata).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
    const std::string data = detail::utf32(text, length);
    zip.add("metadata.npy", detail::npy("<U" + std::to_string(length), {}, data));
    return zip.finish();
}

}  // namespace lrp
