// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: TaylorRule admits Softmax only
#include <lrp/rule/composite.hpp>

using namespace lrp;

#if defined(LRP_BAD)
using Chosen = TaylorRule<Linear>;
#else
using Chosen = TaylorRule<Softmax>;
#endif
