// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <lrp/op/tanh.hpp>

#include "conformance/pointwise_case.hpp"

TEMPLATE_TEST_CASE("Tanh", "[op]", float, double) { lrp::test::check_pointwise<lrp::Tanh, TestType>("Tanh", lrp::oracle::tanh); }
