// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: EpsilonRule admits ops that are linear in their input
#include <lrp/op/embedding.hpp>
#include <lrp/rule/composite.hpp>

using namespace lrp;

#if defined(LRP_BAD)
using Chosen = EpsilonRule<Embedding>;
#else
using Chosen = StopRule<Embedding>;
#endif
