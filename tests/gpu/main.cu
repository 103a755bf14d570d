// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Runs the tests if there is a card, else says why not and ends with 77, which ctest shows as skipped.
#if defined(LRP_CATCH_3)
#include <catch2/catch_session.hpp>
#else
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>
#endif

#include <cstdio>

#include <lrp/thrust/cuda_error.hpp>

int main(int argc, char** argv) {
    if (const std::string reason = lrp::cuda_unavailable(); !reason.empty()) {
        std::printf("SKIPPED: %s\n", reason.c_str());
        return 77;
    }
    return Catch::Session().run(argc, argv);
}
