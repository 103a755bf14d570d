// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: LlamaModel: the weights belong to another backend or are stored in another type than the model's
#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

using namespace lrp;
using B = ReferenceBackend<float, bf16>;
#if defined(LRP_BAD)
using Source = ReferenceBackend<float>;
#else
using Source = B;
#endif
LlamaModel<B, AttnLRP> build(const LlamaConfig& config) { return {config, std::make_shared<LlamaWeights<Source>>()}; }
