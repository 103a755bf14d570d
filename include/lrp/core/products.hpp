// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <string_view>

#include <lrp/core/error.hpp>

namespace lrp {

/// How exactly matrix products with weights are formed. `exact`: every product as exact as in float32 (relative error about 1e-7), whatever the
/// weights are stored in. `fast`: activations may be rounded to bf16 on their way into a product (relative error about 2e-3, as other
/// libraries' bf16), sums stay float32; where the machine has nothing faster for it, the same as `exact`.
enum class Products { exact, fast };

[[nodiscard]] inline std::string_view products_name(Products products) { return products == Products::exact ? "exact" : "fast"; }

/// "exact" or "fast"; UsageError for anything else.
[[nodiscard]] inline Products parse_products(std::string_view text) {
    if (text == "exact") return Products::exact;
    if (text == "fast") return Products::fast;
    fail<UsageError>("products: expected exact or fast, found '", text, "'");
}

}  // namespace lrp
