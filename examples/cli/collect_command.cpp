// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <charconv>
#include <chrono>
#include <ctime>
#include <iostream>
#include <memory>
#include <sstream>

#include <lrp/core/config.hpp>
#include <lrp/pipeline/collection.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/store/store.hpp>

#include "collect_progress.hpp"
#include "common.hpp"
#include "interruption.hpp"
#include "ranks.hpp"

namespace lrp::cli {

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct CollectCommand {
    ModelOptions model;
    std::vector<std::string> corpus;
    std::string store;
    CollectOptions collect;
    std::string condition = "predictions", too_long = "refuse", format = "auto", shard;
    std::int64_t batch_tokens = 2048;
    bool include_first = false, timing = false;
    std::optional<std::int32_t> pad;
};

struct Shard {
    std::int64_t index = 0, count = 1;
};

Shard parse_shard(const std::string& text) {
    Shard shard;
    if (text.empty()) return shard;
    const char* last = text.data() + text.size();
    const auto [slash, first] = std::from_chars(text.data(), last, shard.index);
    const bool cut = first == std::errc() && slash != last && *slash == '/';
    const auto [end, second] = cut ? std::from_chars(slash + 1, last, shard.count) : std::from_chars_result{slash, std::errc::invalid_argument};
    if (second != std::errc() || end != last || shard.count < 1 || shard.index < 0 || shard.index >= shard.count)
        fail<UsageError>("--shard: expected i/n with i from 0 to n-1, such as 0/4, found '", text, "'");
    return shard;
}

/// What must be the same for two runs to go on with, or merge with, each other; with the model's name, a store's provenance.
std::map<std::string, std::string> identity_of(const CollectCommand& options, const Checkpoint& checkpoint, const LlamaConfig& config, const char* compute_type,
                                               const Corpus& corpus) {
    const auto number = [](auto value) { return std::to_string(value); };
    std::array<char, 17> digest{};
    std::snprintf(digest.data(), digest.size(), "%016llx", static_cast<unsigned long long>(corpus.digest));
    return {{"model_hash", model_hash(config, checkpoint)},
            {"layers", number(config.layers)},
            {"neurons", number(config.intermediate_size)},
            {"heads", number(config.attention.heads)},
            {"vocabulary", number(config.vocab_size)},
            {"rules", options.model.rules.label()},
            {"condition", options.condition == "target" ? "target " + number(options.collect.target) : options.condition},
            {"backend", options.model.backend},
            {"products", products_formed(options.model.backend, options.model.products)},
            {"compute_type", compute_type},
            {"version", LRP_VERSION_STRING},
            {"corpus_digest", digest.data()},
            {"corpus_documents", number(corpus.documents.size())},
            {"corpus_tokens", number(corpus.tokens)},
            {"corpus_truncated", number(corpus.truncated.size())},
            {"corpus_skipped", number(corpus.skipped)},
            {"k", number(options.collect.shape.k)},
            {"window_before", number(options.collect.shape.before)},
            {"window_after", number(options.collect.shape.after)},
            {"batch_tokens", number(options.batch_tokens)},
            {"first_position", options.include_first ? "counts" : "skipped"},
            {"pad_id", options.pad ? number(*options.pad) : "none"}};
}

/// One run of the command on this rank.
class Run {
  public:
    Run(const CollectCommand& options, Ranks& ranks) : options_(options), ranks_(ranks), shard_(parse_shard(options.shard)) {}

    void operator()() {
        refuse_other_contents();
        const HfConfig file = read_hf_config(options_.model.folder);
        config_ = llama_config(file);
        if (options_.condition == "target" && (options_.collect.target < 0 || options_.collect.target >= config_.vocab_size))
            fail<UsageError>("--target: expected a token below ", config_.vocab_size, ", found ", options_.collect.target);
        tokenizer_ = load_tokenizer(options_.model.folder);
        read_documents(file);
        std::optional<Checkpoint> checkpoint;
        EngineRequest request = open_files(options_.model, 0, checkpoint);
        request.device = ranks_.local();  // one for each rank of a machine
        engine_ = make_engine(options_.model.backend, request);
        identity_ = identity_of(options_, *checkpoint, config_, engine_->compute_type(), corpus_);
        work_identity_ = identity_;
        work_identity_["shard"] = detail::concat(shard_.index, '/', shard_.count);
        sizes_ = {static_cast<std::size_t>(config_.layers), config_.intermediate_size, config_.attention.heads, options_.collect.shape};
        units_ = sizes_.empty();
        if (finished()) return;
        begin();
        work();
        const bool stopped = ranks_.any(stop_asked() && !nothing_left_);
        if (stopped) return report_stop();
        reduce();
        if (ranks_.rank() == 0) finish();
        ranks_.meet();
        work_.reset();
    }

