// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A conversation with a model that can be asked why, and changed, between two lines.
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>
#include <memory>
#include <sstream>

#include <lrp/io/text_lines.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/view/ansi.hpp>
#include <lrp/view/label.hpp>
#include <lrp/view/terminal.hpp>

#include "explained_output.hpp"
#include "interruption.hpp"
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
        : options_(options), prompt_(no_text(options.model.folder)), tokenizer_(*prompt_.tokenizer), style_(detect_terminal(STDOUT_FILENO)),
          terminal_(::isatty(STDIN_FILENO) == 1), context_(static_cast<std::size_t>(read_hf_config(options.model.folder).max_position_embeddings)) {
        if (const std::size_t most = options.generation.choice.max_new_tokens; most >= context_)
            fail<UsageError>("--max-new-tokens: expected fewer than the model's context of ", counted(context_, "token"), ", found ", most);
        if (options.steering.store.empty() && !options.steering.label_source.empty()) fail<UsageError>("--label-source: give the store that has the labels, with --store");
        choice_ = generate_options(options.generation, options.model, prompt_);
        const EngineRequest request = open_files(options.model, 0, checkpoint_);
        config_ = request.config;
        if (!options.steering.store.empty()) {
            hash_ = folder_hash(options.model.folder, *checkpoint_);
            check_label_options(options.steering, hash_, options.model.folder);
        }
        engine_ = make_engine(options.model.backend, request);
    }

    /// Reads lines up to the end of standard input or /quit.
    void run() {
        if (terminal_) std::cout << "Type text for the model to continue; /help lists what else there is, /quit ends.\n";
        for (bool first = true; !left_; first = false) {
            std::optional<std::string> line = read_line();
            if (!line) break;
            trim_text_line(*line, first);
            try {
                if (line->starts_with('/')) {
                    obey(*line);
                } else if (!line->empty()) {
                    say(*line);
                }
            } catch (const Error& error) {  // what was typed was wrong; the conversation goes on
                std::cout.flush();
                std::cerr << "lrp: " << visible(error.what()) << std::endl;
                if (!terminal_) exit_code = 1;
            }
            require(std::cout.good(), "standard output: the conversation could not be written");
        }
        if (terminal_ && !left_) std::cout << '\n';
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

    /// The next line; nothing where the input ends. At a terminal, Ctrl-C makes the line that is being typed an empty one, and asks what the line sets off to stop;
    /// a second one, where that has not stopped yet, ends the program.
    std::optional<std::string> read_line() {
        std::string line;
        if (terminal_) {
            watch_signals({SIGINT}, 0);
            std::cout << "> " << std::flush;
            pollfd input{STDIN_FILENO, POLLIN, 0};
            while (!stop_asked() && ::poll(&input, 1, 100) <= 0) {}  // whichever thread the signal comes to, and whenever
        }
        if (!stop_asked()) std::getline(std::cin, line);
        const bool interrupted = terminal_ && stop_asked();
        if (terminal_) watch_signals({SIGINT}, SA_RESETHAND | SA_RESTART);
        if (!interrupted) return std::cin ? std::optional(line) : std::nullopt;
        std::cin.clear();
        std::clearerr(stdin);
        std::cout << "\n(/quit or Ctrl-D ends)\n";
        return "";
    }

    [[nodiscard]] std::vector<std::int32_t> encoded(const std::string& text, bool begins) const {
        return tokenizer_.encode(text, {.add_special_tokens = begins, .special_in_text = options_.model.special_in_text}).ids;
    }

    /// Adds a line, set off by a space, and lets the model go on.
    void say(const std::string& line) {
        const auto joined = [&](const std::string& text) {
            const auto ids = encoded(text, ids_.empty());
            require(!ids.empty(), "this has no token");
            auto all = ids_;
            all.insert(all.end(), ids.begin(), ids.end());
            return all;
        };
        auto longer = joined(line);
        // Some tokenizers put the space there themselves.
        if (!ids_.empty() && line[0] != ' ' && !decoded(tokenizer_, longer).ends_with(' ' + line)) longer = joined(' ' + line);
        if (longer.size() + choice_.max_new_tokens > context_) refuse(longer.size(), encoded(line, true).size());
        answer(longer);
    }

    /// Says what is too long: the conversation of so many tokens, or already its last line by itself.
    [[noreturn]] void refuse(std::size_t all, std::size_t line) const {
        const std::size_t most = choice_.max_new_tokens;
        if (line + most > context_)
            fail("the line has ", counted(line, "token"), " and the answer may have ", most, " (--max-new-tokens): more than the ", context_,
                 " that the model was made for; type a shorter one");
        fail("the conversation would have ", all + most, " tokens, the model was made for ", context_, "; begin anew with /reset");
    }

    /// Lets the model continue a text, under the edits in force; then this is the conversation. What has come until Ctrl-C is the answer too.
    void answer(std::vector<std::int32_t> ids) {
        const auto show = [](const std::string& text) { std::cout << text << std::flush; };
        TextStream stream(&tokenizer_, ids, options_.generation.stop, show), plain(&tokenizer_, ids, options_.generation.stop);
        std::vector<std::int32_t> added;
        const TokenCallback shown = [&](std::int32_t id) {
            added.push_back(id);
            return stream.push(id) && !stop_asked();
        };
        const TokenCallback silent = [&](std::int32_t id) { return plain.push(id) && !stop_asked(); };
        GenerateOptions choice = choice_;
        choice.seed += answers_;
        std::string note;
        if (plan_.empty()) {
            (void)engine_->generate(ids, choice, shown);
        } else {
            try {
                (void)engine_->steer(ids, plan_, options_.steering.steering_mode(), choice, silent, shown);
            } catch (const NothingChanged& nothing) {  // it is an answer all the same
                note = nothing.what();
            }
        }
        stream.finish();
        std::cout << '\n';
        if (!plan_.empty() && !stop_asked() && plain.text() != stream.text()) std::cout << "  (unchanged, the model says:" << plain.text() << ")\n";
        std::cout.flush();
        if (!note.empty()) std::cerr << "lrp: note: " << note << std::endl;
        ++answers_;
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
        add_labelled(plan_, one, hash_, options_.model.folder);
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
    bool terminal_;  // lines are typed
    std::size_t context_;
    LlamaConfig config_;
    std::string hash_;           // of the model, where there is a store
    std::uint64_t answers_ = 0;  // given in this session
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
                    "switches a neuron off, /again lets the model answer anew. With a --temperature the first answer draws with --seed, each further one with the next number.\n"
                    "Ctrl-C ends an answer, and what has come of it stays; /quit or Ctrl-D ends the conversation. Lines may also come from a pipe; then an error makes the\n"
                    "exit code 1.\nExamples:\n"
                    "  lrp chat examples/models/mini --max-new-tokens 8\n"
                    "  printf 'On Sunday there is a lot of snow.\\n/why\\n' | lrp chat examples/models/mini");
    command->callback([options] { Chat(*options).run(); });
}

}  // namespace lrp::cli
