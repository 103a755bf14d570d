// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// `lrp trace --file`: a prompt a line, packed into passes, each result that of a run of its own.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <numeric>

#include <lrp/io/hf_config.hpp>
#include <lrp/io/json.hpp>
#include <lrp/io/npz.hpp>
#include <lrp/io/safetensors_write.hpp>
#include <lrp/io/text_lines.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/pipeline/trace_file.hpp>
#include <lrp/view/ansi.hpp>
#include <lrp/view/json.hpp>
#include <lrp/view/progress.hpp>

#include "trace_options.hpp"

namespace lrp::cli {

namespace {

/// A line with a prompt.
struct Line {
    std::int64_t number = 0;
    std::string text;
    Encoding encoding;
};

/// UsageError for what belongs to one prompt alone.
void check_options(const TraceOptions& options) {
    const auto refuse = [](bool given, const char* name, const char* why) {
        if (given) fail<UsageError>("--file: ", name, " does not go with it: ", why);
    };
    refuse(options.model.has_prompt, "a prompt on the command line", "the file's lines are the prompts");
    refuse(!options.model.ids.empty(), "--ids", "the file's lines are the prompts");
    for (const auto& [name, value] : {std::pair{"--html", &options.html}, {"--svg", &options.svg}, {"--tex", &options.tex}})
        refuse(!value->empty(), name, "it is a picture of one prompt; --json, --npz and --safetensors hold many");
    refuse(!options.unit.empty(), "--unit", "it explains a unit in one prompt");
    refuse(!options.through.empty(), "--through", "it follows paths in one prompt");
    refuse(options.include_embedding, "--include-embedding", "no heatmap is shown");
    refuse(options.has_normalize, "--normalize", "no heatmap is shown");
    (void)takes_stdout({{"--json", options.json}, {"--npz", options.npz, false}, {"--safetensors", options.safetensors, false}});
}

/// The prompt in a line of JSONL.
std::string text_of_line(const std::string& line, const std::string& where) {
    const nlohmann::json value = parse_json(line, where);
    const JsonFields fields(value, where);
    require(fields.has("prompt") != fields.has("text"), where, ": expected 'prompt' or 'text', found ", fields.has("text") ? "both" : "neither");
    return *fields.text(fields.has("prompt") ? "prompt" : "text");
}

std::vector<Line> read_lines(const TraceOptions& options, const Tokenizer& tokenizer, std::uint64_t context) {
    std::vector<Line> lines;
    const bool jsonl = options.file.ends_with(".jsonl");
    each_text_line(options.file, [&](const std::string& written, const std::string& where, std::int64_t number) {
        const std::string text = jsonl ? text_of_line(written, where) : written;
        Line line{number, text, tokenizer.encode(text, {.special_in_text = options.model.special_in_text})};
        const std::size_t tokens = line.encoding.ids.size();
        require(tokens > 0, where, ": the prompt has no token");
        require(tokens <= context, where, ": a prompt of ", tokens, " tokens, and the model was made for ", context);
        lines.push_back(std::move(line));
    });
    require(!lines.empty(), options.file, ": there is no prompt in it");
    return lines;
}

/// Counted from the end where negative.
std::optional<std::size_t> position_in(const Line& line, const TraceOptions& options) {
    if (!options.model.position) return std::nullopt;
    const auto count = static_cast<long long>(line.encoding.ids.size());
    const long long position = *options.model.position < 0 ? *options.model.position + count : *options.model.position;
    if (position < 0 || position >= count)
        fail<UsageError>(options.file, ": line ", line.number, ": --position: expected ", -count, " to ", count - 1, " for a prompt of ", count, " tokens, found ", *options.model.position);
    return static_cast<std::size_t>(position);
}

/// Takes traces in the order of the lines: to the screen, and into the files that were asked for.
class Results {
  public:
    Results(const TraceOptions& options, const TraceSites& sites) : options_(options), sites_(sites), names_(split_list(options.sites)), style_(detect_terminal(STDOUT_FILENO)) {}

    void take(Trace trace, std::int64_t line) {
        if (options_.json != "-") print(trace, line);
        if (!options_.json.empty()) {
            std::string text = trace_json(trace, names_, true);
            if (options_.json == "-") {
                std::cout << text << std::flush;
                require(std::cout.good(), "standard output: the result could not be written");
            } else {
                json_ += text;
            }
        }
        if (!sites_.embedding) trace.embedding.clear();
        if (!sites_.residual) trace.residual.clear();
        if (keeps_data()) add_trace(data_, trace, count_);
        ++count_;
    }

    void write() const {
        if (!options_.json.empty() && options_.json != "-") write_result(options_.json, json_);
        if (!options_.npz.empty()) write_result(options_.npz, to_npz(data_));
        if (!options_.safetensors.empty()) write_result(options_.safetensors, to_safetensors(data_));
    }

  private:
    [[nodiscard]] bool keeps_data() const { return !options_.npz.empty() || !options_.safetensors.empty(); }

    void print(const Trace& trace, std::int64_t line) const {
        std::array<char, 64> numbers{};
        const Prediction& best = trace.predictions.front();
        std::snprintf(numbers.data(), numbers.size(), " %.2f%%", 100 * best.probability);
        std::cout << (count_ == 0 ? "" : "\n") << "line " << line << ": '" << visible(best.token) << "'" << numbers.data();
        if (trace.target != best.id || trace.contrast) {
            std::cout << ", explained: '" << visible(trace.target_token) << "'";
            if (trace.contrast) std::cout << " against '" << visible(trace.contrast_token) << "'";
        }
        std::cout << '\n' << ansi_prompt(trace, style_) << std::flush;
    }

