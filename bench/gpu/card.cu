// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A card against its own ceilings: bench_card [products|rows|attention|layer|model|all]. Prints Markdown for docs/benchmarks.md. The ceilings are measured
// first in every run, as all else is held against them. Without a device it says so and ends with 77.
#include <ctime>
#include <string_view>

#include <lrp/model/llama/model.hpp>
#include <lrp/op/gated_product.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "card.hpp"
#include "floor.hpp"

namespace lrp::bench {

using F32 = CudaBackend<float>;
using Bf16 = CudaBackend<float, bf16>;
constexpr Index prompts[] = {16, 128, 512, 2048};

void introduce() {
    int driver = 0, runtime = 0, device = 0;
    cudaDeviceProp card{};
    detail::cuda_check(cudaDriverGetVersion(&driver), "cudaDriverGetVersion");
    detail::cuda_check(cudaRuntimeGetVersion(&runtime), "cudaRuntimeGetVersion");
    detail::cuda_check(cudaGetDeviceProperties(&card, device), "cudaGetDeviceProperties");
    char today[16] = "";
    const std::time_t now = std::time(nullptr);
    std::strftime(today, sizeof today, "%Y-%m-%d", std::localtime(&now));
    std::printf("%s, %s (sm_%d%d, %.0f GB), driver %d.%d, toolkit %d.%d, cuBLASLt %zu. Times by CUDA events, medians of seven; weights and rows change places\n"
                "between launches, so that none lies in a cache. TFLOP/s of attention count the pairs under the causal mask.\n",
                today, card.name, card.major, card.minor, static_cast<double>(card.totalGlobalMem) * 1e-9, driver / 1000, driver % 1000 / 10, runtime / 1000,
                runtime % 1000 / 10, cublasLtGetVersion());
}

/// FLOP/s of a product of two matrices [n, n] of type U, sums and result in float, by cuBLASLt alone.
template <class U>
double product_ceiling(F32::context& ctx, Index n) {
    Bf16::context typed;  // for tensors of either type
    Tensor<Bf16, void, U> a(typed, n, n), b(typed, n, n);
    fill_random(typed, a.view().data, n * n, 1, 1);
    fill_random(typed, b.view().data, n * n, 1, 2);
    typed.device().wait("filling");
    Tensor<F32> c(ctx, n, n);
    detail::CudaProducts products(std::size_t{64} << 20);
    using In = View<const U>;
    const double time = seconds(ctx, [&] {
        products.run<float, U>(ctx.device().stream(), {}, BatchView<const U>{In(a.view()), 1, 0}, BatchView<const U>{In(b.view()), 1, 0},
                               BatchView<float>{c.view(), 1, 0});
    });
    return 2 * std::pow(static_cast<double>(n), 3) / time;
}

Ceilings measure_ceilings(F32::context& ctx) {
    Ceilings found;
    {
        const Index count = Index{1} << 28;  // 1 GiB
        Tensor<F32> from(ctx, 1, count), to(ctx, 1, count);
        fill_random(ctx, from.view().data, count, 1, 1);
        found.copy = 8 * static_cast<double>(count) / seconds(ctx, [&] { F32::copy(ctx, std::as_const(from).view(), to.view()); });
    }
    found.f32 = product_ceiling<float>(ctx, 8192);
    found.bf16 = product_ceiling<bf16>(ctx, 8192);
    heading("Ceilings", "| copy, TB/s read and written | float product 8192^3, TFLOP/s | bf16 product 8192^3, float sums and result, TFLOP/s |");
    std::printf("| %.2f | %.1f | %.0f |\n", found.copy * 1e-12, found.f32 * 1e-12, found.bf16 * 1e-12);
    std::fflush(stdout);
    return found;
}

/// Seconds of the backend's product of [T, in] with weights [out, in], forward, or of [T, out] with them, back.
template <class B>
double product_time(typename B::context& ctx, Index T, Index out, Index in, bool back) {
    Copies<B, void, typename B::weight> weights(ctx, out, in, 0.03f);
    Tensor<B> x(ctx, T, back ? out : in), y(ctx, T, back ? in : out);
    fill_random(ctx, x.view().data, x.rows() * x.cols(), 1, 7);
    return seconds(ctx, [&] { B::matmul(ctx, {.transpose_b = !back}, std::as_const(x).view(), std::as_const(weights.next()).view(), y.view()); });
}

void products(F32::context& f32, const Ceilings& top) {
    Bf16::context bf16_ctx;
    heading("Products of one layer", "| shape | product | T | float, us | TFLOP/s | of ceiling | bf16 weights, us | TFLOP/s | of ceiling |");
    for (const bool large : {false, true}) {
        const LlamaConfig c = large ? shape_8b() : shape_1b();
        const Index d = c.hidden_size, q = c.attention.queries(), all = q + 2 * c.attention.keys(), f = c.intermediate_size;
        const struct { const char* name; Index out, in; } maps[] = {{"q, k, v", all, d}, {"o", d, q}, {"gate, up", 2 * f, d}, {"down", d, f}};
        for (const auto& map : maps)
            for (const bool back : {false, true})
                for (const Index T : prompts) {
                    const double flops = 2 * static_cast<double>(T * map.out) * static_cast<double>(map.in);
                    const double one = product_time<F32>(f32, T, map.out, map.in, back), two = product_time<Bf16>(bf16_ctx, T, map.out, map.in, back);
                    std::printf("| %s | %s %s | %td | %.1f | %.1f | %.0f%% | %.1f | %.1f | %.0f%% |\n", large ? "8B" : "1B", map.name, back ? "back" : "forward", T,
                                one * 1e6, flops / one * 1e-12, 100 * flops / one / top.f32, two * 1e6, flops / two * 1e-12, 100 * flops / two / top.bf16);
                    std::fflush(stdout);
                }
    }
    std::printf("\nWith bf16 weights the rounding of the other operand to bf16 is in the time.\n");
}

void rows(F32::context& ctx, const Ceilings& top) {
    using B = F32;
    const Index T = 2048;
    heading("Rows and maps at 2048 tokens, float", "| shape | step | MB | us | of copy speed |");
    for (const bool large : {false, true}) {
        const LlamaConfig c = large ? shape_8b() : shape_1b();
        const Index d = c.hidden_size, q = c.attention.queries(), f = c.intermediate_size, H = c.attention.heads;
        const auto line = [&](const char* name, double scalars, const auto& step) {
            const double time = seconds(ctx, step), bytes = 4 * scalars;
            std::printf("| %s | %s | %.0f | %.1f | %.0f%% |\n", large ? "8B" : "1B", name, bytes * 1e-6, time * 1e6, 100 * bytes / time / top.copy);
            std::fflush(stdout);
        };
        const auto size = [](Index rows, Index cols) { return static_cast<double>(rows) * static_cast<double>(cols); };
        {
            Copies<B, ActivationTag> x(ctx, T, d), y(ctx, T, d);
            Copies<B, CoefficientTag> cy(ctx, T, d), cx(ctx, T, d);
            Tensor<B> w(ctx, 1, d), r(ctx, 1, T);
            fill_random(ctx, w.view().data, d, 1, 3);
            const RMSNorm::Params<float> p{w.view().data, 1e-5};
            line("RMSNorm forward", 2 * size(T, d), [&] { RMSNorm::forward(ctx, p, x.next().view().as_const(), y.next().view(), r.view().data); });
            line("RMSNorm back, added to the stream", 3 * size(T, d), [&] {
                RMSNorm::frozen_vjp(ctx, p, {{}, r.view().data, {}}, cy.next().view().as_const(), cx.next().view(), {.accumulate = true});
            });
            line("Add", 3 * size(T, d), [&] { Add::forward(ctx, {}, x.next().view().as_const(), x.next().view().as_const(), y.next().view()); });
        }
        {
            Copies<B, ActivationTag> x(ctx, T, q), y(ctx, T, q);
            Copies<B, CoefficientTag> cx(ctx, T, q);
            const RopeTables<B> rope(ctx, c, T);
            line("RoPE", 2 * size(T, q), [&] { Rope::forward(ctx, rope.params(), x.next().view().as_const(), y.next().view()); });
            line("RoPE back, in place", 2 * size(T, q), [&] {
                auto at = cx.next().view();
                Rope::vjp(ctx, rope.params(), {}, at.as_const(), at);
            });
        }
        {
            Copies<B, ActivationTag> g(ctx, T, f), u(ctx, T, f), y(ctx, T, f);
            Copies<B, CoefficientTag> cy(ctx, T, f), cg(ctx, T, f), cu(ctx, T, f);
            line("SiLU", 2 * size(T, f), [&] { SiLU::forward(ctx, {}, g.next().view().as_const(), y.next().view()); });
            line("gate product", 3 * size(T, f), [&] { GatedProduct<SiLU>::forward(ctx, g.next().view().as_const(), u.next().view().as_const(), y.next().view()); });
            line("gate product back", 5 * size(T, f), [&] {
                GatedProduct<SiLU>::backward<SiLU::Ratio>(ctx, 0.5, 0.5, g.next().view().as_const(), u.next().view().as_const(), cy.next().view().as_const(),
                                                          cg.next().view(), cu.next().view());
            });
        }
        if (!large) {  // the same for both: 32 heads
            Copies<B, ActivationTag> x(ctx, H * T, T), s(ctx, H * T, T);
            Copies<B, CoefficientTag> cs(ctx, H * T, T), cx(ctx, H * T, T);
            auto& probs = s.next();
            line("softmax, causal: half read, all written", 1.5 * size(H * T, T), [&] { Softmax::forward(ctx, {T}, x.next().view().as_const(), probs.view()); });
            line("softmax back: two halves read, all written", 2 * size(H * T, T),
                 [&] { Softmax::vjp(ctx, {T}, {x.next().view(), probs.view()}, cs.next().view().as_const(), cx.next().view()); });
        }
    }
}

/// Inputs and outputs of attention alone, in float.
struct AttentionInputs {
    AttentionInputs(F32::context& ctx, const AttentionShape& s, Index T) : shape(s), tokens(T) {
        for (auto* t : {&q, &z}) t->resize(ctx, T, s.queries());
        for (auto* t : {&k, &v}) t->resize(ctx, T, s.keys());
        for (auto* t : {&c_q, &c_z}) t->resize(ctx, T, s.queries());
        for (auto* t : {&c_k, &c_v}) t->resize(ctx, T, s.keys());
        std::uint32_t seed = 1;
        for (auto* t : {&q, &k, &v}) fill_random(ctx, t->view().data, t->rows() * t->cols(), 1, seed++);
        fill_random(ctx, c_z.view().data, c_z.rows() * c_z.cols(), 1, seed);
    }
    AttentionShape shape;
    Index tokens;
    ActivationTensor<F32> q, k, v, z;
    CoefficientTensor<F32> c_q, c_k, c_v, c_z;
};
struct AttentionTimes {
    double forward, back;
};

/// Scores and probabilities stored: four products and softmax rows.
AttentionTimes attention_materialised(F32::context& ctx, AttentionInputs& a) {
    const AttentionParams<F32::context> p{a.shape, {}, {}, {}, {}, {}, {}, 0};
    const Index rows = a.shape.heads * a.tokens;
    ActivationTensor<F32> scores(ctx, rows, a.tokens), probs(ctx, rows, a.tokens);
    CoefficientTensor<F32> c_scores(ctx, rows, a.tokens), c_probs(ctx, rows, a.tokens);
    const double forward = seconds(ctx, [&] {
        MatMul::forward(ctx, p.scores(), a.q.view().as_const(), a.k.view().as_const(), scores.view());
        Softmax::forward(ctx, p.softmax(a.tokens), scores.view().as_const(), probs.view());
        MatMul::forward(ctx, p.mix(), probs.view().as_const(), a.v.view().as_const(), a.z.view());
    });
    const RuleSet<AttnLRP> rules;
    const double back = seconds(ctx, [&] {
        rules.mix.propagate(ctx, p.mix(), {probs.view(), a.v.view(), a.z.view()}, a.c_z.view().as_const(), c_probs.view(), a.c_v.view());
        rules.softmax.propagate(ctx, p.softmax(a.tokens), {scores.view(), probs.view()}, c_probs.view().as_const(), c_scores.view());
        rules.scores.propagate(ctx, p.scores(), {a.q.view(), a.k.view(), scores.view()}, c_scores.view().as_const(), a.c_q.view(), a.c_k.view());
    });
    return {forward, back};
}

/// In tiles, nothing stored but a sum a row.
AttentionTimes attention_tiled(F32::context& ctx, AttentionInputs& a) {
    const AttentionParams<F32::context> p{a.shape, {}, {}, {}, {}, {}, {}, 0};
    Tensor<F32> rows(ctx, a.shape.heads * a.tokens, 2);
    const double forward = seconds(ctx, [&] {
        TiledAttention::forward(ctx, p.tiled(), a.q.view().as_const(), a.k.view().as_const(), a.v.view().as_const(), a.z.view(), rows.view().data);
    });
    const double back = seconds(ctx, [&] {
        TiledAttention::vjp(ctx, p.tiled(), {a.q.view(), a.k.view(), a.v.view(), a.z.view(), rows.view().data}, {0.25, 0.25, 0.5}, a.c_z.view().as_const(),
                            a.c_q.view(), a.c_k.view(), a.c_v.view());
    });
    return {forward, back};
}

/// Another way to compute attention is one more line here.
void attention(F32::context& ctx) {
    const struct { const char* name; AttentionTimes (*time)(F32::context&, AttentionInputs&); } ways[] = {
        {"materialised", attention_materialised},
        {"tiled", attention_tiled},
    };
    heading("Attention, float, 32 heads over 8", "| head | T | how | forward, us | TFLOP/s | back, us | TFLOP/s |");
    for (const LlamaConfig& c : {shape_1b(), shape_8b()})
        for (const Index T : prompts) {
            AttentionInputs inputs(ctx, c.attention, T);
            const double pairs = static_cast<double>(T) * static_cast<double>(T) * static_cast<double>(c.attention.queries());
            for (const auto& way : ways) {
                const auto [forward, back] = way.time(ctx, inputs);
                std::printf("| %td | %td | %s | %.1f | %.1f | %.1f | %.1f |\n", c.attention.head_dim, T, way.name, forward * 1e6, 2 * pairs / forward * 1e-12,
                            back * 1e6, 4 * pairs / back * 1e-12);  // that tiles form scores once more is not counted
                std::fflush(stdout);
            }
        }
}

/// Random weights, made on the card: uniform, with a deviation of 0.02 as a fresh model has; those of norms in (-1, 1).
template <class B>
LlamaWeights<B> random_weights(typename B::context& ctx, const LlamaConfig& config) {
    LlamaWeights<B> weights;
    std::uint32_t seed = 1;
    for_each_tensor(config, weights, [&]<class E>(const std::string&, Index rows, Index cols, Tensor<B, void, E>& tensor) {
        tensor.resize(ctx, std::max<Index>(rows, 1), cols);
        fill_random(ctx, tensor.view().data, tensor.rows() * cols, rows == 0 ? 1.0f : 0.035f, ++seed);
    });
    return weights;
}
template <class B>
double weight_bytes(const LlamaConfig& config) {
    LlamaWeights<B> none;
    double bytes = 0;
    for_each_tensor(config, none, [&]<class E>(const std::string&, Index rows, Index cols, Tensor<B, void, E>&) {
        bytes += static_cast<double>(std::max<Index>(rows, 1)) * static_cast<double>(cols) * sizeof(E);
    });
    return bytes;
}

template <class B>
void layer_lines(const char* name, LlamaConfig config, const Ceilings& top) {
    config.layers = 1;
    config.vocab_size = 1;
    typename B::context ctx;
    const Floor floor{config, top, {4, sizeof(typename B::weight)}};
    const LlamaWeights<B> weights = random_weights<B>(ctx, config);
    for (const Index T : prompts) {
        ActivationTensor<B> x(ctx, T, config.hidden_size), y(ctx, T, config.hidden_size);
        CoefficientTensor<B> c(ctx, T, config.hidden_size);
        fill_random(ctx, x.view().data, T * config.hidden_size, 1, 1);
        LlamaLayerSaved<B> saved;
        LlamaLayerCoefficients<B> work;
        saved.resize(ctx, config, T);
        work.resize(ctx, config, T);
        const RopeTables<B> rope(ctx, config, T);
        const LlamaLayer<B, AttnLRP> layer(config, weights.layers[0], rope.params());
        const Station<typename B::context> at{ctx};
        const double forward = seconds(ctx, [&] { layer.forward(at, x.view(), saved, y.view()); });
        const auto refill = [&] { fill_random(ctx, c.view().data, T * config.hidden_size, 1, 2); };  // it is changed in place
        const double filling = seconds(ctx, refill);
        const double back = seconds(ctx, [&] {
            refill();
            layer.relevance(at, x.view(), saved, y.view(), work, c.view());
        }) - filling;
        const double tokens = static_cast<double>(T), least_forward = floor.layer_forward(tokens), least_back = floor.layer_relevance(tokens);
        std::printf("| %s | %td | %.1f | %.1f | %.2f | %.1f | %.1f | %.2f |\n", name, T, forward * 1e6, least_forward * 1e6, forward / least_forward, back * 1e6,
                    least_back * 1e6, back / least_back);
        std::fflush(stdout);
    }
}

template <class B>
void model_lines(const char* name, const LlamaConfig& config, const Ceilings& top) {
    typename B::context ctx;
    const double spare = 2e9;  // work space, and what the driver keeps
    if (weight_bytes<B>(config) + spare > available(ctx)) {
        std::printf("| %s | all | left out: %.1f GB of weights, %.1f GB free | | | |\n", name, weight_bytes<B>(config) * 1e-9, available(ctx) * 1e-9);
        return;
    }
    const Floor floor{config, top, {4, sizeof(typename B::weight)}};
    const LlamaModel<B, AttnLRP> model(config, std::make_shared<const LlamaWeights<B>>(random_weights<B>(ctx, config)));
    for (const Index T : prompts) {
        const bool probs = !AttentionBlock<B, AttnLRP>::in_tiles(config.attention, T, default_tiled_from<B>);
        const double need = static_cast<double>(LlamaModel<B, AttnLRP>::pass_bytes(config, T, false, probs)) + spare, have = available(ctx);
        if (need > have) {
            std::printf("| %s | %td | left out: the pass takes %.1f GB, %.1f GB free | | | |\n", name, T, need * 1e-9, have * 1e-9);
            continue;
        }
        std::vector<std::int32_t> ids(static_cast<std::size_t>(T));
        for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::int32_t>((i * 7919 + 13) % static_cast<std::size_t>(config.vocab_size));
        const std::int32_t last[] = {static_cast<std::int32_t>(T - 1)};
        const Seed seeds[] = {{T - 1, 7, 1}};
        const auto whole = [&] {
            LlamaPass<B> pass = model.forward(ctx, ids, last, Recompute::keep());
            return model.relevance(ctx, pass, seeds);
        };
        const std::vector<float> one = whole().download(ctx), two = whole().download(ctx);
        const bool finite = std::all_of(one.begin(), one.end(), [](float value) { return std::isfinite(value); });
        const bool some = std::any_of(one.begin(), one.end(), [](float value) { return value != 0; });
        const double time = seconds(ctx, [&] { static_cast<void>(whole()); }), least = floor.pass(static_cast<double>(T));
        std::printf("| %s | %td | %.2f | %.2f | %.2f | %.1f | %s |\n", name, T, time * 1e3, least * 1e3, time / least, time * 1e6 / static_cast<double>(T),
                    !finite || !some ? "NOT FINITE, OR ZERO" : one == two ? "yes" : "NO");
        std::fflush(stdout);
    }
}

int run(std::string_view what) {
    const auto wanted = [&](std::string_view block) { return what == "all" || what == block; };
    introduce();
    F32::context ctx;
    const Ceilings top = measure_ceilings(ctx);
    if (wanted("products")) products(ctx, top);
    if (wanted("rows")) rows(ctx, top);
    if (wanted("attention")) attention(ctx);
    if (wanted("layer")) {
        heading("One layer against the floor of its steps", "| shape | T | forward, us | floor | ratio | relevance, us | floor | ratio |");
        layer_lines<F32>("1B, float", shape_1b(), top);
        layer_lines<Bf16>("1B, bf16 weights", shape_1b(), top);
        layer_lines<Bf16>("8B, bf16 weights", shape_8b(), top);
    }
    if (wanted("model")) {
        heading("Forward and relevance of the whole model, as a caller waits for it",
                "| shape | T | ms | floor, ms | ratio | us a token | two runs the same bits |");
        model_lines<F32>("1B, float", shape_1b(), top);
        model_lines<Bf16>("1B, bf16 weights", shape_1b(), top);
        model_lines<Bf16>("8B, bf16 weights", shape_8b(), top);
    }
    if (wanted("layer") || wanted("model"))
        std::printf("\nThe floor is for float activations and relevance, attention in float and never stored, q, k, v and gate, up as one product each, one row of\n"
                    "logits; every step at the ceilings above, nothing overlapping.\n");
    return 0;
}

}  // namespace lrp::bench

int main(int argc, char** argv) {
    const std::string_view what = argc > 1 ? argv[1] : "all";
    bool known = false;
    for (const std::string_view block : {"ceilings", "products", "rows", "attention", "layer", "model", "all"}) known = known || what == block;
    if (!known || argc > 2) {
        std::fprintf(stderr, "usage: bench_card [ceilings|products|rows|attention|layer|model|all]\n");
        return 2;
    }
    if (const std::string reason = lrp::cuda_unavailable(); !reason.empty()) {
        std::printf("SKIPPED: %s\n", reason.c_str());
        return 77;
    }
    try {
        return lrp::bench::run(what);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "bench_card: %s\n", error.what());
        return 1;
    }
}
