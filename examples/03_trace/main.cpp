// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Level 3: a whole model. The example of the README, to the letter.
#include <iostream>
#include <lrp/lrp.hpp>

int main(int argc, char** argv) {
    auto model = lrp::Pretrained<lrp::EigenBackend<float>, lrp::AttnLRP>::load(argc > 1 ? argv[1] : "examples/models/mini");
    lrp::Trace trace = model.explain("I have 5 cats and 3 dogs. My cats love to play with my");
    std::cout << "next:" << trace.target_token << " (logit " << trace.explained << ")\n";
    for (std::size_t t = 0; t < trace.tokens_count; ++t) std::cout << trace.embedding[t] << '\t' << trace.tokens[t] << '\n';
}
