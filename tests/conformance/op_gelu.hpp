// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/gelu.hpp>

#include "conformance/pointwise_case.hpp"

TEMPLATE_TEST_CASE("GELU", "[op]", float, double) { lrp::test::check_pointwise<lrp::GELU, TestType>("GELU", lrp::oracle::gelu); }

TEMPLATE_TEST_CASE("TanhGELU", "[op]", float, double) {
    lrp::test::check_pointwise<lrp::TanhGELU, TestType>("TanhGELU", lrp::oracle::tanh_gelu);
}
