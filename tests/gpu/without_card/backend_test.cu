// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What the CUDA backend asks of CUDA, and what it says when it does not get it: on a stand-in for a card, and on CUDA itself where it refuses. Nothing
// is computed here; gpu_conformance_cuda does that, on a card.
#include <set>

#include <lrp/analysis/attribute.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>
#include <lrp/thrust/cuda.hpp>

#include "gpu/without_card/stand_in.hpp"
#include "support/catch.hpp"
#include "support/random_model.hpp"

using namespace lrp;
using Catch::Matchers::Contains;
using Catch::Matchers::Equals;
using lrp::test::stand_in;
using lrp::test::StandIn;

namespace {

using B = CudaBackend<float>;
using Ctx = B::context;
const std::string illegal = "an illegal memory access was encountered (cudaErrorIllegalAddress)";
const std::string no_memory = "out of memory (cudaErrorMemoryAllocation)";

Ctx::Options small(bool checked = false) {
    Ctx::Options options;
    options.checked = checked;
    options.workspace = 4096;
    options.staging = 8192;
    return options;
}

/// The message of a DeviceError, of a NoDevice with that name before it; otherwise what came instead.
template <class Work>
std::string message(const Work& work) {
    try {
        work();
    } catch (const NoDevice& error) {
        return std::string("NoDevice: ") + error.what();
    } catch (const DeviceError& error) {
        return error.what();
    } catch (const std::exception& error) {
        return std::string("not a DeviceError: ") + error.what();
    }
    return "no error";
}

LlamaConfig one_layer() {
    LlamaConfig config;
    config.vocab_size = 20;
    config.hidden_size = 16;
    config.intermediate_size = 24;
    config.layers = 1;
    config.attention = {4, 2, 8};
    return config;
}
const std::vector<std::int32_t> prompt{1, 7, 9, 3, 2, 2, 8, 19};

template <class Any>
LlamaModel<Any, AttnLRP> model_of(typename Any::context& ctx, Index tiled_from) {
    LlamaModel<Any, AttnLRP> model(one_layer(), test::random_weights<Any>(ctx, one_layer()));
    model.set_tiled_from(tiled_from);
    return model;
}

struct OneLane {
    template <Group G, class T>
    LRP_HD void operator()(G&, Index, T*) const {}
};
struct OneRow {
    template <Group G>
    LRP_HD void operator()(G&, Index) const {}
};

}  // namespace

TEST_CASE("an error says what was done, on which shape, and CUDA's own words") {
    stand_in() = {};
    CHECK(message([] { detail::cuda_check(cudaSuccess, "nothing"); }) == "no error");
    CHECK(message([] { detail::cuda_check(cudaErrorInvalidValue, "copying [", 3, ", ", 4, "]"); }) ==
          "cuda: copying [3, 4]: invalid argument (cudaErrorInvalidValue)");
    CHECK(message([] { detail::cublas_check(CUBLAS_STATUS_SUCCESS, "nothing"); }) == "no error");
    CHECK_THAT(message([] { detail::cublas_check(CUBLAS_STATUS_NOT_SUPPORTED, "cublasLtMatmul [", 2, ", ", 5, "]"); }),
               Contains("cuda: cublasLtMatmul [2, 5]: ") && Contains("(CUBLAS_STATUS_NOT_SUPPORTED)"));
    CHECK(std::string(detail::functor_name<OneRow>).find("OneRow") != std::string::npos);
}

TEST_CASE("no card is NoDevice, in CUDA's own words") {
    stand_in() = {};
    stand_in().here = false;  // CUDA itself: without a card, or without one of this number
    Ctx::Options options;
    options.device = 4321;
    const std::string reason = cuda_unavailable(4321);
    CHECK_THAT(reason, (Contains("no CUDA device: ") && Contains(" (cudaError")) || (Contains("no CUDA device 4321: the machine has ")));
    CHECK(message([&] { Ctx ctx(options); }) == "NoDevice: cuda: " + reason);
    CHECK(message([&] { Ctx ctx(options); }) == "NoDevice: cuda: " + reason);  // and nothing of the first stays behind

    stand_in() = {};
    CHECK(cuda_unavailable(0).empty());
    stand_in().devices = 2;
    CHECK((cuda_unavailable(1).empty() && cuda_unavailable(2) == "no CUDA device 2: the machine has 2"));
    CHECK(message([&] { Ctx ctx(options); }) == "NoDevice: cuda: no CUDA device 4321: the machine has 2");
    stand_in().fail_name = "cudaGetDeviceCount";
    stand_in().code = cudaErrorInsufficientDriver;
    CHECK_THAT(message([] { Ctx ctx; }), Contains("NoDevice: cuda: no CUDA device: CUDA driver version is insufficient for CUDA runtime version (cudaErrorInsufficientDriver)"));
    CHECK(stand_in().empty());
}

