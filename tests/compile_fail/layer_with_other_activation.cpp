// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: the composite's activation must be a rule of SiLU
#include <lrp/model/llama/model.hpp>
#include <lrp/op/gelu.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

using namespace lrp;
struct Mine : AttnLRP {
#if defined(LRP_BAD)
    using activation = IdentityRule<GELU>;
#endif
};
static_assert(sizeof(LlamaLayer<ReferenceBackend<float>, Mine>) > 0);
