// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// safetensors files, read strictly: 8 bytes of header length, a JSON header, one buffer without holes.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <lrp/core/scalar.hpp>
#include <lrp/io/json.hpp>
#include <lrp/io/mapped_file.hpp>

namespace lrp {

static_assert(std::endian::native == std::endian::little, "safetensors payloads are little-endian");

/// Element types that can be converted; `other` is kept as opaque bytes and refused only when used.
enum class Dtype { f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean, other };

namespace detail {

struct DtypeEntry {
    std::string_view name;
    unsigned bits;
    Dtype dtype;
};
inline constexpr std::array<DtypeEntry, 22> dtypes{
    {{"F64", 64, Dtype::f64},          {"F32", 32, Dtype::f32},          {"F16", 16, Dtype::f16},      {"BF16", 16, Dtype::bf16},
     {"I64", 64, Dtype::i64},          {"I32", 32, Dtype::i32},          {"I16", 16, Dtype::i16},      {"I8", 8, Dtype::i8},
     {"U64", 64, Dtype::u64},          {"U32", 32, Dtype::u32},          {"U16", 16, Dtype::u16},      {"U8", 8, Dtype::u8},
     {"BOOL", 8, Dtype::boolean},      {"F8_E5M2", 8, Dtype::other},     {"F8_E4M3", 8, Dtype::other}, {"F8_E8M0", 8, Dtype::other},
     {"F8_E4M3FNUZ", 8, Dtype::other}, {"F8_E5M2FNUZ", 8, Dtype::other}, {"C64", 64, Dtype::other},    {"F4", 4, Dtype::other},
     {"F6_E2M3", 6, Dtype::other},     {"F6_E3M2", 6, Dtype::other}}};

}  // namespace detail

/// "F32", "BF16", ...
[[nodiscard]] inline std::string_view dtype_name(Dtype dtype) {
    for (const auto& entry : detail::dtypes)
        if (entry.dtype == dtype && dtype != Dtype::other) return entry.name;
    return "other";
}

/// One tensor of a file; `bytes` lies in the mapping, at any alignment.
struct TensorEntry {
    std::string name;
    Dtype dtype = Dtype::other;
    std::string dtype_text;
    std::vector<std::uint64_t> shape;
    std::span<const std::byte> bytes;
    std::string file;  ///< for messages
    std::shared_ptr<const void> mapping;  ///< keeps `bytes` valid, whatever becomes of the file's object

    /// "[2, 3]"
    [[nodiscard]] std::string shape_text() const {
        std::string text = "[";
        for (const auto extent : shape) text += (text.size() > 1 ? ", " : "") + std::to_string(extent);
        return text + "]";
    }
    /// Number of elements (checked against overflow when the file was read).
    [[nodiscard]] std::uint64_t count() const {
        std::uint64_t product = 1;
        for (const auto extent : shape) product *= extent;
        return product;
    }
};

/// A safetensors file. Every rule of the format is checked when it is opened: sizes, JSON, types, offsets without hole or overlap, no
/// trailing bytes. Errors name file and tensor. Values are not inspected.
class SafeTensors {
  public:
    /// Maps the file for as long as the result lives.
    [[nodiscard]] static SafeTensors open(const std::filesystem::path& path) {
        MappedFile file(path);
        SafeTensors result = parse(file.bytes(), path.string());
        result.file_ = std::make_shared<const MappedFile>(std::move(file));
        for (TensorEntry& entry : result.tensors_) entry.mapping = result.file_;
        return result;
    }

    /// From bytes that outlive the result.
    [[nodiscard]] static SafeTensors parse(std::span<const std::byte> bytes, const std::string& name) {
        constexpr std::uint64_t header_limit = 100'000'000;
        require(bytes.size() >= 8, name, ": expected a safetensors file of at least 8 bytes, found ", bytes.size());
        const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
        detail::refuse_lfs_pointer(text, name);
        std::uint64_t header = 0;
        std::memcpy(&header, bytes.data(), 8);
        require(header <= header_limit, name, ": header length: expected at most ", header_limit, ", found ", header);
        require(header <= bytes.size() - 8, name, ": header length: expected at most the ", bytes.size() - 8, " bytes that follow, found ",
                header);
        SafeTensors result;
        result.name_ = name;
        result.read_header(text.substr(8, header), bytes.subspan(8 + header));
        return result;
    }

