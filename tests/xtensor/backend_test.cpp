// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/xtensor/backend.hpp>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("a length that the BLAS cannot count is refused before anything is read") {
    if constexpr (sizeof(xt::blas_index_t) < sizeof(Index)) {
        XtensorBackend<float>::context ctx;
        float one = 1, out = 7;
        constexpr Index many = Index{1} << 32;
        CHECK_THROWS_WITH(XtensorBackend<float>::matmul(ctx, {}, View<const float>(&one, 1, many), View<const float>(&one, many, 1), View<float>(&out, 1, 1)),
                          Catch::Matchers::Contains("matmul: 4294967296 is more than this BLAS can count"));
        CHECK(out == 7);
    } else {
        WARN("this BLAS counts as far as the library does");
    }
}
