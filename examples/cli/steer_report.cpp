// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "steer_report.hpp"

#include <cctype>
#include <charconv>
#include <cstdio>
#include <iostream>
#include <set>

#include <lrp/core/config.hpp>
#include <lrp/view/label.hpp>
#include <lrp/view/progress.hpp>
#include <lrp/view/steering_figure.hpp>

#include "generated_json.hpp"
#include "prompt_file.hpp"
#include "steering_arguments.hpp"

namespace lrp::cli {

namespace {

/// Letters, digits and bytes beyond ASCII make a word; letters of ASCII lose their case.
std::set<std::string> words_of(const std::string& text) {
    std::set<std::string> words;
    std::string word;
    for (const char c : text + " ") {
        const auto byte = static_cast<unsigned char>(c);
        if (std::isalnum(byte) != 0 || byte >= 0x80) {
            word += static_cast<char>(std::tolower(byte));
        } else if (!word.empty()) {
            words.insert(std::move(word));
            word.clear();
        }
    }
    return words;
}

/// What counts as on target, from the options: a word anywhere in the continuation, or the first new token.
class Target {
  public:
    Target(const ReportCommand& report, const std::optional<Tokenizer>& tokenizer, const std::string& folder) : tokenizer_(tokenizer) {
        if (!report.target_words.empty()) {
            require(tokenizer.has_value(), folder, ": there is no tokenizer.json, without which --target-words has no text to look at; give --target-tokens");
            words_ = words_of(report.target_words);
            if (words_.empty()) fail<UsageError>("--target-words: expected words such as soup,bread, found '", report.target_words, "'");
            text_ = (words_.size() == 1 ? "continuations with the word " : "continuations with one of the words ") + join(words_);
            return;
        }
        std::set<std::string> names;
        for (const std::string& part : split_list(report.target_tokens)) {
            tokens_.insert(token_argument(part, "--target-tokens", tokenizer));
            names.insert("'" + part + "'");
        }
        text_ = (names.size() == 1 ? "continuations that begin with the token " : "continuations that begin with one of the tokens ") + join(names);
    }
    [[nodiscard]] const std::string& text() const { return text_; }

    [[nodiscard]] bool operator()(std::span<const std::int32_t> prompt, const std::vector<std::int32_t>& new_ids) const {
        if (!tokens_.empty()) return tokens_.contains(new_ids.front());
        const std::set<std::string> found = words_of(continuation(prompt, new_ids));
        return std::any_of(words_.begin(), words_.end(), [&](const std::string& word) { return found.contains(word); });
    }
    /// The new text, as it stands behind the prompt.
    [[nodiscard]] std::string continuation(std::span<const std::int32_t> prompt, const std::vector<std::int32_t>& new_ids) const {
        std::vector<std::int32_t> all(prompt.begin(), prompt.end());
        all.insert(all.end(), new_ids.begin(), new_ids.end());
        if (!tokenizer_) {
            std::string ids;
            for (const std::int32_t id : new_ids) ids += (ids.empty() ? "" : ",") + std::to_string(id);
            return ids;
        }
        return continuation_text(*tokenizer_, decoded(*tokenizer_, prompt), all, prompt.size());
    }

  private:
    static std::string join(const std::set<std::string>& parts) {
        std::string out;
        for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
        return out;
    }