  private:
    void refuse_other_contents() const {
        const fs::path folder = options_.store;
        std::error_code code;
        require(!fs::exists(folder, code) || fs::is_directory(folder, code), options_.store, ": expected a folder for the store, found a file");
        if (!fs::is_directory(folder, code)) return;
        for (const auto& entry : fs::directory_iterator(folder)) {
            const std::string name = entry.path().filename().string();
            const bool ours = name.starts_with("store.sqlite") || name.starts_with("work.") || name == "layers";
            require(ours, options_.store, ": this folder holds something else ('", name, "'); give a new folder with -o");
        }
    }

    void read_documents(const HfConfig& file) {
        CorpusOptions corpus;
        corpus.format = options_.format == "text" ? CorpusFormat::text : options_.format == "jsonl" ? CorpusFormat::jsonl : CorpusFormat::automatic;
        corpus.too_long = options_.too_long == "truncate" ? TooLong::truncate : options_.too_long == "skip" ? TooLong::skip : TooLong::refuse;
        corpus.context = file.max_position_embeddings;
        corpus.vocabulary = file.vocab_size;
        if (ranks_.size() > 1)
            for (const std::string& name : options_.corpus)
                if (name == "-") fail<UsageError>("CORPUS: standard input goes to one process alone; give a file under mpirun");
        corpus_ = read_corpus(options_.corpus, tokenizer_, corpus);
        batches_ = cut_batches(corpus_.documents, options_.batch_tokens);
    }

    [[nodiscard]] fs::path work_path(int rank) const { return fs::path(options_.store) / ("work." + std::to_string(rank) + ".sqlite"); }
    void remove_work(int rank) const {
        std::error_code code;
        for (const char* suffix : {"", "-wal", "-shm", "-journal"}) fs::remove(work_path(rank).string() + suffix, code);
    }

    /// A store that is there already: the same one is left as it is, another one is refused.
    bool finished() {
        if (!is_there(fs::path(options_.store) / store_database)) return false;
        {
            const NeuronStore store = NeuronStore::open(options_.store);  // closed before the work files go: its last reader tidies up after one that was killed
            require(store.fact("model_hash") == identity_["model_hash"], options_.store, ": there is a store already, made from the model '", store.fact("model"), "' (hash ",
                    store.fact("model_hash"), "), not from ", model_name(options_.model.folder), " (hash ", identity_["model_hash"], "); give another folder with -o");
            for (const auto& [key, value] : identity_)
                require(store.fact(key) == value, options_.store, ": there is a store already, with ", key, " '", store.fact(key), "' where this collection has '", value,
                        "'; give another folder with -o");
            std::vector<std::int64_t> mine, stored;
            for (const StoredBatch& batch : batches_)
                if (batch.batch % shard_.count == shard_.index) mine.push_back(batch.batch);
            for (const StoredBatch& batch : store.batches()) stored.push_back(batch.batch);
            require(mine == stored, options_.store, ": there is a store already, of other batches of the corpus (", stored.size(), ", and this collection has ", mine.size(),
                    "); give another folder with -o");
        }
        if (ranks_.rank() == 0) {
            std::vector<fs::path> left;
            for (const auto& entry : fs::directory_iterator(options_.store))
                if (entry.path().filename().string().starts_with("work.")) left.push_back(entry.path());
            std::error_code code;
            for (const fs::path& path : left) fs::remove(path, code);
            std::cerr << "lrp: " << options_.store << " holds this collection already\n";
        }
        return true;
    }

