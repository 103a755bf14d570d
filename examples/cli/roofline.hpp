// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What this machine can do at most, measured here and now: times are read against it, since machines of one name differ and are shared.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <lrp/core/products.hpp>
#include <lrp/core/thread_pool.hpp>
#include <lrp/model/llama/work.hpp>

namespace lrp::cli {

/// The middle of measured values, of an even number the mean of the middle two.
[[nodiscard]] inline double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const std::size_t half = values.size() / 2;
    return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Rates of all threads together; 0: the processor does not have it. A multiplication and an addition are two flops.
struct Roofline {
    double read = 0;       ///< bytes/s from memory
    double f32 = 0;        ///< flops/s of float32 multiply-adds from registers
    std::string f32_by;    ///< by which instructions: "AVX-512", "AVX2" or "plain code"
    double bf16_dot = 0;   ///< flops/s of vdpbf16ps from registers
    double amx = 0;        ///< flops/s of AMX bf16, 2 x 2 tiles fed from the first-level cache

    /// The better of each rate of two measurements: on a shared machine a core may be gone while one is taken.
    void raise(const Roofline& other) {
        read = std::max(read, other.read);
        if (other.f32 > f32) {
            f32 = other.f32;
            f32_by = other.f32_by;
        }
        bf16_dot = std::max(bf16_dot, other.bf16_dot);
        amx = std::max(amx, other.amx);
    }
    /// The best rate at which products can be formed: float32 multiply-adds; a float32 number is three bf16, so an instruction for bf16 counts a
    /// third for products as exact as float32, and all of it for `fast` ones.
    [[nodiscard]] double products_rate(Products products) const {
        const double bf16_rate = std::max(bf16_dot, amx);
        return std::max(f32, products == Products::exact ? bf16_rate / 3 : bf16_rate);
    }
    /// The least seconds that this work takes: of each part the longer of computing and of reading its weights once, `weight_bytes` an element.
    [[nodiscard]] double floor(const PassWork& work, double weight_bytes, Products products) const {
        double seconds = 0;
        for (const PassWork::Part& part : work.parts) seconds += std::max(part.flops / products_rate(products), part.weights * weight_bytes / read);
        return seconds;
    }
};

/// Bytes/s of reading memory that no cache holds: 256 MiB in all, round and round for a fifth of a second, 32 MiB a spell, in one stream a thread or in
/// four, whichever is faster. `threads`: 0 for as many as the machine has.
[[nodiscard]] double measure_read_rate(unsigned threads);

/// Reads `memory` once, a part on each thread of the pool, in `streams` streams: what a product that waits for its weights is held against.
void read_once(ThreadPool& pool, std::span<const std::byte> memory, std::size_t streams);

/// Measures in less than a second; each rate is the best of many short spells, so that what else runs disturbs little.
/// `threads`: 0 for as many as the machine has.
[[nodiscard]] Roofline measure_roofline(unsigned threads);

}  // namespace lrp::cli
