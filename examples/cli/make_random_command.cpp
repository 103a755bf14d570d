// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <chrono>
#include <iostream>
#include <memory>

#include <lrp/pipeline/random_checkpoint.hpp>
#include <lrp/view/progress.hpp>

#include "common.hpp"
#include "interruption.hpp"

namespace lrp::cli {

namespace {

struct MakeRandomOptions {
    std::string folder, like, shard_size = "5G";
    RandomCheckpointOptions random;
};

std::string known_names() {
    std::string names;
    for (const auto& [name, config] : known_models()) names += (names.empty() ? "" : ", ") + name;
    return names;
}

void run(MakeRandomOptions options) {
    const auto known = known_models().find(options.like);
    if (known == known_models().end()) fail<UsageError>("--like: expected one of ", known_names(), "; found '", options.like, "'");
    const auto shard = parse_bytes(options.shard_size);
    if (!shard || *shard == 0) fail<UsageError>("--shard-size: expected a number of bytes with K, M or G, found '", options.shard_size, "'");
    options.random.shard_bytes = *shard;
    const std::uint64_t bytes = random_checkpoint_bytes(known->second);
    const auto start = std::chrono::steady_clock::now();
    Progress progress("writing", "bytes", bytes);
    struct Stopped {};
    watch_signals();
    try {
        write_random_checkpoint(options.folder, known->second, options.random, [&](std::uint64_t count) {
            if (stop_asked()) throw Stopped();
            progress.add(count);
        });
    } catch (const Stopped&) {
        progress.finish();
        std::cerr << "lrp: stopped; nothing is left of " << options.folder << '\n';
        exit_code = 130;
        return;
    }
    progress.finish();
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    std::cout << options.folder << ": random weights in the shape of " << options.like << ", " << bytes / sizeof(bf16) << " parameters, " << human_bytes(bytes) << " in "
              << human_clock(seconds) << " (" << human_bytes(static_cast<std::uint64_t>(static_cast<double>(bytes) / seconds)) << "/s)\n";
}

}  // namespace

void add_make_random_command(CLI::App& app) {
    auto* command = app.add_subcommand("make-random", "Write a checkpoint of a real model's shape with random weights, for timing");
    auto options = std::make_shared<MakeRandomOptions>();
    command->add_option("DIR", options->folder, "the folder to make; one that is there must be empty")->required();
    command->add_option("--like", options->like, "whose shape: " + known_names())->required();
    add_seed_option(*command, options->random.seed, "another seed, other weights; the same seed, the same bytes");
    command->add_option("--shard-size", options->shard_size, "size of a file at most, as in 500M or 5G (powers of 1024); a tensor is never cut")->capture_default_str();
    add_threads_option(*command, options->random.threads, " (the bytes are the same for any number)");
    command->footer("The folder has no tokenizer: prompts are given as --ids, and `lrp bench` needs none. It appears when it is complete.\nExamples:\n"
                    "  lrp make-random random-1b --like llama-3.2-1b\n"
                    "  lrp make-random random-8b --like llama-3.1-8b --shard-size 2G --seed 7");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
