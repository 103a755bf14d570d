// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/op/op.hpp>

#include <limits>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("Write: scaled keeps the way of writing, beta says whether the old value stays") {
    const Write plain, adding{.scale = 0.5, .accumulate = true};
    CHECK((plain.scale == 1 && !plain.accumulate && plain.beta() == 0));
    CHECK((adding.scaled(0.5).scale == 0.25 && adding.scaled(0.5).accumulate && adding.beta() == 1));
}

TEST_CASE("Store writes one element so") {
    float out = std::numeric_limits<float>::quiet_NaN();
    Store<float>({.scale = 2})(out, 3);
    CHECK(out == 6);
    Store<float>({.scale = -0.5, .accumulate = true})(out, 4);
    CHECK(out == 4);
    Store<float>({})(out, 7);
    CHECK(out == 7);
}
