// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A conversation with a model that can be asked why, and changed, between two lines.
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>

#include <lrp/pipeline/pretrained.hpp>
#include <lrp/view/ansi.hpp>
#include <lrp/view/terminal.hpp>

#include "explained_output.hpp"
#include "steering_arguments.hpp"
#include "steering_options.hpp"
#include "text_stream.hpp"

namespace lrp::cli {

namespace {

struct ChatCommand {
    ModelOptions model;
    GenerationOptions generation;
    SteeringOptions steering;
};

class Chat {
  public:
    explicit Chat(const ChatCommand& options)
        : options_(options), prompt_(no_text(options.model.folder)), tokenizer_(*prompt_.tokenizer),
          choice_(generate_options(options.generation, options.model, prompt_)), engine_(open_engine(options.model, 0, checkpoint_)), style_(detect_terminal(STDOUT_FILENO)) {
        const HfConfig config = read_hf_config(options.model.folder);
        config_ = llama_config(config);
        context_ = static_cast<std::size_t>(config.max_position_embeddings);
    }

    /// Reads lines up to the end of standard input or /quit.
    void run() {
        const bool terminal = ::isatty(STDIN_FILENO) == 1;
        if (terminal) std::cout << "Type text for the model to continue; /help lists what else there is, /quit ends.\n";
        for (std::string line; !left_;) {
            if (terminal) std::cout << "> " << std::flush;
            if (!std::getline(std::cin, line)) break;
            try {
                if (line.starts_with('/')) {
                    obey(line);
                } else if (!line.empty()) {
                    say(line);
                }
            } catch (const Error& error) {  // what was typed was wrong; the conversation goes on
                std::cout.flush();
                std::cerr << "lrp: " << error.what() << std::endl;
                if (!terminal) exit_code = 1;
            }
            require(std::cout.good(), "standard output: the conversation could not be written");
        }
        if (terminal && !left_) std::cout << '\n';
    }

  private:
    static Prompt no_text(const std::string& folder) {
        Prompt prompt;
        prompt.tokenizer = load_tokenizer(folder);
        require(prompt.tokenizer.has_value(), folder, ": there is no tokenizer.json, so there is nothing to talk in");
        return prompt;
    }

    struct Order {
        const char* name;
        const char* help;
        std::function<void(const std::string&)> act;
    };

    /// Adds a line, set off by a space, and lets the model go on.
    void say(const std::string& line) {
        const auto joined = [&](const std::string& text) {
            const auto ids = tokenizer_.encode(text, {.add_special_tokens = ids_.empty(), .special_in_text = options_.model.special_in_text}).ids;
            require(!ids.empty(), "this has no token");
            auto all = ids_;
            all.insert(all.end(), ids.begin(), ids.end());
            return all;
        };
        auto longer = joined(line);
        // Some tokenizers put the space there themselves.
        if (!ids_.empty() && line[0] != ' ' && !decoded(tokenizer_, longer).ends_with(' ' + line)) longer = joined(' ' + line);
        answer(longer);
    }

    /// Lets the model continue a text, under the edits in force; then this is the conversation.
    void answer(std::vector<std::int32_t> ids) {
        require(ids.size() + choice_.max_new_tokens <= context_, "the conversation would have ", ids.size() + choice_.max_new_tokens, " tokens, the model was made for ", context_,
                "; begin anew with /reset");
        const auto show = [](const std::string& text) { std::cout << text << std::flush; };
        TextStream stream(&tokenizer_, ids, options_.generation.stop, show), plain(&tokenizer_, ids, options_.generation.stop);
        const TokenCallback shown = [&](std::int32_t id) { return stream.push(id); }, silent = [&](std::int32_t id) { return plain.push(id); };
        std::vector<std::int32_t> added;
        if (plan_.empty()) {
            added = engine_->generate(ids, choice_, shown).new_ids;
        } else {
            added = engine_->steer(ids, plan_, options_.steering.steering_mode(), choice_, silent, shown).after.new_ids;
        }
        stream.finish();
        std::cout << '\n';
        if (!plan_.empty() && plain.text() != stream.text()) std::cout << "  (unchanged, the model says:" << plain.text() << ")\n";
        std::cout.flush();
        before_ = ids;
        ids.insert(ids.end(), added.begin(), added.end());
        ids_ = std::move(ids);
    }

    /// Explains the newest token under the edits in force: relevance of the text before it, and its units.
    void why(const std::string& text) {
        require(ids_.size() > before_.size(), "nothing was said yet that could be explained");
        const std::size_t spoken = ids_.size() - before_.size();
        std::size_t which = spoken;  // counted from 1
        if (!text.empty()) {
            std::istringstream in(text);
            if (!(in >> which) || which < 1 || which > spoken || !(in >> std::ws).eof()) fail<UsageError>("/why: expected 1 to ", spoken, ", one of the new tokens, found '", text, "'");
        }
        const std::size_t at = before_.size() + which - 1;
        ExplainedOptions how;
        how.generate.max_new_tokens = 1;
        how.attribute.target = ids_[at];
        how.attribute.recompute = Recompute::parse(options_.model.recompute);
        how.plan = plan_;
        how.mode = options_.steering.steering_mode();
        how.units = 10;
        Explained explained = engine_->generate_explained(std::span(ids_).first(at), how, {});
        ExplainedToken& token = explained.tokens.front();
        name_tokens(token.trace, tokenizer_);
        std::cout << "Why '" << token_name(&tokenizer_, ids_[at]) << "', logit " << number_text(token.trace.explained, 4) << ":\n" << ansi_prompt(token.trace, style_);
        std::cout << "neurons" << ranked_units(token.neurons) << "\nheads  " << ranked_units(token.heads) << std::endl;
    }

