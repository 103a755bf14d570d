// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Memory that is going to be needed, against the memory that there is.
#pragma once

#include <cstdint>
#include <string>

#include <lrp/analysis/attribute_memory.hpp>

namespace lrp::cli {

class Engine;

/// Error with both numbers if the room there is (memory_room) is less than `bytes`; `what` needs them. `hint` ends the sentence.
void require_memory(std::uint64_t bytes, const std::string& what, const std::string& hint = "");

/// What is left to decide about a pass, decided by the room there is: where `recompute` is "auto" or a budget, as few layers are recomputed as that
/// (or the default budget, if there is room for it) allows. Error with both numbers if the pass does not fit. `beside` are bytes that are needed after the pass, but not during it.
/// Returns the bytes that the program will have in memory at most: mapped files of `files` bytes, what it has already, and the pass.
std::uint64_t plan_memory(const Engine& engine, const PassShape& shape, const std::string& recompute, AttributeOptions& options, std::uint64_t files, std::uint64_t beside = 0);

/// "2.6 GiB (2.3 GiB of mapped files)"
[[nodiscard]] std::string peak_text(std::uint64_t peak, std::uint64_t files);

/// The tokens of all prompts together that one pass should take: as many as are worth it and fit the room there is, one at least.
[[nodiscard]] std::size_t tokens_of_a_pass(const Engine& engine, const TraceSites& sites);

}  // namespace lrp::cli