    /// Sorted by name.
    [[nodiscard]] const std::vector<TensorEntry>& tensors() const { return tensors_; }
    /// Null if it is not there.
    [[nodiscard]] const TensorEntry* find(std::string_view name) const {
        const auto at =
            std::lower_bound(tensors_.begin(), tensors_.end(), name, [](const TensorEntry& t, std::string_view n) { return t.name < n; });
        return at != tensors_.end() && at->name == name ? &*at : nullptr;
    }
    /// Error naming file and tensor if it is not there.
    [[nodiscard]] const TensorEntry& at(std::string_view name) const {
        const TensorEntry* entry = find(name);
        require(entry != nullptr, name_, ": tensor '", name, "' is missing");
        return *entry;
    }
    /// What the file says of itself; empty if nothing.
    [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }

  private:
    void read_header(std::string_view header, std::span<const std::byte> payload) {
        const nlohmann::json json = parse_json(header, name_ + ": header", 8);
        require(json.is_object(), name_, ": header: expected a JSON object, found ", json.type_name());
        constexpr std::size_t tensor_limit = 1'000'000;
        require(json.size() <= tensor_limit, name_, ": header: expected at most ", tensor_limit, " tensors, found ", json.size());
        for (const auto& [key, value] : json.items()) {
            if (key == "__metadata__") {
                read_metadata(value);
                continue;
            }
            require(key.size() <= 4096 && key.find('\0') == std::string::npos, name_,
                    ": a tensor's name is longer than 4096 bytes or holds a NUL");
            read_entry(key, value, payload);
        }
        check_cover(payload.size());
        std::sort(tensors_.begin(), tensors_.end(), [](const TensorEntry& a, const TensorEntry& b) { return a.name < b.name; });
    }

    void read_metadata(const nlohmann::json& value) {
        require(value.is_object(), name_, ": __metadata__: expected an object of strings, found ", value.type_name());
        for (const auto& [key, text] : value.items()) {
            require(text.is_string(), name_, ": __metadata__: ", detail::shortened(key), ": expected a string, found ", text.type_name());
            metadata_[key] = text.get<std::string>();
        }
    }

    void read_entry(const std::string& key, const nlohmann::json& value, std::span<const std::byte> payload) {
        const std::string where = name_ + ": tensor '" + key + "'";
        const JsonFields fields(value, where);
        TensorEntry entry;
        entry.name = key;
        entry.file = name_;
        entry.dtype_text = fields.must(fields.text("dtype"), "dtype");
        const auto kind =
            std::find_if(detail::dtypes.begin(), detail::dtypes.end(), [&](const auto& d) { return d.name == entry.dtype_text; });
        require(kind != detail::dtypes.end(), where, ": dtype: expected a safetensors type such as F32 or BF16, found '",
                detail::shortened(entry.dtype_text), "'");
        entry.dtype = kind->dtype;
        entry.shape = whole_list(fields, "shape", 0, 16);
        const auto offsets = whole_list(fields, "data_offsets", 2, 2);
        require(offsets[0] <= offsets[1], where, ": data_offsets: expected begin <= end, found [", offsets[0], ", ", offsets[1], "]");
        require(offsets[1] <= payload.size(), where, ": data_offsets: end ", offsets[1], " is beyond the ", payload.size(),
                " bytes of data (file truncated?)");
        std::uint64_t bits = kind->bits;
        for (const auto extent : entry.shape)
            require(!__builtin_mul_overflow(bits, extent, &bits), where, ": shape ", entry.shape_text(),
                    " is larger than can be addressed");
        require(bits % 8 == 0 && bits / 8 == offsets[1] - offsets[0], where, ": expected ", bits / 8, " bytes for shape ",
                entry.shape_text(), " of ", entry.dtype_text, ", found ", offsets[1] - offsets[0]);
        entry.bytes = payload.subspan(offsets[0], offsets[1] - offsets[0]);
        ranges_.emplace_back(offsets[0], offsets[1]);
        tensors_.push_back(std::move(entry));
    }

    /// A field that lists `least` to `most` whole numbers.
    static std::vector<std::uint64_t> whole_list(const JsonFields& fields, const std::string& key, std::size_t least, std::size_t most) {
        const auto* list = fields.find(key);
        require(list != nullptr, fields.source(), ": ", key, " is missing");
        require(list->is_array() && list->size() >= least && list->size() <= most, fields.source(), ": ", key, ": expected a list of ",
                least, " to ", most, " whole numbers, found ", JsonFields::found(*list));
        std::vector<std::uint64_t> result;
        for (const auto& item : *list) {
            require(item.is_number_unsigned(), fields.source(), ": ", key, ": expected whole numbers, found ", JsonFields::found(item));
            result.push_back(item.get<std::uint64_t>());
        }
        return result;
    }

