// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include "oracle/rows.hpp"

namespace lrp::oracle {

/// Nothing passes.
inline Rows stop(const Rows& x) { return zeros_like(x); }

}  // namespace lrp::oracle
