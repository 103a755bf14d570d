// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What is said beforehand against what is really asked for: the size of every block that is alive, at its highest.
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include <lrp/analysis/attribute_many.hpp>
#include <lrp/analysis/attribute_memory.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/reference/backend.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "support/catch.hpp"
#include "support/random_model.hpp"

namespace {

std::atomic<std::int64_t> now{0}, highest{0};

void* counted(void* block) {
    const std::int64_t size = now.fetch_add(static_cast<std::int64_t>(malloc_usable_size(block))) + static_cast<std::int64_t>(malloc_usable_size(block));
    for (std::int64_t peak = highest; size > peak && !highest.compare_exchange_weak(peak, size);) {
    }
    return block;
}
void* aligned(std::size_t size, std::align_val_t at) {
    void* block = nullptr;
    return posix_memalign(&block, static_cast<std::size_t>(at), size) == 0 ? block : nullptr;
}
void* there(void* block) {
    if (block == nullptr) throw std::bad_alloc();
    return counted(block);
}
void uncounted(void* block) {
    now.fetch_sub(static_cast<std::int64_t>(malloc_usable_size(block)));
    std::free(block);
}

}  // namespace

void* operator new(std::size_t size) { return there(std::malloc(size)); }
void* operator new[](std::size_t size) { return there(std::malloc(size)); }
void* operator new(std::size_t size, std::align_val_t at) { return there(aligned(size, at)); }
void* operator new[](std::size_t size, std::align_val_t at) { return there(aligned(size, at)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return counted(std::malloc(size)); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return counted(std::malloc(size)); }
void* operator new(std::size_t size, std::align_val_t at, const std::nothrow_t&) noexcept { return counted(aligned(size, at)); }
void* operator new[](std::size_t size, std::align_val_t at, const std::nothrow_t&) noexcept { return counted(aligned(size, at)); }
void operator delete(void* block) noexcept { uncounted(block); }
void operator delete[](void* block) noexcept { uncounted(block); }
void operator delete(void* block, std::size_t) noexcept { uncounted(block); }
void operator delete[](void* block, std::size_t) noexcept { uncounted(block); }
void operator delete(void* block, std::align_val_t) noexcept { uncounted(block); }
void operator delete[](void* block, std::align_val_t) noexcept { uncounted(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { uncounted(block); }
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept { uncounted(block); }

using namespace lrp;
using lrp::test::random_weights;

namespace {

LlamaConfig shape() {
    LlamaConfig config;
    config.vocab_size = 3000;
    config.hidden_size = 128;
    config.intermediate_size = 512;
    config.layers = 6;
    config.attention = {4, 2, 32};
    return config;
}

template <Backend B>
void check(double slack, std::initializer_list<std::size_t> lengths = {40, 300, 900}) {
    // A context keeps memory of the passes before, so each pass gets a new one.
    const auto context = [] {
        if constexpr (std::constructible_from<typename B::context, unsigned>) return typename B::context(2u);
        else return typename B::context();
    };
    for (const std::size_t tokens : lengths)
        for (const Index recomputed : {0, 4, 6})
            for (const bool details : {false, true}) {
                INFO(B::name << ", " << tokens << " tokens" << ", recomputed: " << recomputed << (details ? ", heads and neurons" : ""));
                typename B::context ctx = context(), ctx_of_five = context();
                const LlamaModel<B, AttnLRP> model(shape(), random_weights<B>(ctx, shape()));
                AttributeOptions options;
                options.sites = {true, true, details, details};
                options.recompute = Recompute::layers(recomputed);
                std::vector<std::int32_t> ids(tokens, 7);
                const auto expected = static_cast<double>(attribute_bytes(ctx, model, {static_cast<Index>(tokens)}, options.sites, recomputed));
                const std::int64_t before = now;
                highest = before;
                (void)attribute(ctx, model, ids, options);
                const auto real = static_cast<double>(highest - before);
                CHECK(real <= expected);
                if (tokens > 100) CHECK(expected <= slack * real);
                // The same in five prompts, where a pass may take them together.
                if (tokens % 5 != 0) continue;
                const std::vector<PromptOfMany> prompts(5, PromptOfMany{std::vector<std::int32_t>(tokens / 5, 7)});
                const auto together = static_cast<double>(attribute_bytes(ctx, model, {static_cast<Index>(tokens), 5, static_cast<Index>(tokens / 5)}, options.sites, recomputed));
                const std::int64_t start = now;
                highest = start;
                (void)attribute_together(ctx_of_five, model, prompts, options);
                CHECK(static_cast<double>(highest - start) <= together);
            }
}

}  // namespace

TEST_CASE("the memory of an explanation is an upper bound, and not a wide one") {
    check<EigenBackend<float>>(1.6);
    check<EigenBackend<float, bf16>>(1.6);
    check<ReferenceBackend<float>>(1.6, {40, 300});
}