    const std::optional<Tokenizer>& tokenizer_;
    std::set<std::string> words_;
    std::set<std::int32_t> tokens_;
    std::string text_;
};

/// Each neuron's relevance [layer * width + index], summed with its sign over positions; the mean over prompts.
std::vector<double> mean_relevance(Engine& engine, const PromptList& prompts, const ModelOptions& model, std::size_t& width) {
    std::vector<double> means;
    for (std::size_t i = 0; i < prompts.prompts.size(); ++i) {
        const Prompt prompt = prompts.prompt(i);
        const Trace trace = engine.units(prompt.ids, attribute_options(model, prompt), 1, UnitScope::summed).trace;
        width = trace.neurons;
        means.resize(trace.layers * width);
        for (std::size_t at = 0; at < trace.neuron.size(); ++at)
            means[at / (trace.tokens_count * width) * width + at % width] += static_cast<double>(trace.neuron[at]) / static_cast<double>(prompts.prompts.size());
    }
    return means;
}

/// The neurons with the largest relevance over prompts, less that over others where there are any.
std::vector<UnitRef> most_relevant(Engine& engine, const PromptList& prompts, const PromptList* against, const ModelOptions& model, std::size_t count) {
    std::size_t width = 0;
    std::vector<double> scores = mean_relevance(engine, prompts, model, width);
    if (against != nullptr) {
        const std::vector<double> others = mean_relevance(engine, *against, model, width);
        for (std::size_t i = 0; i < scores.size(); ++i) scores[i] -= others[i];
    }
    std::vector<std::size_t> order(scores.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    if (count > order.size()) fail<UsageError>("--top-relevant: the model has ", order.size(), " neurons, found ", count);
    std::vector<UnitRef> units;
    for (std::size_t i = 0; i < count; ++i) units.push_back({Site::neuron, static_cast<Index>(order[i] / width), static_cast<Index>(order[i] % width)});
    return units;
}

std::vector<double> numbers(const std::string& text) {
    std::vector<double> values;
    for (const std::string& part : split_list(text)) {
        double value = 0;
        const auto [end, code] = std::from_chars(part.data(), part.data() + part.size(), value);
        if (code != std::errc() || end != part.data() + part.size()) fail<UsageError>("--multipliers: expected numbers such as 0,0.5,1,2, found '", text, "'");
        values.push_back(value);
    }
    return values;
}

/// A line needs two multipliers.
bool has_slope(const SteeringReport& report) {
    const auto& points = report.chosen.points;
    return std::any_of(points.begin(), points.end(), [&](const SteeringPoint& point) { return point.multiplier != points.front().multiplier; });
}

nlohmann::json curve_json(const SteeringCurve& curve, bool slope) {
    nlohmann::json units = nlohmann::json::array(), points = nlohmann::json::array();
    for (const UnitRef& unit : curve.units) units.push_back({{"site", site_name(unit.site)}, {"layer", unit.layer}, {"index", unit.unit}});
    for (const SteeringPoint& p : curve.points) {
        points.push_back({{"multiplier", p.multiplier}, {"rate", p.rate}, {"rate_low", p.rate_interval.low}, {"rate_high", p.rate_interval.high}, {"perplexity", p.perplexity},
                          {"changed", p.changed}, {"hits", p.hits}});
        points.back()["off_target"] = p.off_target ? nlohmann::json(*p.off_target) : nlohmann::json();
    }
    nlohmann::json out{{"units", units}, {"points", points}, {"slope", nullptr}, {"against", nullptr}};
    if (slope) {
        out["slope"] = curve.slope;
        out["against"] = curve.against;
    }
    return out;
}

nlohmann::json interval_json(const Interval& interval) { return {interval.low, interval.high}; }

void print_report(const SteeringReport& report, const SteeringFigure& figure) {
    std::printf("%s\nTarget: %s\nUnits: %s\n%s, %s each; control: %s of as many random units of the same layers\n\n", visible(figure.title).c_str(),
                visible(figure.target).c_str(), visible(figure.units).c_str(), counted(report.prompts, "prompt").c_str(), counted(report.samples, "continuation").c_str(),
                counted(report.random.size(), "set").c_str());
    const bool neutral = report.chosen.points.front().off_target.has_value();
    std::printf("%10s  %6s %-15s  %6s %-15s  %10s %-17s  %-17s  %s\n", "multiplier", "rate", " [95 % Wilson]", "random", " [least, most]", "difference", " [95 % bootstrap]", "perplexity random",
                neutral ? "off target, random (nats)" : "");
    for (std::size_t m = 0; m < report.chosen.points.size(); ++m) {
        const SteeringPoint& p = report.chosen.points[m];
        const RandomPoint control = random_point(report, m);
        std::printf("%10g  %6.3f [%.3f, %.3f]  ", p.multiplier, p.rate, p.rate_interval.low, p.rate_interval.high);
        if (report.random.empty()) {
            std::printf("%58s  %8.3f\n", "", p.perplexity);
            continue;
        }
        std::printf("%6.3f [%.3f, %.3f]  %+10.3f [%+.3f, %+.3f]  %8.3f %8.3f", control.rate, control.least, control.most, report.difference[m], report.difference_interval[m].low,
                    report.difference_interval[m].high, p.perplexity, control.perplexity);
        if (p.off_target) std::printf("  %.4f, %.4f", *p.off_target, control.off_target);
        std::printf("\n");
    }
    if (has_slope(report)) {
        std::printf("\nSlope of the rate: %+.3f [%+.3f, %+.3f] per unit of multiplier", report.chosen.slope, report.slope_interval.low, report.slope_interval.high);
        if (!report.random.empty()) std::printf("; random %+.3f [%+.3f, %+.3f]", report.random_slope, report.random_slope_interval.low, report.random_slope_interval.high);
        std::printf(". Prompts that move the other way: %.0f %%.\n", 100 * report.chosen.against);
    }
    for (const auto& [multiplier, text] : figure.examples) std::printf("  x %-5g %s\n", multiplier, visible(text).c_str());
    std::fflush(stdout);
}

}  // namespace

void add_report_options(CLI::App& command, ReportCommand& report) {
    const char* group = "Report";
    command.add_flag("--report", report.report, "multiply the units by 0 to 2 over many prompts, beside as many random units; factors and values given with the units do not count")->group(group);
    command.add_option("--file", report.file, "the prompts: text, one a line, or JSONL with text, prompt or ids")->group(group);
    command.add_option("--target-words", report.target_words, "a,b,c: a continuation with one of these words (any letter case) is on target")->group(group);
    command.add_option("--target-tokens", report.target_tokens, "a,b,c: a continuation that begins with one of these tokens is")->group(group);
    command.add_option("--relevance-file", report.relevance_file, "for --top-relevant: prompts whose next tokens (or --target) the neurons are relevant for, in place of --file's")->group(group);
    command.add_option("--against-file", report.against_file, "for --top-relevant: other prompts; neurons are ranked by their mean relevance over the former less that over these")->group(group);
    command.add_option("--neutral", report.neutral, "texts in which nothing should change, one a line: how far the next-token distributions move")->group(group);
    command.add_option("--samples", report.options.samples, "continuations of each prompt; more than one needs a --temperature")->check(CLI::Range(1, 100000))->group(group)->capture_default_str();
    command.add_option("--random-sets", report.options.random_sets, "sets of random units, as many of each layer as were chosen there")->check(CLI::Range(0, 1000))->group(group)->capture_default_str();
    command.add_option("--multipliers", report.multipliers, "the factors, in order")->group(group)->capture_default_str();
    command.add_option("--title", report.title, "of table and figure")->group(group);
    command.add_option("--html", report.html, "write figure and table as a page")->group(group);
    command.add_option("--svg", report.svg, "write the figure")->group(group);
}

void check_no_report(const ReportCommand& report) {
    const ReportCommand none;
    const auto refuse = [](const char* name, const auto& given, const auto& otherwise) {
        if (given != otherwise) fail<UsageError>(name, ": belongs to a report; give --report");
    };
    refuse("--file", report.file, none.file);
    refuse("--target-words", report.target_words, none.target_words);
    refuse("--target-tokens", report.target_tokens, none.target_tokens);
    refuse("--neutral", report.neutral, none.neutral);
    refuse("--relevance-file", report.relevance_file, none.relevance_file);
    refuse("--against-file", report.against_file, none.against_file);
    refuse("--title", report.title, none.title);
    refuse("--html", report.html, none.html);
    refuse("--svg", report.svg, none.svg);
    refuse("--samples", report.options.samples, none.options.samples);
    refuse("--random-sets", report.options.random_sets, none.options.random_sets);
    refuse("--multipliers", report.multipliers, none.multipliers);
}

void run_report(const ModelOptions& model, const SteeringOptions& steering, const GenerationOptions& generation, ReportCommand report) {
    const bool quiet = takes_stdout({{"--json", report.json}, {"--svg", report.svg}, {"--html", report.html}});
    SteeringPlan plan = named_plan(steering, false);
    if (!plan.directions.empty()) fail<UsageError>("--add-direction: a report multiplies neurons and heads; directions have no random counterpart");
    if (!plan.positions.empty()) fail<UsageError>("--positions: a report has prompts of many lengths; give --mode new-tokens to leave prompts as they are");
    if (!steering.adjust.empty()) fail<UsageError>("--adjust: a report holds its units fixed; give --top-relevant");
    if (report.target_words.empty() == report.target_tokens.empty()) fail<UsageError>("--report: say what is on target, with one of --target-words and --target-tokens");
    report.options.multipliers = numbers(report.multipliers);
    report.options.mode = steering.steering_mode();
    const PromptList prompts = read_prompts(report.file, model);
    const Target target(report, prompts.tokenizer, model.folder);
    std::vector<std::vector<std::int32_t>> neutral;
    std::size_t longest = prompts.longest;
    if (!report.neutral.empty()) {
        const PromptList list = read_prompt_file(report.neutral, model);
        neutral = list.ids();
        longest = std::max(longest, list.longest);
    }
    std::optional<PromptList> relevance, against;
    if (!report.relevance_file.empty()) relevance = read_prompt_file(report.relevance_file, model);
    if (!report.against_file.empty()) against = read_prompt_file(report.against_file, model);
    for (const auto* list : {&relevance, &against})
        if (*list) longest = std::max(longest, (*list)->longest);
    if ((relevance || against) && steering.top_relevant.empty()) fail<UsageError>(relevance ? "--relevance-file" : "--against-file", ": belongs to --top-relevant");
    report.options.generate = generate_options(generation, model, prompts.prompt(0));
    report.options.validate();
    std::optional<Checkpoint> checkpoint;
    const EngineRequest request = open_files(model, longest, checkpoint);
    if (!steering.labels.empty()) add_labelled(plan, steering, folder_hash(model.folder, *checkpoint), model.folder, false);
    const auto engine = make_engine(model.backend, request);
    std::vector<UnitRef> units;
    std::set<std::tuple<Site, Index, Index>> seen;
    const auto take = [&](const UnitRef& unit) {
        if (seen.insert({unit.site, unit.layer, unit.unit}).second) units.push_back(unit);
    };
    for (const UnitEdit& edit : plan.units) take({edit.site, edit.layer, edit.unit});
    if (!steering.top_relevant.empty())
        for (const UnitRef& unit : most_relevant(*engine, relevance ? *relevance : prompts, against ? &*against : nullptr, model, parse_top("--top-relevant", steering.top_relevant, false).first))
            take(unit);

    // The first continuation at each multiplier serves as an example.
    SteeringFigure figure;
    std::optional<std::string> example;
    const TargetTest test = [&](std::span<const std::int32_t> prompt, const std::vector<std::int32_t>& new_ids) {
        if (!example) example = target.continuation(prompt, new_ids);
        return target(prompt, new_ids);
    };
    Progress bar("steering", "points", (1 + report.options.random_sets) * report.options.multipliers.size());
    const auto progress = [&](std::size_t done, std::size_t) {
        if (done <= report.options.multipliers.size()) figure.examples.emplace_back(report.options.multipliers[done - 1], *example);
        example.reset();
        bar.add();
    };
    const SteeringReport result = engine->steering_report(prompts.ids(), units, test, report.options, neutral, progress);
    bar.finish();
    std::set<Index> layers;
    for (const UnitRef& unit : units) layers.insert(unit.layer);
    std::string where;
    for (const Index layer : layers) where += (where.empty() ? "" : ", ") + std::to_string(layer);
    std::string how;
    for (const std::string& label : steering.labels) how += (how.empty() ? "" : "; ") + ("labelled " + parse_label(label, false).first);
    if (!steering.top_relevant.empty()) how += (how.empty() ? "" : "; ") + std::string("most relevant");
    figure.units = std::to_string(units.size()) + (how.empty() ? "" : ", " + how) + (layers.size() == 1 ? " (layer " : " (layers ") + where + ")";
    figure.target = target.text();
    figure.title = report.title.empty() ? "Steering " + model_name(model.folder) : report.title;
    if (!report.svg.empty()) write_result(report.svg, svg_steering(result, figure));
    if (!report.html.empty()) write_result(report.html, html_steering(result, figure));
    if (!report.json.empty()) {
        nlohmann::json random = nlohmann::json::array(), differences = nlohmann::json::array(), examples = nlohmann::json::array(), texts = nlohmann::json::array();
        const bool slope = has_slope(result), random_slope = slope && !result.random.empty();
        for (const SteeringCurve& curve : result.random) random.push_back(curve_json(curve, slope));
        for (const Interval& interval : result.difference_interval) differences.push_back(interval_json(interval));
        for (const auto& [multiplier, text] : figure.examples) examples.push_back({{"multiplier", multiplier}, {"text", text}});
        for (const StoredDocument& prompt : prompts.prompts) texts.push_back({{"text", prompt.text}, {"ids", prompt.ids}});
        const nlohmann::json out{{"format", "lrpxx-steering-report"}, {"format_version", 1}, {"title", figure.title}, {"model", model_name(model.folder)}, {"model_hash", folder_hash(model.folder, *checkpoint)},
                                 {"version", LRP_VERSION_STRING}, {"target", figure.target}, {"mode", steering.mode}, {"temperature", report.options.generate.temperature},
                                 {"seed", report.options.generate.seed}, {"max_new_tokens", report.options.generate.max_new_tokens}, {"samples", result.samples}, {"prompts", texts},
                                 {"chosen", curve_json(result.chosen, slope)}, {"random", random}, {"difference", result.difference}, {"difference_interval", differences},
                                 {"slope_interval", slope ? interval_json(result.slope_interval) : nlohmann::json()},
                                 {"random_slope", random_slope ? nlohmann::json(result.random_slope) : nlohmann::json()},
                                 {"random_slope_interval", random_slope ? interval_json(result.random_slope_interval) : nlohmann::json()}, {"examples", examples}};
        write_result(report.json, json_text(out));
    }
    if (!quiet) print_report(result, figure);
}

}  // namespace lrp::cli
