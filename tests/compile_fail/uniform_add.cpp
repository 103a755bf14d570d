// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: UniformRule admits products of two inputs (MatMul, Multiply) and Softmax
#include <lrp/op/embedding.hpp>
#include <lrp/rule/composite.hpp>

using namespace lrp;

#if defined(LRP_BAD)
using Chosen = UniformRule<Add>;
#else
using Chosen = EpsilonRule<Add>;
#endif
