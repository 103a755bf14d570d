// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <iostream>
#include <map>
#include <memory>
#include <tuple>

#include <lrp/pipeline/corpus.hpp>
#include <lrp/pipeline/label_import.hpp>
#include <lrp/pipeline/label_score.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/pipeline/store_export.hpp>
#include <lrp/view/label.hpp>

#include "common.hpp"

namespace lrp::cli {

namespace {

struct LabelOptions {
    ModelOptions model;
    std::string store, import, source = "import", export_as, output;
    std::vector<std::string> score;
    std::size_t tokens = 8;
};

/// A model, opened for a store that was made from it.
struct LabelModel {
    LabelModel(const ModelOptions& options, const NeuronStore& store) : file(read_hf_config(options.folder)) {
        const EngineRequest request = open_files(options, 0, checkpoint);
        store.require_model(folder_hash(options.folder, *checkpoint), options.folder);
        engine = make_engine(options.backend, request);
    }
    std::optional<Checkpoint> checkpoint;
    std::unique_ptr<Engine> engine;
    HfConfig file;
};

/// The tokens that each neuron writes and reads, the best and the worst.
void add_directions(UnitLabeller& labeller, LabelModel& model, std::size_t count) {
    for (std::size_t layer = 0; layer < static_cast<std::size_t>(model.file.num_hidden_layers); ++layer)
        for (const auto& [kind, side] : {std::pair("writes", NeuronSide::writes), std::pair("reads", NeuronSide::reads)})
            model.engine->neuron_tokens(layer, side, count, [&, kind = kind](Index neuron, std::size_t pole, const std::vector<ScoredToken>& list) {
                labeller.add_tokens({"neuron", static_cast<Index>(layer), neuron}, kind, pole, list);
            });
}

void score_labels(std::vector<StoredLabel>& labels, const NeuronStore& store, LabelModel& model, const LabelOptions& options) {
    CorpusOptions corpus_options;
    corpus_options.context = model.file.max_position_embeddings;
    corpus_options.vocabulary = model.file.vocab_size;
    const Corpus corpus = read_corpus(options.score, load_tokenizer(options.model.folder), corpus_options);
    LabelScorer scorer(labels, model.file.num_hidden_layers, static_cast<Index>(model.file.intermediate_size), static_cast<Index>(model.file.num_attention_heads));
    const CountRule rule{store.fact("first_position") == "counts", store.fact("pad_id") == "none" ? std::nullopt : std::optional(static_cast<std::int32_t>(store.number("pad_id")))};
    std::uint64_t ignored = 0;
    for (const StoredDocument& document : corpus.documents) {
        const CollectDocument text = rule.apply(document, ignored, ignored);
        model.engine->unit_activations(text.ids, [&](Site site, std::size_t layer, const std::vector<float>& values) { scorer.add(site == Site::head, layer, text.ids, text.counts, values); });
        scorer.end_text(text.counts);
    }
    scorer.finish();
    double mean = 0, null = 0;
    std::size_t better = 0;
    for (const StoredLabel& label : labels) {
        mean += label.score / static_cast<double>(labels.size());
        null += label.null_mean / static_cast<double>(labels.size());
        better += label.score > label.null_high ? 1 : 0;
    }
    std::cerr << "lrp: scored on " << counted(corpus.documents.size(), "document") << ", " << counted(corpus.tokens, "token") << ": mean score " << mean << ", of shuffled labels " << null << "; " << better
              << " of " << labels.size() << " labels (" << 100.0 * static_cast<double>(better) / static_cast<double>(labels.size()) << " %) are better than 95 % of shuffled ones\n";
}

/// Labels that say what they said keep the scores that they had.
void keep_scores(std::vector<StoredLabel>& labels, NeuronStore& store) {
    const auto said = [](const StoredLabel& label) { return std::tie(label.site, label.layer, label.unit, label.pole, label.source, label.label, label.tokens); };
    std::map<decltype(said(labels.front())), const StoredLabel*> before;
    const std::vector<StoredLabel> stored = store.labels();
    for (const StoredLabel& label : stored) before[said(label)] = &label;
    for (StoredLabel& label : labels)
        if (const auto found = before.find(said(label)); found != before.end()) {
            label.score = found->second->score;
            label.null_mean = found->second->null_mean;
            label.null_high = found->second->null_high;
        }
}

void export_store(NeuronStore& store, const LabelOptions& options) {
    if (options.output.empty()) fail<UsageError>("--export: give the folder to write to with -o");
    StoreExport out(store, options.output);
    if (options.export_as == "prompts") out.prompts();
    if (options.export_as == "delphi") out.delphi();
    if (options.export_as == "neuronpedia") out.neuronpedia();
    if (options.export_as == "zennit-crp") out.zennit_crp();
}

/// UsageError for an option that nobody would look at beside the others.
void refuse_idle_options(const CLI::App& command) {
    const auto given = [&](const char* name) { return command.count(name) > 0; };
    for (const char* name : {"--import", "--model", "--score", "--tokens", "--backend", "--threads", "--products"})
        if (given("--export") && given(name)) fail<UsageError>(name, ": it does not go with --export, which writes what the store holds already");
    for (const char* name : {"--score", "--tokens", "--backend", "--threads", "--products"})
        if (given(name) && !given("--model")) fail<UsageError>(name, ": it asks something of the model; name it with --model");
    if (given("--import") && given("--tokens")) fail<UsageError>("--tokens: it does not go with --import, which takes the labels from its file");
    if (given("--import") && given("--model") && !given("--score")) fail<UsageError>("--model: beside --import the model is asked for a --score alone, and there is none");
}

void run(const LabelOptions& options) {
    if (!options.import.empty() && (options.source == "tokens" || options.source == "tokens-next"))
        fail<UsageError>("--source: '", options.source, "' is the name of labels made here; give another");
    if (!options.export_as.empty()) {
        NeuronStore store = NeuronStore::open(options.store);
        return export_store(store, options);
    }
    NeuronStore store = NeuronStore::open(options.store, Database::Mode::write);
    std::unique_ptr<LabelModel> model;
    if (!options.model.folder.empty()) model = std::make_unique<LabelModel>(options.model, store);
    if (!options.import.empty()) {
        std::vector<StoredLabel> labels = import_labels(options.import, options.source, unit_sizes(store), store.tokens());
        if (!options.score.empty()) score_labels(labels, store, *model, options);
        store.put_labels(labels, options.source);
        std::cerr << "lrp: " << counted(labels.size(), "label") << " of '" << visible(options.source) << "' are in " << options.store << '\n';
        return;
    }
    UnitLabeller labeller(store);
    labeller.run();
    if (model) add_directions(labeller, *model, options.tokens);
    options.score.empty() ? keep_scores(labeller.labels, store) : score_labels(labeller.labels, store, *model, options);
    store.put_labels(labeller.labels, "tokens", &labeller.unit_tokens);
    store.put_labels(labeller.next_labels, "tokens-next");
    std::cerr << "lrp: " << counted(labeller.labels.size(), "label") << " by activation and " << labeller.next_labels.size() << " by relevance are in " << options.store << '\n';
}

}  // namespace

void add_label_command(CLI::App& app) {
    auto* command = app.add_subcommand("label", "Label the units of a store by the tokens they go with; bring labels in, or the store out to other tools");
    auto options = std::make_shared<LabelOptions>();
    command->add_option("STORE", options->store, "folder that `lrp collect` made")->required();
    command->add_option("--model", options->model.folder, "the model's folder: adds the tokens that each neuron writes and reads; without it those of an earlier run stay");
    command->add_option("--score", options->score, "texts that were not collected: how well each label's tokens predict the activation there, beside shuffled labels");
    command->add_option("--tokens", options->tokens, "tokens written and read to list")->check(CLI::Range(1, 1000))->capture_default_str();
    auto* import = command->add_option("--import", options->import,
                                       "labels made elsewhere: CSV with a header, or JSONL, with layer, unit, label (and pole, site); - for standard input");
    command->add_option("--source", options->source, "name of the imported labels; a second import under the same name replaces them")
        ->capture_default_str()
        ->needs(import);
    auto* exported = command->add_option("--export", options->export_as, "write to -o: prompts (for a language model that explains), or the layout of delphi, neuronpedia or zennit-crp")
        ->check(CLI::IsMember({"prompts", "delphi", "neuronpedia", "zennit-crp"}));
    command->add_option("-o,--output", options->output, "folder of --export")->needs(exported);
    add_backend_options(*command, options->model);
    command->footer("Examples:\n"
                    "  lrp label mini.store --model examples/models/mini\n"
                    "  lrp label mini.store --model examples/models/mini --score heldout.txt\n"
                    "  lrp label mini.store --import labels.csv --source mine\n"
                    "  lrp label mini.store --export neuronpedia -o exported");
    command->callback([options, command] {
        refuse_idle_options(*command);
        run(*options);
    });
}

}  // namespace lrp::cli