    /// Rank 0 gathers what earlier runs left, by however many processes; then each rank opens a file of its own.
    void begin() {
        std::string done_text;
        if (ranks_.rank() == 0) {
            std::error_code code;
            fs::create_directories(options_.store, code);
            require(!code, options_.store, ": cannot be made (", code.message(), ")");
            work_.emplace(work_path(0), work_identity_);
            if (work_->has_state()) load_state(*work_, sizes_, units_);
            adopt_others();
            for (const std::int64_t batch : work_->done()) done_text += std::to_string(batch) + " ";
        }
        ranks_.share(done_text);
        if (ranks_.rank() != 0) work_.emplace(work_path(ranks_.rank()), work_identity_);
        std::istringstream in(done_text);
        for (std::int64_t batch = 0; in >> batch;) {
            done_.insert(batch);
            const StoredBatch& b = batches_[static_cast<std::size_t>(batch)];
            units_.last = std::max(units_.last, Place{b.first_document + b.documents, 0});
        }
        for (const StoredBatch& batch : batches_) {
            if (batch.batch % shard_.count != shard_.index) continue;
            mine_.push_back(batch.batch);
            total_tokens_ += batch.tokens;
            if (done_.contains(batch.batch)) {
                done_tokens_ += batch.tokens;
            } else {
                todo_.push_back(batch.batch);
            }
        }
        if (ranks_.rank() == 0 && !done_.empty())
            std::cerr << "lrp: going on with " << options_.store << ": " << done_.size() << " of " << mine_.size() << " batches are done\n";
    }

    /// Takes over the files of ranks of an earlier run, one commit each: after an interruption a file is either not yet taken or taken whole.
    void adopt_others() {
        std::vector<int> others;
        for (const auto& entry : fs::directory_iterator(options_.store)) {
            int rank = 0;
            const std::string name = entry.path().filename().string();
            if (std::sscanf(name.c_str(), "work.%d.sqlite", &rank) == 1 && rank > 0 && name.ends_with(".sqlite")) others.push_back(rank);
        }
        std::sort(others.begin(), others.end());
        for (const int other : others) {
            {
                WorkFile file(work_path(other), work_identity_);
                std::vector<std::int64_t> batches;
                for (const std::int64_t batch : file.done())
                    if (!work_->done().contains(batch)) batches.push_back(batch);
                if (!batches.empty()) {
                    CollectedUnits more = sizes_.empty();
                    load_state(file, sizes_, more);
                    units_.merge(more);
                    save_state(*work_, sizes_, units_, batches);
                }
            }
            remove_work(other);
        }
    }

    void work() {
        // A commit writes all lists; where it takes long beside a batch, several batches share one.
        constexpr double commit_share = 0.03;
        ranks_.start_counter();
        CollectProgress progress(ranks_.rank() == 0, ranks_.size(), total_tokens_, done_tokens_);
        std::vector<std::int64_t> open;
        double commit_seconds = 0, collect_seconds = 0, plain_seconds = 0;
        auto last_commit = Clock::now();
        const auto commit = [&] {
            if (open.empty()) return;
            const auto start = Clock::now();
            save_state(*work_, sizes_, units_, open);
            open.clear();
            last_commit = Clock::now();
            commit_seconds = std::chrono::duration<double>(last_commit - start).count();
            all_commits_ += commit_seconds;
        };
        for (;;) {
            const auto next = static_cast<std::size_t>(ranks_.next());
            nothing_left_ = next >= todo_.size();
            if (nothing_left_) break;
            const StoredBatch& batch = batches_[static_cast<std::size_t>(todo_[next])];
            std::vector<CollectDocument> documents;
            std::uint64_t ignored = 0;
            for (std::int32_t i = 0; i < batch.documents; ++i)
                documents.push_back(count_rule().apply(corpus_.documents[static_cast<std::size_t>(batch.first_document + i)], ignored, ignored));
            const auto timed = [&](bool blind) {
                const std::clock_t start = std::clock();  // processor time, so that what else the machine does plays no part
                engine_->collect(documents, options_.collect, units_, blind);
                return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
            };
            if (options_.timing) plain_seconds += timed(true);
            collect_seconds += timed(false);
            open.push_back(batch.batch);
            const double since = std::chrono::duration<double>(Clock::now() - last_commit).count();
            if (commit_seconds <= commit_share * since || stop_asked()) commit();
            progress.add(batch.tokens);
            if (stop_asked()) break;
        }
        commit();
        if (options_.timing)
            std::fprintf(stderr, "processor time: passes alone %.2f s, with collecting %.2f s (%+.1f %%); commits took %.2f s\n", plain_seconds, collect_seconds,
                         plain_seconds > 0 ? 100 * (collect_seconds / plain_seconds - 1) : 0.0, all_commits_);
    }

