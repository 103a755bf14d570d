// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

#include <lrp/core/thread_pool.hpp>
#include <lrp/io/checkpoint.hpp>

namespace lrp {

/// One tensor of weights of a checkpoint. Error naming the file and the tensor if it is missing, has another shape or is not of floating-point type.
[[nodiscard]] inline const TensorEntry& weights_entry(const Checkpoint& checkpoint, std::string_view name, std::span<const std::uint64_t> shape) {
    const TensorEntry& entry = checkpoint.at(name);
    TensorEntry wanted;
    wanted.shape.assign(shape.begin(), shape.end());
    require(entry.shape == wanted.shape, entry.file, ": tensor '", entry.name, "': expected shape ", wanted.shape_text(), ", found ",
            entry.shape_text());
    require(entry.dtype == Dtype::f32 || entry.dtype == Dtype::f16 || entry.dtype == Dtype::bf16 || entry.dtype == Dtype::f64, entry.file,
            ": tensor '", entry.name, "': expected weights of type F32, F16, BF16 or F64, found ", entry.dtype_text);
    return entry;
}

namespace detail {
/// Whether all values are finite. Taken by words of 64 bits, without a branch: in every lane, magnitude and what infinity lacks of the sign bit are added, which
/// reaches that bit from infinity on.
template <Storage T>
[[nodiscard]] bool all_finite(std::span<const T> values) {
    static_assert(sizeof(T) <= 8);
    constexpr std::uint64_t infinity = std::same_as<T, bf16> ? 0x7f80 : std::same_as<T, float> ? 0x7f800000 : 0x7ff0000000000000;
    constexpr unsigned bits = 8 * sizeof(T);
    constexpr std::uint64_t ones = bits == 64 ? 1 : ~std::uint64_t{0} / ((std::uint64_t{1} << bits % 64) - 1);  // 1 in every lane
    constexpr std::uint64_t sign = ones << (bits - 1), lacks = sign - ones * infinity;
    static_assert(std::same_as<T, bf16> || std::same_as<T, float> || std::same_as<T, double>);
    constexpr std::size_t lanes = 8 / sizeof(T);
    std::uint64_t reached = 0;
    const auto take = [&](const T* from, std::size_t count) {
        std::uint64_t word = 0;
        std::memcpy(&word, from, count * sizeof(T));
        reached |= (word & ~sign) + lacks;
    };
    std::size_t i = 0;
    for (; i + lanes <= values.size(); i += lanes) take(values.data() + i, lanes);
    if (i < values.size()) take(values.data() + i, values.size() - i);
    return (reached & sign) == 0;
}

/// Error naming the file, the tensor and the index if a value is not finite.
template <Storage T>
void require_finite_weights(const TensorEntry& entry, std::span<const T> values, std::size_t first = 0) {
    if (all_finite(values)) return;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const auto value = widen<std::conditional_t<std::same_as<T, double>, double, float>>(values[i]);
        require(std::isfinite(value), entry.file, ": tensor '", entry.name, "': value ", first + i, " is not finite (", value, ")");
    }
}
}  // namespace detail

/// Whether a tensor's values can be read as T where they lie.
template <Storage T>
[[nodiscard]] bool lies_as(const TensorEntry& entry) {
    const bool same = (std::same_as<T, float> && entry.dtype == Dtype::f32) || (std::same_as<T, double> && entry.dtype == Dtype::f64) ||
                      (std::same_as<T, bf16> && entry.dtype == Dtype::bf16);
    return same && reinterpret_cast<std::uintptr_t>(entry.bytes.data()) % alignof(T) == 0;
}

/// A tensor's values where they lie in the mapped file, or nothing if they are of another type than T or at an address that T cannot be read from.
/// Values are checked by `pool`'s threads. Errors as load_tensor.
template <Storage T>
[[nodiscard]] std::optional<std::span<const T>> mapped_tensor(const TensorEntry& entry, ThreadPool& pool) {
    if (!lies_as<T>(entry)) return std::nullopt;
    const std::span<const T> values(reinterpret_cast<const T*>(entry.bytes.data()), static_cast<std::size_t>(entry.count()));
    constexpr std::size_t piece = std::size_t{1} << 20;
    pool.parallel_for(static_cast<Index>((values.size() + piece - 1) / piece), [&](Index index) {
        const std::size_t first = static_cast<std::size_t>(index) * piece;
        detail::require_finite_weights(entry, values.subspan(first, std::min(piece, values.size() - first)), first);
    });
    return values;
}

/// One tensor of a checkpoint, row-major, converted to T (float, double or bf16). Error naming the file and the tensor if it is missing, has
/// another shape or a type that cannot be converted, or holds a value that is not finite (with its index); an F64 value too large for
/// float counts as not finite.
template <Storage T>
void load_tensor(const Checkpoint& checkpoint, std::string_view name, std::span<const std::uint64_t> shape, std::span<T> out) {
    const TensorEntry& entry = weights_entry(checkpoint, name, shape);
    copy_values<T>(entry, out);
    detail::require_finite_weights(entry, std::span<const T>(out));
}

}  // namespace lrp