TEST_CASE("CUDA's libraries refuse by themselves what they cannot do, and that is passed on") {
    stand_in() = {};
    stand_in().here = false;
    const detail::CudaProductShape shape{CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F, false, false, 5, 3, 4, 5, 4, 5, 1, 0, 0, 0, 16};
    CHECK_THAT(message([&] { detail::CudaProductPlan(nullptr, shape, 4096); }),
               Contains("cuda: cublasLtMatmulAlgoGetHeuristic for a product [3, 4] [4, 5], 1 of them: ") && Contains("(CUBLAS_STATUS_"));
    CHECK(stand_in().descriptions == 0);
    // More host memory than any machine has; without a card CUDA says that instead.
    CHECK_THAT(message([] { detail::CudaStaging(std::size_t{1} << 60); }), Contains("cuda: cudaMallocHost of 1152921504606846976 bytes: ") && Contains(" (cudaError"));
}

TEST_CASE("memory that is not to be had is an error with both numbers, and the context goes on") {
    stand_in() = {};
    stand_in().total = 1 << 20;
    {
        Ctx ctx(small());  // 4096 bytes are the workspace's
        Tensor<B> some(ctx, 100, 100);
        CHECK(message([&] { Tensor<B>(ctx, 1 << 20, 1 << 20); }) ==
              "cuda: device memory: 4398046511104 bytes were asked for, 1004480 of 1048576 are free: " + no_memory);
        B::fill(ctx, some.view(), 1.0f);  // the failure before is not blamed on this
        stand_in().fail_name = "cudaMallocAsync";
        CHECK(message([&] { Tensor<B>(ctx, 2, 3); }) == "cuda: cudaMallocAsync of 24 bytes: " + illegal);
        stand_in().fail_name.clear();
        B::fill(ctx, some.view(), 1.0f);

        CHECK(message([&] { Ctx arena(small(), 1 << 21); }) == "cuda: device memory: 2097152 bytes were asked for, 1000384 of 1048576 are free: " + no_memory);
        Ctx arena(small(), 4096);
        CHECK_THROWS_WITH(Tensor<B>(arena, 100, 100), Contains("arena: 40000 bytes were asked for, 4096 of 4096 are free"));
        CHECK_THROWS_WITH(some.resize(arena, 1, 1), Contains("cuda: a tensor of context "));
        auto wide = small();
        wide.workspace = 1 << 22;
        CHECK(message([&] { Ctx other(wide); }) == "cuda: cudaMalloc of a cuBLASLt workspace of 4194304 bytes: " + no_memory);
        B::fill(ctx, some.view(), 1.0f);
    }
    CHECK(stand_in().empty());
}

TEST_CASE("a pass keeps what the card has room for, and recomputes where there is less") {
    stand_in() = {};
    stand_in().total = 1 << 20;
    stand_in().pooled = 1000;
    Ctx ctx(small());
    const auto model = model_of<B>(ctx, 0);
    const std::size_t left = stand_in().total - stand_in().taken();
    CHECK(ctx.room() == (left + 1000) / 2);
    CHECK(model.forward(ctx, prompt, std::vector<std::int32_t>{7}, {}).recomputed == 0);
    stand_in().pooled = 0;
    stand_in().total = stand_in().taken() + model.bytes_of_pass(8, 0) * 19 / 10;
    CHECK(model.forward(ctx, prompt, std::vector<std::int32_t>{7}, {}).recomputed == 1);
    Ctx arena(small(), 1 << 10);
    CHECK(arena.room() == 1 << 10);
}

TEST_CASE("heads whose tiles a card's shared memory may not hold are not worked in tiles") {
    CHECK(TiledAttention::available<CudaBackend<float>>(256));
    CHECK_FALSE(TiledAttention::available<CudaBackend<float>>(300));
    CHECK(TiledAttention::available<CudaBackend<double>>(64));
    CHECK_FALSE(TiledAttention::available<CudaBackend<double>>(128));
}

