// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: GammaRule admits Linear only
#include <lrp/rule/composite.hpp>

using namespace lrp;

#if defined(LRP_BAD)
using Chosen = GammaRule<MatMul>;
#else
using Chosen = GammaRule<Linear>;
#endif
