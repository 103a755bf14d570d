// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <memory>

#include <lrp/pipeline/dashboard.hpp>
#include <lrp/pipeline/unit_record.hpp>
#include <lrp/view/label.hpp>
#include <lrp/view/terminal.hpp>

#include "common.hpp"

namespace lrp::cli {

namespace {

struct ShowOptions {
    std::string store, unit, html, search;
    bool json = false, head = false, check = false;
    std::size_t top = 8;
    DashboardOptions dashboard;
};

/// The window as text, the entry's own token in brackets.
std::string snippet(const UnitEntry& entry, const std::vector<std::string>& tokens) {
    std::string text;
    for (std::size_t i = 0; i < entry.ids.size(); ++i) {
        const std::string token = visible(tokens.at(static_cast<std::size_t>(entry.ids[i])));
        text += entry.begin + static_cast<std::int32_t>(i) == entry.place.position ? "[" + token + "]" : token;
    }
    return text;
}

void print_unit(NeuronStore& store, const UnitRecord& record, const std::vector<std::string>& tokens, std::size_t top) {
    std::printf("%s\n", record.name.text().c_str());
    for (const StoredLabel& label : store.labels_of(record.name.site, record.name.layer, record.name.unit)) {
        std::printf("  label (%s, %s): %s", label.pole.c_str(), visible(label.source).c_str(), visible(label.label).c_str());
        if (label.score == label.score) std::printf("   [score %.3f, shuffled labels %.3f, the best 5 %% of them from %.3f]", label.score, label.null_mean, label.null_high);
        std::printf("\n");
    }
    std::string kind;
    for (const StoredUnitToken& token : store.tokens_of(record.name.site, record.name.layer, record.name.unit)) {
        const std::string now = token.kind + " " + token.pole;
        if (now != kind) std::printf("%s  %-11s", kind.empty() ? "" : "\n", now.c_str());
        kind = now;
        std::printf(" '%s'", visible(tokens.at(static_cast<std::size_t>(token.token))).c_str());
    }
    if (!kind.empty()) std::printf("\n");
    for (std::size_t q = 0; q < 2; ++q) {
        const UnitStatistics& s = record.statistics[q];
        std::printf("  %-10s mean %.4g, standard deviation %.4g, positive %.1f %%, median %.4g, 1 %% below %.4g, 1 %% above %.4g\n", std::string(quantity_names[q]).c_str(),
                    s.mean, std::sqrt(s.variance), 100 * s.positive, s.quantiles[4], s.quantiles[1], s.quantiles[7]);
    }
    for (std::size_t which = 0; which < 4; ++which) {
        std::printf("\n%s\n%12s  %8s %8s  text\n", std::string(list_names[which]).c_str(), "value", "document", "position");
        for (std::size_t i = 0; i < std::min(top, record.lists[which].size()); ++i) {
            const UnitEntry& entry = record.lists[which][i];
            std::printf("%12.5g  %8d %8d  %s\n", static_cast<double>(entry.value), entry.place.document, entry.place.position, snippet(entry, tokens).c_str());
        }
    }
}

void print_summary(NeuronStore& store) {
    std::printf("Neuron store of %s\n", visible(store.fact("model")).c_str());
    for (const auto& [key, value] : store.provenance()) std::printf("  %-26s %s\n", visible(key).c_str(), visible(value).c_str());
    std::printf("  %-26s %zu\n  %-26s %s\n", "labels", store.labels().size(), "size", human_bytes(store.bytes()).c_str());
}

void print_search(NeuronStore& store, const std::string& words) {
    if (const auto why = store.query_error(words)) fail<UsageError>("--search: expected words, \"words in order\", word* or one OR other, found '", words, "' (", *why, ")");
    const std::vector<StoredLabel> labels = store.labels(words);
    const std::vector<std::int32_t> documents = store.find_documents(words, 20);
    if (labels.empty() && documents.empty()) std::cerr << "lrp: no label and no document goes with '" << words << "'\n";
    for (const StoredLabel& label : labels)
        std::printf("%-6s %3lld/%-6lld %s  %-8s %s\n", label.site.c_str(), static_cast<long long>(label.layer), static_cast<long long>(label.unit), label.pole.c_str(),
                    visible(label.source).c_str(), visible(label.label).c_str());
    for (const std::int32_t number : documents) {
        const StoredDocument document = store.document(number);
        std::printf("document %d (%s, line %lld): %s\n", number, visible(document.source).c_str(), static_cast<long long>(document.line),
                    visible(detail::shortened(document.text, 160)).c_str());
    }
}

void run(const ShowOptions& options) {
    if (!options.search.empty() && (!options.unit.empty() || options.json)) fail<UsageError>("--search: it goes neither with a unit nor with --json");
    if (options.head && options.unit.empty()) fail<UsageError>("--head: say which, as layer/head");
    NeuronStore store = NeuronStore::open(options.store);
    if (options.check) {
        store.check();
        std::cerr << "lrp: " << options.store << ": every checksum fits\n";
    }
    const UnitSizes sizes = unit_sizes(store);
    const std::vector<std::string> tokens = store.tokens();
    if (!options.unit.empty()) {
        const UnitName name = UnitName::parse(options.unit, options.head, sizes);
        const UnitSummary summary = read_layer(store, sizes, layer_file_name(name.site, static_cast<std::size_t>(name.layer)));
        const UnitRecord record = unit_record(store, name, summary);
        if (options.json) {
            write_result("-", unit_json(store, record, tokens).dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
        } else {
            print_unit(store, record, tokens, options.top);
        }
    } else if (options.json) {
        nlohmann::ordered_json facts(store.provenance());
        write_result("-", facts.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
    } else if (!options.search.empty()) {
        print_search(store, options.search);
    } else if (options.html.empty() && !options.check) {
        print_summary(store);
    }
    std::fflush(stdout);
    if (!options.html.empty()) write_result(options.html, dashboard_page(store, options.dashboard));
}

}  // namespace

void add_show_command(CLI::App& app) {
    auto* command = app.add_subcommand("show", "Show a neuron store: one unit, a search, or everything as a page");
    auto options = std::make_shared<ShowOptions>();
    command->add_option("STORE", options->store, "folder that `lrp collect` made")->required();
    command->add_option("UNIT", options->unit, "layer/neuron, counted from 0; head:layer/head, or with --head layer/head. Without it: what the store is");
    command->add_flag("--head", options->head, "UNIT is a head");
    command->add_flag("--json", options->json, "write the unit as JSON: activation_max, activation_min, relevance_max, relevance_min, statistics, labels");
    command->add_option("--top", options->top, "entries of each list on the screen")->check(CLI::Range(1, 10000))->capture_default_str();
    command->add_option("--search", options->search, "labels and documents with these words (SQLite's full-text queries: \"red dog\", fruit*, cat OR dog)");
    command->add_option("--html", options->html, "write a page to look through all units; needs nothing but a browser");
    command->add_option("--html-top", options->dashboard.top, "entries of each list on the page; 0: as many as 48 MiB hold")->check(CLI::Range(0, 1000))->capture_default_str();
    command->add_flag("--check", options->check, "read the whole store and check it");
    command->footer("Examples:\n"
                    "  lrp show mini.store 3/118\n"
                    "  lrp show mini.store 3/118 --json\n"
                    "  lrp show mini.store head:1/3\n"
                    "  lrp show mini.store --search dogs\n"
                    "  lrp show mini.store --html neurons.html");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
