// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/silu.hpp>

#include "conformance/pointwise_case.hpp"

TEMPLATE_TEST_CASE("SiLU", "[op]", float, double) { lrp::test::check_pointwise<lrp::SiLU, TestType>("SiLU", lrp::oracle::silu); }
