// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: UniformRule admits products of two inputs
#include <lrp/rule/composite.hpp>

using namespace lrp;

#if defined(LRP_BAD)
using Chosen = UniformRule<RMSNorm>;
#else
using Chosen = UniformRule<Softmax>;
#endif
