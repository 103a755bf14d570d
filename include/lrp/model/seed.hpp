// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>

#include <lrp/core/scalar.hpp>

namespace lrp {

/// One term of what is explained: `weight` times the logit of `token` at `position`. The explained value is the sum of the terms;
/// {p, a, 1}, {p, b, -1} is the contrast of a against b.
struct Seed {
    Index position = 0;
    std::int32_t token = 0;
    double weight = 1;
};

}  // namespace lrp
