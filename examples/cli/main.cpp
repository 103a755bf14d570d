// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The program `lrp`. Exit codes: 0 done, 1 failure (bad files, disagreement found by a check), 2 wrong use.
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>

#include <lrp/core/config.hpp>
#include <lrp/core/error.hpp>
#include <lrp/core/human.hpp>
#include <lrp/core/memory_room.hpp>

#include "common.hpp"

namespace {

int run(int argc, char** argv) {
    CLI::App app{"lrp tells why a LLaMA-style language model said what it said: layer-wise relevance propagation (AttnLRP)\n"
                 "through a Hugging Face checkpoint, read off at tokens, layers, heads and neurons."};
    app.name("lrp");
    app.set_version_flag("--version", "lrp " LRP_VERSION_STRING "\n" + lrp::Tokenizer::build_info());
    app.require_subcommand(1);
    app.footer("Examples:\n"
               "  lrp trace examples/models/mini \"I have 5 cats and 3 dogs. My cats love to play with my\" --html trace.html\n"
               "  lrp check examples/models/mini \"The soup was hot\"\n"
               "  lrp inspect examples/models/mini\n"
               "  lrp tokenize examples/models/mini \"Hello world\"\n"
               "  lrp generate examples/models/mini \"On Sunday there is a lot of snow.\"\n"
               "  lrp steer examples/models/mini \"On Sunday there is a lot of snow.\" --scale 4/100=0\n"
               "  lrp chat examples/models/mini\n"
               "  lrp neurons examples/models/mini \"I have 5 cats and 3 dogs. My cats love to play with my\"\n"
               "  lrp flow examples/models/mini \"The soup is hot\" --edges\n"
               "  lrp make-random random-1b --like llama-3.2-1b\n"
               "  lrp bench random-1b --tokens 16,128\n"
               "`lrp COMMAND --help` tells more about each.");
    lrp::cli::add_trace_command(app);
    lrp::cli::add_check_command(app);
    lrp::cli::add_inspect_command(app);
    lrp::cli::add_tokenize_command(app);
    lrp::cli::add_generate_command(app);
    lrp::cli::add_steer_command(app);
    lrp::cli::add_chat_command(app);
    lrp::cli::add_neurons_command(app);
    lrp::cli::add_flow_command(app);
    lrp::cli::add_faithfulness_command(app);
    lrp::cli::add_make_random_command(app);
    lrp::cli::add_bench_command(app);
#if defined(LRP_CLI_WITH_STORE)
    lrp::cli::add_collect_command(app);
    lrp::cli::add_merge_command(app);
    lrp::cli::add_label_command(app);
    lrp::cli::add_show_command(app);
#endif
    lrp::cli::refuse_empty_values(app);
    try {
        const auto commands = app.get_subcommands([](CLI::App*) { return true; });
        const auto named = [&](const CLI::App* command) { return command->get_name() == argv[1]; };
        if (argc > 1 && argv[1][0] != '-' && std::none_of(commands.begin(), commands.end(), named)) {
            std::string names;
            for (std::size_t i = 0; i < commands.size(); ++i) names += (i == 0 ? "" : i + 1 == commands.size() ? " and " : ", ") + commands[i]->get_name();
            lrp::fail<lrp::UsageError>("there is no command '", argv[1], "'; there are ", names);
        }
        if (argc == 1) std::cerr << app.help() << '\n';
        app.parse(argc, argv);
        return lrp::cli::exit_code;
    } catch (const CLI::ExtrasError&) {
        const CLI::App& command = *app.get_subcommands().front();
        std::cerr << "lrp " << command.get_name() << ": not expected: " << lrp::cli::unexpected(command) << "; `lrp " << command.get_name() << " --help` lists what is\n";
        return 2;
    } catch (const CLI::ParseError& error) {
        if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
        const auto chosen = app.get_subcommands();
        const std::string command = chosen.empty() ? "lrp" : "lrp " + chosen.front()->get_name();
        std::cerr << command << ": " << error.what() << "; `" << command << " --help` tells more\n";
        return 2;
    } catch (const lrp::UsageError& error) {
        std::cerr << "lrp: " << error.what() << '\n';
        return 2;
    } catch (const std::bad_alloc&) {
        const lrp::MemoryRoom room = lrp::memory_room();
        std::cerr << "lrp: not enough memory: the system refused a request for more, and " << room.limit << " leaves " << lrp::human_bytes(room.bytes) << '\n';
        return 1;
    } catch (const std::exception& error) {
        std::cerr << "lrp: " << error.what() << '\n';
        return 1;
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::signal(SIGXFSZ, SIG_IGN);  // a file size limit is then an error of writing, as a full disk is
    int code = run(argc, argv);
    std::cout.flush();
    if (const bool lost = std::fflush(stdout) != 0 || std::ferror(stdout) != 0 || !std::cout.good(); lost && code == 0) {
        std::cerr << "lrp: standard output: the result could not be written\n";
        code = 1;
    }
#if !defined(__SANITIZE_ADDRESS__)
    // OpenBLAS, which the xtensor backend links, starts threads with the program and joins them at its exit; one that the system refuses
    // its memory asks again without end, and so would the program wait. Nothing of ours is left to be destroyed here.
    std::cerr.flush();
    std::quick_exit(code);
#else
    return code;
#endif
}
