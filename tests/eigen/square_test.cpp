// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/eigen/product/square.hpp>

#include <vector>

#include <lrp/eigen/product/cpu.hpp>

#include "support/catch.hpp"

using namespace lrp;

namespace {

/// Squares out of a wider matrix into a wider one: every number where it belongs, and nothing beside the square.
template <class Square>
void check_square() {
    constexpr Index rows = Square::rows, stride = rows + 3, to_stride = rows + 5;
    std::vector<std::uint32_t> from(static_cast<std::size_t>(rows * stride)), to(static_cast<std::size_t>(rows * to_stride), 7u);
    for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::uint32_t>(i * 2654435761u);
    Square::turn(from.data(), stride, to.data(), to_stride);
    for (Index i = 0; i < rows; ++i)
        for (Index j = 0; j < to_stride; ++j) CHECK(to[static_cast<std::size_t>(i * to_stride + j)] == (j < rows ? from[static_cast<std::size_t>(j * stride + i)] : 7u));
}

}  // namespace

TEST_CASE("squares are turned round, whatever the machine") {
    check_square<detail::PlainSquare<8>>();
    check_square<detail::PlainSquare<16>>();
#if defined(__x86_64__)
    if (CpuFeatures::detect().avx2) check_square<detail::SquareAvx2>();
    if (CpuFeatures::detect().avx512) check_square<detail::SquareAvx512>();
#endif
}