    void report_stop() {
        std::int64_t done = 0;
        if (ranks_.size() == 1) done = std::ssize(work_->done());
        if (ranks_.rank() == 0)
            std::cerr << "lrp: stopped; " << (ranks_.size() == 1 ? std::to_string(done) + " of " + std::to_string(mine_.size()) + " batches are" : std::string("what was done is"))
                      << " safe in " << options_.store << "; the same command goes on from there\n";
        exit_code = 130;
    }

    /// Brings all ranks' units together at rank 0, pair by pair.
    void reduce() {
        for (int step = 1; step < ranks_.size(); step *= 2) {
            if (ranks_.rank() % (2 * step) == step) {
                for (const std::string& name : sizes_.files()) ranks_.send(ranks_.rank() - step, summary_npz(sizes_.part(units_, name)));
                return;
            }
            if (ranks_.rank() + step >= ranks_.size()) continue;
            for (const std::string& name : sizes_.files())
                sizes_.part(units_, name).merge(read_summary(ranks_.receive(ranks_.rank() + step), name + " of rank " + std::to_string(ranks_.rank() + step),
                                                             sizes_.units(UnitSizes::is_head(name)), sizes_.shape));
        }
    }

    [[nodiscard]] CountRule count_rule() const { return {options_.include_first, options_.pad}; }

    void finish() {
        StoreContents contents;
        std::uint64_t firsts = 0, padding = 0, truncated = 0;
        std::vector<const StoredDocument*> documents;
        for (const std::int64_t batch : mine_) {
            const StoredBatch& b = batches_[static_cast<std::size_t>(batch)];
            contents.batches.push_back(b);
            for (std::int32_t i = 0; i < b.documents; ++i) documents.push_back(&corpus_.documents[static_cast<std::size_t>(b.first_document + i)]);
        }
        for (const StoredDocument* document : documents) {
            (void)count_rule().apply(*document, firsts, padding);
            truncated += std::binary_search(corpus_.truncated.begin(), corpus_.truncated.end(), document->document) ? 1 : 0;
        }
        contents.provenance = identity_;
        contents.provenance["model"] = model_name(options_.model.folder);
        complete_provenance(contents.provenance, contents.batches, std::ssize(batches_), firsts, padding);
        for (Index id = 0; id < config_.vocab_size; ++id)
            contents.tokens.push_back(tokenizer_ && static_cast<std::size_t>(id) < tokenizer_->vocab_size() ? tokenizer_->token_text(static_cast<std::int32_t>(id))
                                                                                                              : std::to_string(id));
        contents.files = sizes_.files();
        WindowPlaces windows;
        contents.file_bytes = [&](const std::string& name) {
            windows.add(sizes_.part(units_, name));
            return summary_npz(sizes_.part(units_, name));
        };
        contents.documents = [&](const auto& visit) {
            for (const StoredDocument* document : documents) visit(*document);
        };
        contents.windows = [&](const auto& visit) {
            windows.visit(sizes_.shape, [&](std::int32_t document) { return static_cast<std::int32_t>(corpus_.documents[static_cast<std::size_t>(document)].ids.size()); }, visit);
        };
        write_store(options_.store, contents);
        const std::uint64_t bytes = NeuronStore::open(options_.store).bytes();  // read, and closed again, while a kill still leaves the work file to say that not all is done
        work_.reset();
        for (int rank = 0; rank < ranks_.size(); ++rank) remove_work(rank);
        std::cerr << "lrp: " << options_.store << ": " << counted(documents.size(), "document") << ", " << counted(std::stoull(contents.provenance["tokens"]), "token") << "; "
                  << (options_.include_first ? "first positions counted" : counted(firsts, "first position") + " skipped") << ", " << counted(padding, "position")
                  << " of padding skipped";
        if (truncated + corpus_.skipped > 0)  // what was left out is in no shard
            std::cerr << "; " << counted(truncated, "document") << " cut to the context, " << corpus_.skipped << " left out" << (shard_.count > 1 ? " of the whole corpus" : "");
        std::cerr << "; " << human_bytes(bytes) << '\n';
    }

