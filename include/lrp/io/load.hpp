// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>

#include <lrp/io/checkpoint.hpp>

namespace lrp {

/// One tensor of a checkpoint, row-major, converted to T (float, double or bf16). Error naming the file and the tensor if it is missing, has
/// another shape or a type that cannot be converted, or holds a value that is not finite (with its index); an F64 value too large for
/// float counts as not finite.
template <Storage T>
void load_tensor(const Checkpoint& checkpoint, std::string_view name, std::span<const std::uint64_t> shape, std::span<T> out) {
    const TensorEntry& entry = checkpoint.at(name);
    TensorEntry wanted;
    wanted.shape.assign(shape.begin(), shape.end());
    require(entry.shape == wanted.shape, entry.file, ": tensor '", entry.name, "': expected shape ", wanted.shape_text(), ", found ",
            entry.shape_text());
    require(entry.dtype == Dtype::f32 || entry.dtype == Dtype::f16 || entry.dtype == Dtype::bf16 || entry.dtype == Dtype::f64, entry.file,
            ": tensor '", entry.name, "': expected weights of type F32, F16, BF16 or F64, found ", entry.dtype_text);
    copy_values<T>(entry, out);
    for (std::size_t i = 0; i < out.size(); ++i) {
        const auto value = widen<std::conditional_t<std::same_as<T, double>, double, float>>(out[i]);
        require(std::isfinite(value), entry.file, ": tensor '", entry.name, "': value ", i, " is not finite (", value, ")");
    }
}

}  // namespace lrp
