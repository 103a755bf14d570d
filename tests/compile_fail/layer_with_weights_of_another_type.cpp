// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: LlamaLayer: the weights belong to another backend or are stored in another type than the layer's
#include <lrp/model/llama/layer.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

using namespace lrp;
using B = ReferenceBackend<float>;
#if defined(LRP_BAD)
using Source = ReferenceBackend<float, bf16>;
#else
using Source = B;
#endif
LlamaLayer<B, AttnLRP> build(const LlamaConfig& config, const LlamaLayerWeights<Source>& weights, const Rope::Params<float>& rope) {
    return {config, weights, rope};
}
