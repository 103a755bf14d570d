// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
// expect: LlamaModel: the context belongs to another backend than the model
#include <vector>

#include <lrp/model/llama/model.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

using namespace lrp;
using B = ReferenceBackend<float>;
#if defined(LRP_BAD)
using Source = ReferenceBackend<float, bf16>;
#else
using Source = B;
#endif
void run(Source::context& ctx, const LlamaModel<B, AttnLRP>& model, const std::vector<std::int32_t>& ids) {
    static_cast<void>(model.forward(ctx, ids, ids, Recompute{}));
}
