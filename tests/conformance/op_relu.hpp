// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/relu.hpp>

#include "conformance/pointwise_case.hpp"

TEMPLATE_TEST_CASE("ReLU", "[op]", float, double) { lrp::test::check_pointwise<lrp::ReLU, TestType>("ReLU", lrp::oracle::relu); }
