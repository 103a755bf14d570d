// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <charconv>
#include <chrono>
#include <iostream>
#include <memory>
#include <numeric>
#include <random>
#include <thread>

#include <lrp/model/llama/work.hpp>

#include "common.hpp"
#include "memory_plan.hpp"
#include "peak_memory.hpp"
#include "roofline.hpp"

namespace lrp::cli {

namespace {

struct BenchOptions {
    ModelOptions model;
    std::string tokens = "16,128,512,2048", products = "exact";
    unsigned runs = 5, warm_up = 1;
    std::uint64_t seed = 1;
    bool json = false;
};

/// Times of repeated passes over one prompt.
struct Row {
    std::size_t tokens = 0;
    std::vector<double> forward, relevance, total;
    std::uint64_t expected_peak_bytes = 0, peak_bytes = 0;
    std::string products_by;
    PassWork forward_work, relevance_work;
    double floor_s = 0;

    [[nodiscard]] double flops() const { return forward_work.flops() + relevance_work.flops(); }
    [[nodiscard]] double weights_read() const { return forward_work.weights_read() + relevance_work.weights_read(); }
};

double least(const std::vector<double>& values) { return *std::min_element(values.begin(), values.end()); }

/// The prompts: --ids as given, or for every length of --tokens random ids, the same for the same seed whatever the other lengths.
std::vector<std::vector<std::int32_t>> prompts(const BenchOptions& options, Index vocabulary) {
    if (!options.model.ids.empty()) return {parse_ids(options.model.ids)};
    std::vector<std::vector<std::int32_t>> result;
    for (const std::string& part : split_list(options.tokens)) {
        std::size_t count = 0;
        const auto [end, code] = std::from_chars(part.data(), part.data() + part.size(), count);
        if (code != std::errc() || end != part.data() + part.size() || count == 0 || count > 1'000'000)
            fail<UsageError>("--tokens: expected prompt lengths from 1 to 1000000 such as 16,128, found '", part, "'");
        std::mt19937_64 random(options.seed);
        std::vector<std::int32_t>& ids = result.emplace_back(count);
        for (std::int32_t& id : ids) id = static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(vocabulary));
    }
    return result;
}

Row time_prompt(Engine& engine, const EngineRequest& request, const BenchOptions& options, const std::vector<std::int32_t>& ids) {
    AttributeOptions attribute;
    attribute.top = 1;
    Row row;
    row.expected_peak_bytes = plan_memory(engine, {static_cast<Index>(ids.size())}, options.model.recompute, attribute, request.checkpoint->bytes());
    row.products_by = engine.product_code(ids.size());
    std::cerr << ids.size() << " tokens: expected peak memory " << peak_text(row.expected_peak_bytes, request.checkpoint->bytes())
              << (row.products_by.empty() ? "" : "; products by " + row.products_by) << '\n';
    row.tokens = ids.size();
    row.forward_work = forward_work(request.config, static_cast<Index>(ids.size()), true);
    row.relevance_work = relevance_work(request.config, static_cast<Index>(ids.size()), true);
    for (unsigned i = 0; i < options.warm_up; ++i) (void)engine.trace(ids, attribute, nullptr);
    reset_peak_memory();
    for (unsigned i = 0; i < options.runs; ++i) {
        PassTimes times;
        const auto start = std::chrono::steady_clock::now();
        (void)engine.trace(ids, attribute, &times);
        row.total.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        row.forward.push_back(times.forward);
        row.relevance.push_back(times.relevance);
    }
    row.peak_bytes = peak_memory();
    return row;
}

/// What is the same for every row.
struct Setting {
    std::string model;
    double load_s = 0, weight_bytes = 0;
    unsigned threads = 1;
    std::optional<Roofline> roofline;  ///< of the processor, where that is what computes
};

using Json = nlohmann::ordered_json;

Json machine_json(const std::optional<Roofline>& roofline) {
    if (!roofline) return {};
    return {{"read_gb_per_s", roofline->read / 1e9},
            {"f32_gflop_per_s", roofline->f32 / 1e9},
            {"f32_by", roofline->f32_by},
            {"bf16_dot_gflop_per_s", roofline->bf16_dot / 1e9},
            {"amx_gflop_per_s", roofline->amx / 1e9}};
}

Json row_json(const Row& row, const Setting& setting, const BenchOptions& options) {
    const double total = median(row.total);
    return {{"tokens", row.tokens},
            {"products", products_formed(options.model.backend, options.model.products)},
            {"model", setting.model},
            {"backend", options.model.backend},
            {"threads", setting.threads},
            {"runs", options.runs},
            {"load_s", setting.load_s},
            {"forward_s", median(row.forward)},
            {"relevance_s", median(row.relevance)},
            {"total_s", total},
            {"forward_min_s", least(row.forward)},
            {"relevance_min_s", least(row.relevance)},
            {"total_min_s", least(row.total)},
            {"totals_s", row.total},
            {"peak_bytes", row.peak_bytes},
            {"expected_peak_bytes", row.expected_peak_bytes},
            {"products_by", row.products_by},
            {"flops", row.flops()},
            {"weight_bytes_read", row.weights_read() * setting.weight_bytes},
            {"weights_gb_per_s", row.weights_read() * setting.weight_bytes / total / 1e9},
            {"gflop_per_s", row.flops() / total / 1e9},
            {"floor_s", setting.roofline ? Json(row.floor_s) : Json()},
            {"roofline_share", setting.roofline ? Json(row.floor_s / total) : Json()},
            {"machine", machine_json(setting.roofline)}};
}

void print_setting(const Setting& setting, const BenchOptions& options) {
    std::printf("%s on %s, products %s, %s; loaded in %.2f s. Medians of %s after %u to warm up; least total in brackets.\n", setting.model.c_str(),
                options.model.backend.c_str(), products_formed(options.model.backend, options.model.products).c_str(), counted(setting.threads, "thread").c_str(), setting.load_s, counted(options.runs, "run").c_str(), options.warm_up);
    std::printf("\n| tokens | forward s | relevance s | total s               | weights GB/s | GFLOP/s | of roofline | peak memory |\n"
                "|-------:|----------:|------------:|----------------------:|-------------:|--------:|------------:|------------:|\n");
}

void print_machine(const Roofline& machine) {
    std::printf("\nThis machine at most: reads %.1f GB/s; f32 %.0f GFLOP/s (%s)", machine.read / 1e9, machine.f32 / 1e9, machine.f32_by.c_str());
    if (machine.bf16_dot > 0) std::printf("; vdpbf16ps %.0f", machine.bf16_dot / 1e9);
    if (machine.amx > 0) std::printf("; AMX bf16 %.0f", machine.amx / 1e9);
    std::printf("\n");
}

void print_row(const Row& row, const Setting& setting) {
    const double total = median(row.total);
    std::array<char, 40> totals{}, share{"-"};
    std::snprintf(totals.data(), totals.size(), "%.4g (%.4g)", total, least(row.total));
    if (setting.roofline) std::snprintf(share.data(), share.size(), "%.1f %%", 100 * row.floor_s / total);
    std::printf("| %6zu | %9.4g | %11.4g | %21s | %12.2f | %7.1f | %11s | %11s |\n", row.tokens, median(row.forward), median(row.relevance), totals.data(),
                row.weights_read() * setting.weight_bytes / total / 1e9, row.flops() / total / 1e9, share.data(), human_bytes(row.peak_bytes).c_str());
    std::fflush(stdout);
}

void run(BenchOptions options) {
    options.model.products = parse_products(options.products);
    std::optional<Checkpoint> checkpoint;
    const auto start = std::chrono::steady_clock::now();
    (void)choose_backend(backends(), options.model.backend);
    const EngineRequest request = open_files(options.model, 0, checkpoint);
    const auto all = prompts(options, request.config.vocab_size);
    const auto engine = make_engine(options.model.backend, request);
    Setting setting;
    setting.load_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    setting.model = model_name(options.model.folder);
    setting.weight_bytes = engine->weight_bytes();
    if (engine->on_host()) setting.roofline.emplace();
    setting.threads = all_if_none(options.model.threads);
    if (!options.json) print_setting(setting, options);
    auto list = Json::array();
    for (const auto& ids : all) {
        if (setting.roofline) setting.roofline->raise(measure_roofline(setting.threads));
        Row row = time_prompt(*engine, request, options, ids);
        if (setting.roofline)
            for (const PassWork& work : {row.forward_work, row.relevance_work}) row.floor_s += setting.roofline->floor(work, setting.weight_bytes, options.model.products);
        if (!options.json) print_row(row, setting);
        list.push_back(row_json(row, setting, options));
    }
    if (options.json)
        write_result("-", list.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
    else if (setting.roofline)
        print_machine(*setting.roofline);
    std::cout.flush();
}

}  // namespace

void add_bench_command(CLI::App& app) {
    auto* command = app.add_subcommand("bench", "Time the forward and the relevance pass over random prompts, against what this machine can do at most");
    auto options = std::make_shared<BenchOptions>();
    command->add_option("MODEL_DIR", options->model.folder, "Hugging Face checkpoint folder; `lrp make-random` makes one of any size")->required();
    command->add_option("--tokens", options->tokens, "prompt lengths, with commas between")->capture_default_str();
    command->add_option("--ids", options->model.ids, "one prompt of these token ids instead, e.g. 1,5,7");
    command->add_option("--products", options->products, "exact: as exact as float32; fast: activations may be rounded to bf16 where that is faster")
        ->check(CLI::IsMember({"exact", "fast"}))
        ->capture_default_str();
    command->add_option("--runs", options->runs, "timed passes over each prompt")->check(CLI::Range(1, 10000))->capture_default_str();
    command->add_option("--warm-up", options->warm_up, "passes before them that are not timed")->check(CLI::Range(0, 1000))->capture_default_str();
    add_threads_option(*command, options->model.threads);
    command->add_option("--backend", options->model.backend, "what computes: " + backend_help())->capture_default_str();
    add_recompute_option(*command, options->model);
    add_seed_option(*command, options->seed, "another seed, other random prompts");
    command->add_flag("--json", options->json, "write a list with one object a prompt length");
    command->footer("A pass is what `trace` does: the most likely next token, its relevance at the prompt and in every layer's residual stream (AttnLRP).\n"
                    "GB/s and GFLOP/s count what must be done at least: every weight read once a direction, the explained row alone in the last layer.\n"
                    "The share of the roofline is the least time that takes at the machine's rates, the best measured so far, over the time it took.\n"
                    "Examples:\n"
                    "  lrp bench examples/models/mini --tokens 16,128\n"
                    "  lrp make-random random-1b --like llama-3.2-1b && lrp bench random-1b --products fast --json");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