    const TraceOptions& options_;
    TraceSites sites_;
    std::vector<std::string> names_;
    TerminalStyle style_;
    std::string json_;
    DataFile data_;
    std::size_t count_ = 0;
};

}  // namespace

void trace_file_of_prompts(const TraceOptions& options) {
    check_options(options);
    const TraceSites sites = parse_sites(options.sites);
    const auto start = std::chrono::steady_clock::now();
    const auto seconds = [&] { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count(); };
    require(std::filesystem::is_directory(options.model.folder), options.model.folder, ": expected a checkpoint folder");
    Prompt model_of;
    model_of.tokenizer = load_tokenizer(options.model.folder);
    require(model_of.tokenizer.has_value(), options.model.folder, ": there is no tokenizer.json, without which --file has no tokens");
    const auto lines = read_lines(options, *model_of.tokenizer, read_hf_config(options.model.folder).max_position_embeddings);
    std::vector<PromptOfMany> prompts;
    for (const Line& line : lines) prompts.push_back({line.encoding.ids, std::nullopt, position_in(line, options)});

    ModelOptions same = options.model;
    same.position.reset();
    AttributeOptions attribute = attribute_options(same, model_of);
    attribute.top = options.top;
    attribute.seed_with_logit = options.lxt_seed;
    const bool details = !options.json.empty() || !options.npz.empty() || !options.safetensors.empty();
    attribute.sites = {true, true, details && sites.head, details && sites.neuron};
    std::optional<Checkpoint> checkpoint;
    const EngineRequest request = open_files(options.model, 0, checkpoint);
    const auto engine = make_engine(options.model.backend, request);
    const double load = seconds();

    const std::size_t limit = tokens_of_a_pass(*engine, attribute.sites), most = (limit + 7) / 8;
    PassShape all{0, static_cast<Index>(lines.size()), 0}, largest{0, 1, 0};
    for (const Line& line : lines) {
        const auto tokens = static_cast<Index>(line.encoding.ids.size());
        all.tokens += tokens;
        largest.longest = std::max(largest.longest, tokens);
    }
    largest.tokens = std::max(std::min(static_cast<Index>(limit), all.tokens), largest.longest);
    largest.prompts = std::min(static_cast<Index>(most), all.prompts);
    // A file is written whole or not at all, so that all of it stands in memory first; as text a number is four times as long.
    const bool data_file = !options.npz.empty() || !options.safetensors.empty(), text_file = !options.json.empty() && options.json != "-";
    const std::uint64_t files = trace_bytes(request.config, all, attribute.sites) * ((data_file ? 3 : 0) + (text_file ? 8 : 0));
    require_memory(files, detail::concat("what the files hold of ", lines.size(), " prompts"), "; choose less with --sites, or write --json -, line by line");
    const std::uint64_t peak = plan_memory(*engine, largest, options.model.recompute, attribute, checkpoint->bytes()) + files;
    if (options.timing) print_plan(*engine, static_cast<std::size_t>(largest.longest), peak, checkpoint->bytes());

    Progress progress("tracing", "tokens", static_cast<std::uint64_t>(all.tokens));
    Results results(options, sites);
    PassTimes times;
    std::size_t passes = 0;
    // A few passes' worth of lines at a time, shortest first, as prompts of about one length go together.
    const auto provenance = trace_provenance(options, *checkpoint);
    for (std::size_t begin = 0, end = 0; begin < lines.size(); begin = end) {
        for (std::size_t tokens = 0; end < lines.size() && (end == begin || tokens + prompts[end].ids.size() <= 4 * limit); ++end) tokens += prompts[end].ids.size();
        std::vector<std::size_t> order(end - begin);
        std::iota(order.begin(), order.end(), begin);
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return prompts[a].ids.size() < prompts[b].ids.size(); });
        std::vector<PromptOfMany> sorted;
        for (const std::size_t i : order) sorted.push_back(prompts[i]);
        std::vector<Trace> traces(order.size());
        for (std::size_t done = 0; done < sorted.size(); ++passes)
            for (Trace& trace : engine->trace_some(std::span(sorted).subspan(done, std::min(most, sorted.size() - done)), attribute, limit, times)) {
                progress.add(trace.ids.size());
                traces[order[done++] - begin] = std::move(trace);
            }
        progress.hide();
        for (std::size_t i = begin; i < end; ++i) {
            Trace& trace = traces[i - begin];
            trace.prompt = lines[i].text;
            name_tokens(trace, *model_of.tokenizer, &lines[i].encoding);
            trace.provenance.insert(provenance.begin(), provenance.end());
            trace.provenance["line"] = std::to_string(lines[i].number);
            results.take(std::move(trace), lines[i].number);
        }
    }
    progress.finish();
    results.write();
    if (options.timing) {
        std::cerr << counted(lines.size(), "prompt") << ", " << counted(all.tokens, "token") << " in " << passes << (passes == 1 ? " pass; " : " passes; ");
        print_timing(load, times);
    }
}

}  // namespace lrp::cli
