// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/rule/stabilizer.hpp>

#include <cmath>
#include <limits>

#include "support/catch.hpp"

using namespace lrp;

TEMPLATE_TEST_CASE("the stabiliser looks at the sign, and the sign of 0 is +1", "", float, double) {
    const Stabilizer<TestType> stab{TestType(0.5)};
    CHECK(stab(0) == TestType(0.5));
    CHECK(stab(TestType(-0.0)) == TestType(0.5));
    CHECK(stab(2) == TestType(2.5));
    CHECK(stab(-2) == TestType(-2.5));
    CHECK(stab(-std::numeric_limits<TestType>::denorm_min()) == TestType(-0.5));
}

TEMPLATE_TEST_CASE("the damping factor lies in [0, 1), is 0 at 0, and grows with the output", "", float, double) {
    const Stabilizer<TestType> stab{TestType(0.5)};
    CHECK(stab.damping(0) == 0);
    CHECK(stab.damping(TestType(-0.0)) == 0);
    CHECK(stab.damping(-2) == Approx(0.8));
    CHECK(stab.damping(2) == Approx(0.8));
    TestType before = 0;
    for (TestType z = TestType(0.01); z < 100; z *= 2) {
        CHECK((stab.damping(z) > before && stab.damping(z) < 1 && stab.damping(z) == stab.damping(-z)));
        before = stab.damping(z);
    }
    CHECK(Stabilizer<TestType>{0}.damping(0) == 0);  // no 0/0 without epsilon
    CHECK(Stabilizer<TestType>{0}.damping(3) == 1);
}