    void add(const UnitEdit& edit) {
        check_edit(config_, edit);
        plan_.units.push_back(edit);
        std::cout << counted(plan_.units.size(), "unit") << (plan_.units.size() == 1 ? " is" : " are") << " changed from here on\n";
    }

    void add_label(const std::string& text) {
        SteeringOptions one = options_.steering;
        one.labels = {text};
        if (one.store.empty()) fail<UsageError>("/label: give the store that has the labels, with --store, when you begin");
        (void)parse_label(text);
        const std::size_t before = plan_.units.size();
        add_labelled(plan_, one, *checkpoint_, options_.model.folder);
        const std::size_t added = plan_.units.size() - before;
        std::cout << counted(added, "unit") << (added == 1 ? " has that label and is changed" : " have that label and are changed") << " from here on\n";
    }

    void obey(const std::string& line) {
        const auto space = line.find(' ');
        const std::string name = line.substr(0, space);
        const std::string rest = space == std::string::npos ? "" : line.substr(std::min(line.find_first_not_of(' ', space), line.size()));
        const std::vector<Order> orders{
            {"/why", "[N]: the relevance of the text before the newest token (or the Nth new one), and its neurons and heads", [&](const std::string& text) { why(text); }},
            {"/again", ": take the last answer back and let the model answer anew, under the edits in force", [&](const std::string&) {
                 require(!before_.empty(), "there is no answer yet");
                 answer(before_);
             }},
            {"/set", "LAYER/NEURON=VALUE: the neuron becomes this; /scale multiplies, /add adds, /zero LAYER/NEURON switches off",
             [&](const std::string& text) { add(parse_edit("/set", text, UnitEdit::Kind::set)); }},
            {"/scale", nullptr, [&](const std::string& text) { add(parse_edit("/scale", text, UnitEdit::Kind::scale)); }},
            {"/add", nullptr, [&](const std::string& text) { add(parse_edit("/add", text, UnitEdit::Kind::add)); }},
            {"/zero", nullptr, [&](const std::string& text) { add(parse_zero("/zero", text)); }},
            {"/head", "LAYER/HEAD=FACTOR: the head's output is multiplied", [&](const std::string& text) { add(parse_head("/head", text)); }},
            {"/label", "NAME*FACTOR: units with that label are multiplied (with --store)", [&](const std::string& text) { add_label(text); }},
            {"/off", ": nothing is changed any more", [&](const std::string&) { plan_ = {}; }},
            {"/text", ": the conversation so far", [&](const std::string&) { std::cout << decoded(tokenizer_, ids_) << '\n'; }},
            {"/reset", ": forget the conversation; edits stay", [&](const std::string&) { ids_.clear(), before_.clear(); }},
            {"/quit", ": end", [&](const std::string&) { left_ = true; }},
            {"/help", ": this list", [&](const std::string&) { help_ = true; }},
        };
        for (const Order& order : orders)
            if (name == order.name) order.act(rest);
        const bool known = std::any_of(orders.begin(), orders.end(), [&](const Order& order) { return name == order.name; });
        if (!known) fail<UsageError>("there is no ", name, "; /help lists what there is");
        if (help_)
            for (const Order& order : orders)
                if (order.help != nullptr) std::cout << "  " << order.name << (order.help[0] == ':' ? "" : " ") << order.help << '\n';
        help_ = false;
        std::cout.flush();
    }

    const ChatCommand& options_;
    std::optional<Checkpoint> checkpoint_;
    Prompt prompt_;  // the tokenizer alone
    const Tokenizer& tokenizer_;
    GenerateOptions choice_;
    std::unique_ptr<Engine> engine_;
    TerminalStyle style_;
    LlamaConfig config_;
    std::size_t context_ = 0;
    std::vector<std::int32_t> ids_, before_;  // the conversation, and as it was before the last answer
    SteeringPlan plan_;
    bool left_ = false, help_ = false;
};

}  // namespace

void add_chat_command(CLI::App& app) {
    auto* command = app.add_subcommand("chat", "Talk with a model line by line; ask why it said something, change neurons, and let it answer again");
    auto options = std::make_shared<ChatCommand>();
    command->add_option("MODEL_DIR", options->model.folder, "Hugging Face checkpoint folder")->required();
    add_compute_options(*command, options->model);
    add_generation_options(*command, options->generation);
    command->add_option("--store", options->steering.store, "a labelled neuron store of this model, for /label");
    command->add_option("--label-source", options->steering.label_source, "for /label: only labels of this source, as for `lrp steer`");
    command->add_option("--mode", options->steering.mode, "where edits act, as for `lrp steer`")->check(CLI::IsMember({"new-tokens", "all-positions"}))->capture_default_str();
    command->footer("A line is added to the text and the model continues it; lines that begin with / are orders, which /help lists: /why explains the newest token, /zero 3/118\n"
                    "switches a neuron off, /again lets the model answer anew. Lines may also come from a pipe; then an error makes the exit code 1.\nExamples:\n"
                    "  lrp chat examples/models/mini --max-new-tokens 8\n"
                    "  printf 'On Sunday there is a lot of snow.\\n/why\\n' | lrp chat examples/models/mini");
    command->callback([options] { Chat(*options).run(); });
}

}  // namespace lrp::cli
