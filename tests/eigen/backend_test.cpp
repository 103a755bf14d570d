// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What the backend says of itself: which code forms products, as on machines that lack instruction sets.
#include <algorithm>
#include <string>
#include <vector>

#include <lrp/eigen/backend.hpp>

#include "support/catch.hpp"

using namespace lrp;

namespace {

template <Storage W>
std::string code_on(const char* level, Products products, Index rows, bool& fast) {
    typename EigenBackend<float, W>::context ctx(1);
    ctx.products.cpu = CpuFeatures::up_to(level);
    ctx.products.products = products;
    fast = EigenBackend<float, W>::has_fast(ctx);
    return EigenBackend<float, W>::product_code(ctx, rows);
}

}  // namespace

TEST_CASE("the backend names what forms products, and says where fast is no faster") {
    bool fast = true;
    CHECK(code_on<bf16>("plain", Products::fast, 100, fast) == (detail::has_cblas() ? "panels by CBLAS" : "panels by Eigen"));
    CHECK_FALSE(fast);
    EigenBackend<double>::context wide(1);
    CHECK((EigenBackend<double>::product_code(wide, 100) == std::string("panels by Eigen") && !EigenBackend<double>::has_fast(wide)));
    CHECK_FALSE(EigenBackend<double>::alike(wide, 9, 9));
    const CpuFeatures here = CpuFeatures::detect();
    if (!here.avx2) {
        WARN("this machine has no AVX2");
        return;
    }
    CHECK((code_on<bf16>("avx2", Products::fast, 100, fast) == "AVX2" && !fast));
    if (here.avx512) CHECK((code_on<bf16>("avx512", Products::fast, 100, fast) == "AVX-512" && !fast));
    if (here.avx512) CHECK((code_on<float>("avx512", Products::fast, 100, fast) == "AVX-512" && !fast));
    if (here.amx) CHECK((code_on<bf16>("amx", Products::fast, 100, fast) == "AMX in one term" && fast));
    if (here.amx) CHECK(code_on<bf16>("amx", Products::exact, 100, fast) == "AMX in three terms");
    if (here.avx512_bf16) {  // faster on some processors, slower on others: what is said of many rows is what is done
        const std::string code = code_on<bf16>("avx512-bf16", Products::fast, 512, fast);
        CHECK(code == (fast ? "vdpbf16ps" : "AVX-512"));
        CHECK(code_on<bf16>("avx512-bf16", Products::exact, 512, fast) == "AVX-512");
    }
}

TEST_CASE("rows wider than a chunk of work, and rows of nothing, are worked as any others") {
    EigenBackend<float>::context ctx(2);
    std::vector<float> numbers(2 * 20000);
    EigenBackend<float>::fill(ctx, View<float>(numbers.data(), 2, 20000), 3);
    CHECK(std::all_of(numbers.begin(), numbers.end(), [](float value) { return value == 3; }));
    EigenBackend<float>::fill(ctx, View<float>(numbers.data(), 5, 0), 7);
    CHECK(numbers[0] == 3);
}

TEST_CASE("the backend passes on how many prompts share rows, and which may") {
    EigenBackend<float>::context ctx(1);
    EigenBackend<float>::share_rows(ctx, 3);
    CHECK(ctx.products.sharing == 3);
    if (!CpuFeatures::detect().avx2) return;
    ctx.products.cpu = CpuFeatures::up_to("avx2");
    CHECK((EigenBackend<float>::alike(ctx, 2, 12) && !EigenBackend<float>::alike(ctx, 12, 13)));
}
