// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: for a product UniformRule
#include <lrp/op/embedding.hpp>
#include <lrp/rule/composite.hpp>

using namespace lrp;

#if defined(LRP_BAD)
using Chosen = IdentityRule<MatMul>;
#else
using Chosen = UniformRule<MatMul>;
#endif