    const CollectCommand& options_;
    Ranks& ranks_;
    Shard shard_;
    LlamaConfig config_;
    std::optional<Tokenizer> tokenizer_;
    Corpus corpus_;
    std::vector<StoredBatch> batches_;
    std::unique_ptr<Engine> engine_;
    std::map<std::string, std::string> identity_, work_identity_;  // of the store, and with the shard, which merging does away with
    UnitSizes sizes_;
    CollectedUnits units_;
    std::optional<WorkFile> work_;
    std::set<std::int64_t> done_;
    std::vector<std::int64_t> mine_, todo_;
    std::int64_t total_tokens_ = 0, done_tokens_ = 0;
    double all_commits_ = 0;
    bool nothing_left_ = false;
};

void run(CollectCommand& options) {
    const auto ranks = join_ranks();
    try {
        options.collect.condition = options.condition == "last" ? Condition::last : options.condition == "target" ? Condition::target : Condition::predictions;
        if ((options.condition == "target") == options.model.target.empty()) fail<UsageError>("--condition target and --target TOKEN go together");
        if (!options.model.target.empty()) options.collect.target = token_argument(options.model.target, "--target", load_tokenizer(options.model.folder));
        options.collect.recompute = Recompute::parse(options.model.recompute);
        (void)choose_backend(backends(), options.model.backend);
        watch_signals();
        Run(options, *ranks)();
    } catch (const std::exception& error) {
        if (ranks->size() > 1) {
            std::cerr << "lrp: rank " << ranks->rank() << ": " << error.what() << std::endl;
            ranks->give_up(dynamic_cast<const UsageError*>(&error) != nullptr ? 2 : 1);
        }
        throw;
    }
}

}  // namespace

void add_collect_command(CLI::App& app) {
    auto* command = app.add_subcommand("collect", "Go over a corpus once and keep, for every neuron and head, where it was most active and most relevant");
    auto options = std::make_shared<CollectCommand>();
    command->add_option("MODEL_DIR", options->model.folder, "Hugging Face checkpoint folder")->required();
    command->add_option("CORPUS", options->corpus, "text files with a document a line, or JSONL with \"text\" or \"ids\" a line; - for standard input")->required();
    command->add_option("-o,--output", options->store, "the store's folder; what a run before left there is gone on with")->required();
    command->add_option("--condition", options->condition, "relevance for what: predictions (of every position its own, one backward pass a text), last (the most likely token after "
                                                           "the last position) or target (--target there)")
        ->check(CLI::IsMember({"predictions", "last", "target"}))
        ->capture_default_str();
    command->add_option("--target", options->model.target, "the token of --condition target, as text or id");
    command->add_option("--top", options->collect.shape.k, "entries of each list")->check(CLI::Range(1, 10000))->capture_default_str();
    command->add_option("--before", options->collect.shape.before, "positions kept before each entry")->check(CLI::Range(0, 4096))->capture_default_str();
    command->add_option("--after", options->collect.shape.after, "positions kept behind each entry")->check(CLI::Range(0, 4096))->capture_default_str();
    command->add_option("--batch", options->batch_tokens, "tokens of a batch")->check(CLI::Range(1, 1 << 30))->capture_default_str();
    command->add_option("--shard", options->shard, "i/n: take every n-th batch, from the i-th, counted from 0; `lrp merge` puts shards together");
    command->add_option("--format", options->format, "of the corpus: auto (by the file's name, or its first line), text or jsonl")
        ->check(CLI::IsMember({"auto", "text", "jsonl"}))
        ->capture_default_str();
    command->add_option("--too-long", options->too_long, "a document longer than the model's context: refuse, truncate or skip")
        ->check(CLI::IsMember({"refuse", "truncate", "skip"}))
        ->capture_default_str();
    command->add_flag("--include-first", options->include_first, "count the first position of each document as well");
    command->add_option("--pad-id", options->pad, "runs of this token at the beginning and the end of a document are padding and do not count");
    command->add_flag("--timing", options->timing, "run every batch a second time without collecting, and print what collecting cost in processor time");
    add_compute_options(*command, options->model);
    command->footer("The first position of a document (behind its padding) is skipped unless --include-first is given. Ctrl-C ends after the batch under way.\n"
                    "Examples:\n"
                    "  lrp collect examples/models/mini examples/models/corpus.txt -o mini.store\n"
                    "  lrp collect MODEL a.jsonl b.txt -o part0 --shard 0/2; lrp collect MODEL a.jsonl b.txt -o part1 --shard 1/2\n"
                    "  lrp merge part0 part1 -o whole\n"
                    "  mpirun -n 4 lrp collect MODEL corpus.jsonl -o whole");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
