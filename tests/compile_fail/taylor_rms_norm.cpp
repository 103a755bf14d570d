// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: TaylorRule admits Softmax only
#include <lrp/op/embedding.hpp>
#include <lrp/rule/composite.hpp>

using namespace lrp;

#if defined(LRP_BAD)
using Chosen = TaylorRule<RMSNorm>;
#else
using Chosen = IdentityRule<RMSNorm>;
#endif
