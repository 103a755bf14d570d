// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The rules written out from docs/math.md in relevance form, in double, as plain loops over lists of rows. Slow and obvious; shares
// nothing with what it checks. One header per rule, with the rule's stem.
#pragma once

#include "oracle/epsilon.hpp"
#include "oracle/forward.hpp"
#include "oracle/gamma.hpp"
#include "oracle/gradient.hpp"
#include "oracle/identity.hpp"
#include "oracle/rows.hpp"
#include "oracle/stop.hpp"
#include "oracle/taylor.hpp"
#include "oracle/uniform.hpp"