    /// The payloads must lie one after the other from 0 to the end of the file.
    void check_cover(std::uint64_t size) {
        std::vector<std::size_t> order(ranges_.size());
        for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return ranges_[a] < ranges_[b]; });
        std::uint64_t at = 0;
        for (const std::size_t i : order) {
            require(ranges_[i].first == at, name_, ": tensor '", tensors_[i].name, "': expected its data to begin at ", at, ", found ",
                    ranges_[i].first, ranges_[i].first < at ? " (overlaps another tensor)" : " (leaves a hole)");
            at = ranges_[i].second;
        }
        require(at == size, name_, ": expected the data to end at byte ", at, " of the buffer, found ", size - at, " trailing bytes");
        ranges_.clear();
    }

    std::string name_;
    std::shared_ptr<const MappedFile> file_;
    std::vector<TensorEntry> tensors_;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges_;  // while reading
    std::map<std::string, std::string> metadata_;
};

namespace detail {

/// Converts until a whole number does not fit T, and returns how many did.
template <class Stored, class T>
std::size_t convert(const std::byte* from, std::span<T> out) {
    for (std::size_t i = 0; i < out.size(); ++i) {
        Stored value;
        std::memcpy(&value, from + i * sizeof(Stored), sizeof(Stored));  // payloads may lie at odd addresses
        if constexpr (std::is_integral_v<Stored> && std::is_integral_v<T>) {
            if (!std::in_range<T>(value)) return i;
        }
        if constexpr (std::is_arithmetic_v<Stored> && std::is_arithmetic_v<T>) {
            out[i] = static_cast<T>(value);
        } else {
            out[i] = static_cast<T>(static_cast<float>(value));
        }
    }
    return out.size();
}

}  // namespace detail

/// Converts a tensor's values to T: floating-point targets round to nearest, booleans are 0 and 1. Error naming file and tensor if the
/// count differs, the type cannot be converted, integers are asked of a floating-point tensor, or a whole number does not fit T.
template <class T>
void copy_values(const TensorEntry& entry, std::span<T> out) {
    const auto where = [&] { return entry.file + ": tensor '" + entry.name + "'"; };
    require(entry.count() == out.size(), where(), ": expected ", out.size(), " values, found shape ", entry.shape_text());
    const bool floating = entry.dtype == Dtype::f64 || entry.dtype == Dtype::f32 || entry.dtype == Dtype::f16 || entry.dtype == Dtype::bf16;
    require(!floating || std::is_floating_point_v<T> || std::same_as<T, bf16>, where(), ": expected whole numbers, found ", entry.dtype_text);
    const std::byte* from = entry.bytes.data();
    const auto read = [&]<class Stored>(Stored) {
        const std::size_t done = detail::convert<Stored>(from, out);
        require(done == out.size(), where(), ": value ", done, " does not fit a ", 8 * sizeof(T), "-bit whole number");
    };
    switch (entry.dtype) {
        case Dtype::f64:
            return read(double{});
        case Dtype::f32:
            return read(float{});
        case Dtype::f16:
            return read(f16{});
        case Dtype::bf16:
            return read(bf16{});
        case Dtype::i64:
            return read(std::int64_t{});
        case Dtype::i32:
            return read(std::int32_t{});
        case Dtype::i16:
            return read(std::int16_t{});
        case Dtype::i8:
            return read(std::int8_t{});
        case Dtype::u64:
            return read(std::uint64_t{});
        case Dtype::u32:
            return read(std::uint32_t{});
        case Dtype::u16:
            return read(std::uint16_t{});
        case Dtype::u8:
        case Dtype::boolean:
            return read(std::uint8_t{});
        case Dtype::other:
            break;
    }
    fail(where(), ": values of type ", entry.dtype_text, " cannot be read");
}

/// All values of a tensor, row-major; errors as copy_values.
template <class T>
[[nodiscard]] std::vector<T> values(const TensorEntry& entry) {
    std::vector<T> result(entry.bytes.empty() ? 0 : entry.count());
    copy_values<T>(entry, result);
    return result;
}

}  // namespace lrp
