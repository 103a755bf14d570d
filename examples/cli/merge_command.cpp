// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <iostream>
#include <memory>

#include <lrp/pipeline/merge_stores.hpp>

#include "common.hpp"

namespace lrp::cli {

void add_merge_command(CLI::App& app) {
    auto* command = app.add_subcommand("merge", "Put stores that `lrp collect --shard` made of one corpus together");
    struct Options {
        std::vector<std::string> stores;
        std::string output;
    };
    auto options = std::make_shared<Options>();
    command->add_option("STORE", options->stores, "stores of different parts of one collection")->required();
    command->add_option("-o,--output", options->output, "folder of the whole")->required();
    command->footer("The result has the same bytes however the corpus was cut, and as a collection in one go.\nExamples:\n  lrp merge part0 part1 part2 -o whole");
    command->callback([options] {
        merge_stores(options->stores, options->output);
        const NeuronStore store = NeuronStore::open(options->output);
        std::cerr << "lrp: " << options->output << ": " << store.fact("batches") << " of " << store.fact("batches_of_the_corpus") << " batches of the corpus, "
                  << counted(std::stoull(store.fact("documents")), "document") << "; " << human_bytes(store.bytes()) << '\n';
        if (store.fact("batches") != store.fact("batches_of_the_corpus"))
            std::cerr << "lrp: warning: this is a part of the corpus; merge it with the stores of the others\n";
    });
}

}  // namespace lrp::cli