TEST_CASE("launches, tiles, products and sorts that fail are named with their shape") {
    stand_in() = {};
    {
        Ctx ctx(small());
        Tensor<B> a(ctx, 3, 4), b(ctx, 4, 5), c(ctx, 3, 5);
        stand_in().fail_name = "launch";
        CHECK_THAT(message([&] { B::for_each_row(ctx, 3, 7, OneRow{}); }), Contains("cuda: launching ") && Contains("OneRow over [3, 7]: " + illegal));
        CHECK_THAT(message([&] { B::for_each_row(ctx, 3, 5000, OneRow{}); }), Contains("OneRow over [3, 5000]: " + illegal));
        CHECK_THAT(message([&] { B::fill(ctx, a.view(), 1.0f); }), Contains("Constant<float> over [3, 4]: " + illegal));
        stand_in().fail_name.clear();
        CHECK(message([&] { B::for_each_tile(ctx, 2, 30000, OneLane{}); }).find("needs 120000 bytes of shared memory a block, the card has 102400") != std::string::npos);
        CHECK(message([&] { B::for_each_tile(ctx, 2, 25000, OneLane{}); }) == "no error");
        stand_in().fail_name = "cudaFuncSetAttribute";
        CHECK(message([&] { B::for_each_tile(ctx, 2, 25000, OneLane{}); }) == "cuda: cudaFuncSetAttribute for 100000 bytes of shared memory: " + illegal);
        const auto multiply = [&] { B::matmul(ctx, {}, std::as_const(a).view(), std::as_const(b).view(), c.view()); };
        stand_in().fail_name = "cublasLtMatmul";
        CHECK_THAT(message(multiply), Contains("cuda: cublasLtMatmul [3, 4] [4, 5], 1 of them: ") && Contains("(CUBLAS_STATUS_EXECUTION_FAILED)"));
        stand_in().fail_name = "cudaMemcpy2DAsync";
        CHECK(message([&] { B::copy(ctx, std::as_const(a).view(), a.view()); }) == "cuda: copying [3, 4]: " + illegal);
        stand_in().fail_name = "cudaMemcpyAsync";
        CHECK(message([&] { a.upload(ctx, std::vector<float>(12)); }) == "cuda: copying 48 bytes to the card: " + illegal);
        CHECK(message([&] { (void)a.download(ctx); }) == "cuda: copying 48 bytes from the card: " + illegal);
        stand_in().fail_name.clear();
        stand_in().has_algorithms = false;
        Tensor<B> d(ctx, 3, 3);
        CHECK_THAT(message([&] { B::matmul(ctx, {.transpose_b = true}, std::as_const(a).view(), std::as_const(a).view(), d.view()); }),
                   Contains("cuda: cublasLtMatmulAlgoGetHeuristic for a product [3, 4] [4, 3], 1 of them: ") && Contains("(CUBLAS_STATUS_NOT_SUPPORTED)"));
        // Thrust asks for more of a card than the stand-in has.
        std::vector<std::int32_t> best(2), first(1);
        CHECK_THAT(message([&] { B::top_k(ctx, a.view().data, 12, first); }), Contains("cuda: finding the first of 12 places: ") && Contains("cudaError"));
        CHECK_THAT(message([&] { B::top_k(ctx, a.view().data, 12, best); }), Contains("cuda: sorting 12 places: ") && Contains("cudaError"));
    }
    CHECK(stand_in().empty());
}

TEST_CASE("a fault inside a kernel surfaces at the next wait; a checked context names the call") {
    stand_in() = {};
    {
        Ctx ctx(small()), checked(small(true));
        Tensor<B> a(ctx, 3, 4), b(checked, 3, 4);
        stand_in().fail_name = "cudaStreamSynchronize";
        CHECK(message([&] { B::fill(ctx, a.view(), 1.0f); }) == "no error");
        CHECK(message([&] { (void)a.download(ctx); }) == "cuda: copying from the card: " + illegal);
        CHECK_THAT(message([&] { B::fill(checked, b.view(), 1.0f); }), Contains("cuda: ") && !Contains("launching") && Contains("Constant<float> over [3, 4]: " + illegal));
        CHECK(message([&] { B::copy(checked, std::as_const(b).view(), b.view()); }) == "cuda: copy: " + illegal);
        CHECK(message([&] { B::matmul(checked, {.transpose_b = true}, std::as_const(b).view(), std::as_const(b).view(), View<float>(b.view().data, 3, 3)); }) ==
              "cuda: matmul: " + illegal);
        stand_in().fail_name.clear();
    }
    CHECK(stand_in().empty());
}

