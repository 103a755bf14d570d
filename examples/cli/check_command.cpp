// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <span>

#include <lrp/view/label.hpp>
#include <lrp/view/terminal.hpp>

#include "common.hpp"

namespace lrp::cli {

namespace {

struct CheckOptions {
    ModelOptions model;
    std::string against;
    double tolerance = 1e-4;
};

double total(const LedgerLayer& layer, Site site) { return layer.total[static_cast<std::size_t>(site)]; }

/// One row a layer, the last on top; each column is the total relevance at one site. Bands of columns where they are more than fit.
void print_table(const Ledger& ledger, const char* title, std::span<const Site> sites) {
    constexpr std::size_t margin = 6, column = 12;
    const auto width = static_cast<std::size_t>(detect_terminal(STDOUT_FILENO).width);
    const std::size_t per_band = width < margin + column ? 1 : (width - margin) / column;
    std::printf("%s\n", title);
    for (; !sites.empty(); sites = sites.subspan(std::min(per_band, sites.size()))) {
        const auto band = sites.first(std::min(per_band, sites.size()));
        std::printf("%-6s", "layer");
        for (const Site site : band) std::printf(" %11s", std::string(site_name(site)).c_str());
        std::printf("\n");
        for (std::size_t l = ledger.layers.size(); l-- > 0;) {
            std::printf("%-6zu", l);
            for (const Site site : band) std::printf(" %11.5g", total(ledger.layers[l], site));
            std::printf("\n");
        }
        std::printf("\n");
    }
}

void print_totals(const Ledger& ledger) {
    const int width = detect_terminal(STDOUT_FILENO).width;
    std::printf("%s\n\n", wrapped("Total relevance at each site. Parallel branches split it: resid_post goes to resid_mid and mlp_out, neuron to gate and up, "
                                  "head to probs and v, scores to q and k. Explained: " +
                                      number_text(ledger.explained, 9),
                                  width)
                               .c_str());
    print_table(ledger, "Residual stream and MLP", std::array{Site::resid_post, Site::mlp_out, Site::neuron, Site::act, Site::gate, Site::up, Site::mlp_norm, Site::resid_mid});
    print_table(ledger, "Attention", std::array{Site::attn_out, Site::head, Site::probs, Site::scores, Site::q, Site::k, Site::v, Site::q_pre, Site::k_pre, Site::attn_norm, Site::resid_pre});
    std::printf("At the embedding: %.9g, that is %.2f %% of what was explained\n\n", ledger.embedding,
                ledger.explained != 0 ? 100 * ledger.embedding / ledger.explained : 0.0);
}

void print_line(const std::string& layer, const char* where, const Absorbed& absorbed) {
    std::printf("%-10s %-14s %14.7g %14.7g %12.3g\n", layer.c_str(), where, absorbed.predicted, absorbed.observed, absorbed.gap());
}

void print_ledger(const Ledger& ledger) {
    std::printf("Where relevance is absorbed\n%-10s %-14s %14s %14s %12s\n", "layer", "where", "predicted", "observed", "gap");
    print_line("output", "head, norm", ledger.output);
    for (std::size_t l = ledger.layers.size(); l-- > 0;) {
        const LedgerLayer& layer = ledger.layers[l];
        const std::string name = std::to_string(l);
        print_line(name, "mlp", layer.mlp);
        print_line(name, "attention", layer.attention);
        for (std::size_t h = 0; h < layer.heads.size(); ++h) print_line(name, ("  softmax " + std::to_string(h)).c_str(), layer.heads[h]);
    }
}

std::string deviation_text(const LargestDeviation& deviation) {
    if (!deviation.at) return "         -";
    std::array<char, 32> number{};
    std::snprintf(number.data(), number.size(), "%10.3g  ", deviation.value);
    return number.data() + deviation.at->text();
}

/// One row an op: the largest deviations of what it makes.
void print_comparison(const SiteComparison& comparison) {
    std::printf("Largest deviation of %s from %s, relative to the largest value of its site, by the op that made it\n\n%-10s  %-32s  %-32s  %s\n",
                comparison.mine.c_str(), comparison.right.c_str(), "op", "activation, forward", "coefficient, backward", "relevance, backward");
    for (const OpDeviation& op : comparison.ops) {
        std::printf("%-10s  %-32s  %-32s  %s\n", std::string(op.op).c_str(), deviation_text(op.activation).c_str(),
                    deviation_text(op.coefficient).c_str(), deviation_text(op.relevance).c_str());
    }
}

/// The engines live one after the other, so that one model at a time is in memory.
void run_against(const CheckOptions& options) {
    for (const auto& name : {options.model.backend, options.against}) (void)choose_backend(backends(), name);
    const Prompt prompt = read_prompt(options.model);
    AttributeOptions attribute = attribute_options(options.model, prompt);
    std::optional<Checkpoint> checkpoint;
    const EngineRequest request = open_files(options.model, prompt.ids.size(), checkpoint);
    const SiteRecording right = make_engine(options.against, request)->record(prompt.ids, attribute);
    attribute.target = right.target;
    const SiteComparison comparison = compare_sites(make_engine(options.model.backend, request)->record(prompt.ids, attribute), right);
    std::cout.flush();
    print_comparison(comparison);
    const double largest = comparison.largest();
    const bool good = largest <= options.tolerance;
    const auto first = [](const char* pass, const std::optional<SiteRef>& site, std::string_view op) {
        if (site) std::printf("%s: the first site that deviates is %s, made by %s\n", pass, site->text().c_str(), std::string(op).c_str());
    };
    std::printf("\n");
    if (!good) {
        const auto forward = comparison.first_forward(options.tolerance), backward = comparison.first_backward(options.tolerance);
        first("forward", forward, forward ? ops_of(*forward).forward : "");
        first("backward", backward, backward ? ops_of(*backward).backward : "");
    }
    std::printf("%s: %s and %s %s (largest deviation %.3g, allowed %.3g)\n", good ? "OK" : "FAILED", comparison.mine.c_str(), comparison.right.c_str(),
                good ? "agree" : "disagree", largest, options.tolerance);
    std::fflush(stdout);
    if (!good) exit_code = 1;
}

void run(const CheckOptions& options) {
    if (!options.against.empty()) return run_against(options);
    const Prompt prompt = read_prompt(options.model);
    const AttributeOptions attribute = attribute_options(options.model, prompt);
    std::optional<Checkpoint> checkpoint;
    const auto engine = open_engine(options.model, prompt.ids.size(), checkpoint);
    const Ledger ledger = engine->ledger(prompt.ids, attribute);
    std::cout.flush();
    print_totals(ledger);
    print_ledger(ledger);
    const double gap = ledger.largest_gap();
    const bool good = gap <= options.tolerance;
    std::printf("\n%s: predicted and observed absorption %s (largest gap %.3g of %.6g, allowed %.3g)\n", good ? "OK" : "FAILED", good ? "agree" : "disagree", gap,
                ledger.scale, options.tolerance);
    std::fflush(stdout);
    if (!good) exit_code = 1;
}

}  // namespace

void add_check_command(CLI::App& app) {
    auto* command = app.add_subcommand("check", "Check the books: total relevance at every site, and where rules absorb it, predicted against observed;\n"
                                                "or one backend by another, with --against");
    auto options = std::make_shared<CheckOptions>();
    add_model_options(*command, options->model);
    command->add_option("--against", options->against,
                        "instead of the books, check --backend by this backend, which is taken for right: activations, coefficients and relevance at every "
                        "site; reference64 is the one to trust most");
    command->add_option("--tolerance", options->tolerance,
                        "largest gap allowed: of the books, relative to the explained value or the relevance mass of a layer if larger; with --against, "
                        "relative to the largest value of each site")
        ->check(CLI::Validator(
            [](const std::string& text) {
                double value = 0;
                return CLI::detail::lexical_cast(text, value) && value > 0 ? std::string() : "expected a number above 0, found " + text;
            },
            "ABOVE 0"))
        ->capture_default_str();
    command->footer("Exit code 1 if predicted and observed absorption disagree, or the two backends.\nExamples:\n"
                    "  lrp check examples/models/mini \"I have 5 cats and 3 dogs. My cats love to play with my\"\n"
                    "  lrp check examples/models/mini \"The soup is hot\" --rules cp-lrp\n"
                    "  lrp check examples/models/mini \"The soup is hot\" --backend eigen --against reference64");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
