// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fstream>
#include <string>

#include "support/program.hpp"

namespace lrp::test {

/// A small labelled store.
inline std::string small_store(const TemporaryFolder& folder) {
    std::ifstream in(LRP_SOURCE_ROOT "/examples/models/corpus.txt");
    std::string text, line;
    for (int i = 0; i < 40 && std::getline(in, line); ++i) text += line + "\n";
    folder.write("corpus.txt", text);
    const std::string store = (folder.path() / "store").string();
    REQUIRE(lrp_run("collect " + mini + " " + (folder.path() / "corpus.txt").string() + " -o " + store + " --top 4").code == 0);
    folder.write("labels.csv",
                 "layer,unit,label,pole,site\n3,118,ripe fruit,max,neuron\n2,40,Fruity,min,neuron\n1,3,fruit salad,max,head\n3,118,fruit "
                 "again,min,neuron\n4,4,snow,max,neuron\n");
    REQUIRE(lrp_run("label " + store + " --import " + (folder.path() / "labels.csv").string() + " --source test").code == 0);
    return store;
}

}  // namespace lrp::test
