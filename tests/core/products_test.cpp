// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/products.hpp>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("products are chosen by name") {
    CHECK(parse_products("exact") == Products::exact);
    CHECK(parse_products("fast") == Products::fast);
    for (const Products products : {Products::exact, Products::fast}) CHECK(parse_products(products_name(products)) == products);
    CHECK_THROWS_AS(parse_products("Fast"), UsageError);
    CHECK_THROWS_WITH(parse_products(""), "products: expected exact or fast, found ''");
}
