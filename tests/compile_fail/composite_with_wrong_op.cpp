// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: composite: role scores needs a rule of MatMul
#include <lrp/rule/preset/attn_lrp.hpp>

using namespace lrp;
struct Mine : AttnLRP {
#if defined(LRP_BAD)
    using scores = UniformRule<Multiply>;
#endif
};
static_assert(check_composite<Mine>());