TEMPLATE_TEST_CASE("whichever call of a whole pass fails, it is a DeviceError with CUDA's words, and all memory is given back", "", float, bf16) {
    using Any = CudaBackend<float, TestType>;
    std::size_t calls = 0;
    std::set<std::string> kinds;
    const auto pass = [&](Index tiled_from) {
        typename Any::context ctx(small());
        const auto model = model_of<Any>(ctx, tiled_from);
        AttributeOptions options;
        options.sites = {true, true, true, true};
        (void)attribute(ctx, model, prompt, options);
        calls = stand_in().calls.size();
        kinds.insert(stand_in().calls.begin(), stand_in().calls.end());
    };
    for (const Index tiled_from : {Index{0}, Index{1000}}) {
        stand_in() = {};
        pass(tiled_from);
        REQUIRE(stand_in().empty());
        const std::size_t all = calls;
        REQUIRE(all > 100);
        std::size_t silent = 0, other = 0, kept = 0;
        for (std::size_t n = 1; n <= all; ++n) {
            stand_in() = {};
            stand_in().fail_at = n;
            const std::string said = message([&] { pass(tiled_from); });
            const bool in_words = said.find("cuda: ") != std::string::npos && (said.find(illegal) != std::string::npos || said.find("(CUBLAS_STATUS_EXECUTION_FAILED)") != std::string::npos);
            if (said == "no error") {
                ++silent;
                UNSCOPED_INFO("call " << n << ", " << stand_in().calls[n - 1] << ": no error");
            } else if (!in_words) {
                ++other;
                UNSCOPED_INFO("call " << n << ", " << stand_in().calls[n - 1] << ": " << said);
            }
            if (!stand_in().empty()) ++kept;
        }
        CHECK(silent == 0);
        CHECK(other == 0);
        CHECK(kept == 0);
    }
    for (const char* kind : {"cudaGetDeviceCount", "cudaStreamCreateWithFlags", "cudaMalloc", "cudaMallocHost", "cudaMallocAsync", "cudaMemcpyAsync", "cudaStreamSynchronize",
                             "launch", "cublasLtCreate", "cublasLtMatmul", "cublasLtMatmulAlgoGetHeuristic", "cublasLtMatmulDescCreate", "cublasLtMatrixLayoutCreate"}) {
        INFO(kind);
        CHECK(kinds.count(kind) == 1);
    }
}

TEST_CASE("a pass that nobody watches never waits, keeps to its stream, and finds each product's plan once") {
    for (const Index tiled_from : {Index{0}, Index{1000}}) {
        stand_in() = {};
        {
            auto options = small();
            options.staging = 1 << 20;
            Ctx ctx(options);
            const auto model = model_of<B>(ctx, tiled_from);
            const std::vector<std::int32_t> last{7};
            const std::vector<Seed> seeds{{7, 5, 1.0}};
            // The first two ask how much may be kept.
            const std::set<std::string> enqueued{"cudaMemGetInfo", "cudaMemPoolGetAttribute", "cudaMallocAsync", "cudaMemcpyAsync", "cudaMemcpy2DAsync", "cudaFuncSetAttribute", "launch", "cublasLtMatmul"};
            for (const bool again : {false, true}) {
                const std::size_t from = stand_in().calls.size();
                auto pass = model.forward(ctx, prompt, last, {});
                (void)model.relevance(ctx, pass, seeds);
                CHECK(stand_in().count("cudaStreamSynchronize", from) == 0);
                CHECK(stand_in().count("launch", from) > 10);
                CHECK(stand_in().count("cublasLtMatmul", from) > 10);
                CHECK((stand_in().count("cublasLtMatmulAlgoGetHeuristic", from) == 0) == again);
                for (std::size_t i = from; again && i < stand_in().calls.size(); ++i)
                    if (enqueued.count(stand_in().calls[i]) == 0) FAIL_CHECK(stand_in().calls[i] << " in a pass");
            }
            const std::size_t from = stand_in().calls.size();
            (void)attribute(ctx, model, prompt);
            CHECK(stand_in().count("cudaStreamSynchronize", from) > 0);  // the numbers that come back
            CHECK(stand_in().strays == 0);
        }
        CHECK(stand_in().empty());
    }
}

TEST_CASE("uploads go through pinned memory, and wait only when all of it has been used") {
    stand_in() = {};
    Ctx ctx(small());  // 8192 bytes
    Tensor<B> tensor(ctx, 16, 64);  // 4096
    std::vector<float> numbers(1024);
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i);
    for (const std::size_t waits : {0u, 0u, 1u, 1u, 2u}) {
        tensor.upload(ctx, numbers);
        CHECK(stand_in().count("cudaStreamSynchronize") == waits);
    }
    CHECK(tensor.download(ctx) == numbers);
    Tensor<B> large(ctx, 16, 256);  // more than all of it: copied from where it lies, and waited for
    numbers.resize(4096, 5.0f);
    const std::size_t from = stand_in().calls.size();
    large.upload(ctx, numbers);
    CHECK(stand_in().count("cudaStreamSynchronize", from) == 1);
    CHECK(large.download(ctx) == numbers);
}
