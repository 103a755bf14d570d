// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The row and tile kernels and a selection of the maps, in float and double, for the compiler's report on registers (spills.cmake). Never run. Not among
// them: maps of the epsilon and gamma rules, forward maps of GELU, ReLU and Tanh, and what only bf16 weights need.
#include <lrp/analysis/relevance_sum.hpp>
#include <lrp/op/gelu.hpp>
#include <lrp/op/layer_norm.hpp>
#include <lrp/op/relu.hpp>
#include <lrp/op/rope.hpp>
#include <lrp/op/tanh.hpp>
#include <lrp/op/tiled_attention.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/rule/preset/cp_lrp.hpp>
#include <lrp/rule/preset/gradient.hpp>
#include <lrp/model/block/gated_mlp.hpp>
#include <lrp/thrust/cuda.hpp>

using namespace lrp;

template <class T>
void all_of(typename CudaBackend<T>::context& ctx) {
    using B = CudaBackend<T>;
    ActivationTensor<B> a(ctx, 16, 16), b(ctx, 16, 16), y(ctx, 16, 16);
    CoefficientTensor<B> c(ctx, 16, 16), d(ctx, 16, 16), e(ctx, 16, 16);
    Tensor<B> line(ctx, 1, 16), table(ctx, 16, 16);
    const auto A = a.view().as_const(), Y = y.view().as_const();
    const auto C = c.view().as_const();
    T* numbers = line.view().data;
    RMSNorm::forward(ctx, {numbers, 1e-5}, A, y.view(), numbers);
    RMSNorm::vjp(ctx, {numbers, 1e-5}, {A, numbers, Y}, C, d.view(), {.accumulate = true});
    LayerNorm::forward(ctx, {numbers, numbers, 1e-5}, A, y.view(), numbers, numbers);
    LayerNorm::vjp(ctx, {numbers, numbers, 1e-5}, {A, numbers, numbers, Y}, C, d.view());
    Softmax::forward(ctx, {16}, A, y.view());
    Softmax::vjp(ctx, {16}, {A, Y}, C, d.view());
    UniformRule<Softmax>{}.propagate(ctx, {16}, {A, Y}, C, d.view());
    Rope::forward(ctx, {table.view(), table.view()}, A, y.view());
    Rope::vjp(ctx, {table.view(), table.view()}, {Y}, C, d.view());
    GatedProduct<SiLU>::forward(ctx, A, A, y.view());
    GatedProduct<SiLU>::template backward<SiLU::Ratio>(ctx, 0.5, 0.5, A, A, C, d.view(), e.view());
    GatedProduct<SiLU>::template backward<SiLU::Derivative>(ctx, 1, 1, A, A, C, d.view(), e.view());
    SiLU::forward(ctx, {}, A, y.view());
    GELU::vjp(ctx, {}, {A, Y}, C, d.view());
    TanhGELU::vjp(ctx, {}, {A, Y}, C, d.view());
    ReLU::vjp(ctx, {}, {A, Y}, C, d.view());
    Tanh::vjp(ctx, {}, {A, Y}, C, d.view());
    Multiply::forward(ctx, {}, A, A, y.view());
    Add::forward(ctx, {}, A, A, y.view());
    const typename TiledAttention::template Params<T> p{2, 1, 8, 1};
    TiledAttention::forward(ctx, p, A, A, A, y.view(), numbers);
    TiledAttention::vjp(ctx, p, {A, A, A, Y, numbers}, {}, C, d.view(), e.view(), e.view());
    relevance_sum(ctx, A, C, 2, numbers);
    const std::int32_t ids[]{1, 2};
    B::gather_rows(ctx, View<const T>(A), ids, y.view());
    B::scatter_add_rows(ctx, View<const T>(A), ids, y.view());
}

template void all_of<float>(CudaBackend<float>::context&);
template void all_of<double>(CudaBackend<double>::context&);

#if defined(LRP_HUNGRY_KERNEL)
// More live numbers than 24 registers hold: shows that the check reads the report.
__global__ void hungry(const float* x, float* y) {
    float values[64];
#pragma unroll
    for (int i = 0; i < 64; ++i) values[i] = x[i * 32 + threadIdx.x];
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 64; ++i) y[i * 32 + threadIdx.x] = values[i] * values[63 - i] + values[(i * 7) % 64];
}
#endif
