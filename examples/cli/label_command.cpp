// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <iostream>
#include <memory>

#include <lrp/eigen/backend.hpp>
#include <lrp/model/llama/model.hpp>
#include <lrp/pipeline/corpus.hpp>
#include <lrp/pipeline/label_import.hpp>
#include <lrp/pipeline/label_score.hpp>
#include <lrp/pipeline/load_llama.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/pipeline/store_export.hpp>
#include <lrp/rule/preset/gradient.hpp>

#include "common.hpp"

namespace lrp::cli {

namespace {

using B = EigenBackend<float>;

struct LabelOptions {
    std::string store, model, import, source = "import", export_as, output;
    std::vector<std::string> score;
    unsigned threads = 0;
    std::size_t tokens = 8;
};

/// A model's weights, opened for a store that was made from it.
struct LabelModel {
    LabelModel(const std::string& folder, const NeuronStore& store, unsigned threads) : checkpoint(Checkpoint::open(folder)), file(read_hf_config(folder)), ctx(threads) {
        store.require_model(checkpoint.hash(), folder);
        config = llama_config(file);
        weights = load_llama_weights<B>(ctx, config, checkpoint);
    }
    Checkpoint checkpoint;
    HfConfig file;
    B::context ctx;
    LlamaConfig config;
    std::shared_ptr<const LlamaWeights<B>> weights;
};

/// The tokens that each neuron writes (output matrix times its column of down_proj) and reads (embedding times its row of gate_proj, scaled by the
/// norm before it), the best and the worst.
void add_directions(UnitLabeller& labeller, LabelModel& model, std::size_t count) {
    const LlamaConfig& config = model.config;
    const Index vocabulary = config.vocab_size, block = 64;
    std::vector<float> scores(static_cast<std::size_t>(block * vocabulary));
    for (Index layer = 0; layer < config.layers; ++layer) {
        const auto& weights = model.weights->layers[static_cast<std::size_t>(layer)];
        for (const char* kind : {"writes", "reads"}) {
            const bool writes = std::string_view(kind) == "writes";
            // One direction [d] a row.
            ActivationTensor<B> directions(model.ctx, config.intermediate_size, config.hidden_size);
            for (Index n = 0; n < config.intermediate_size; ++n)
                for (Index i = 0; i < config.hidden_size; ++i)
                    directions.view()(n, i) = writes ? weights.down.weight.view()(i, n) : weights.gate.weight.view()(n, i) * weights.mlp_norm.view()(0, i);
            const View<const float> matrix = writes ? model.weights->output() : model.weights->embedding.view();
            for (Index first = 0; first < config.intermediate_size; first += block) {
                const Index units = std::min(block, config.intermediate_size - first);
                B::matmul(model.ctx, {.transpose_b = true}, std::as_const(directions).view().rows_from(first, units), matrix, View<float>(scores.data(), units, vocabulary));
                for (Index u = 0; u < units; ++u)
                    for (std::size_t pole = 0; pole < 2; ++pole) {
                        std::vector<ScoredToken> list;
                        for (Index v = 0; v < vocabulary; ++v)
                            list.push_back({static_cast<std::int32_t>(v), (pole == 0 ? 1.0 : -1.0) * static_cast<double>(scores[static_cast<std::size_t>(u * vocabulary + v)])});
                        labeller.add_tokens({"neuron", layer, first + u}, kind, pole, best_scored(std::move(list), count));
                    }
            }
        }
    }
}

/// Feeds a scorer with the activations of a forward pass.
class ScoreObserver {
  public:
    ScoreObserver(LabelScorer& scorer, const CollectDocument& text, Index heads) : scorer_(scorer), text_(text), heads_(heads) {}
    [[nodiscard]] bool reads(Site site) const { return site == Site::neuron || site == Site::head; }
    void activation(B::context& ctx, SiteRef site, Activation<float> x) {
        std::vector<float> values = download(ctx, View<const float>(x));
        if (site.site == Site::head) values = head_lengths(values, heads_);
        scorer_.add(site.site == Site::head, static_cast<std::size_t>(site.layer), text_.ids, text_.counts, values);
    }

  private:
    static std::vector<float> head_lengths(const std::vector<float>& x, Index heads_of_a_row_times_rows) {
        std::vector<float> out(static_cast<std::size_t>(heads_of_a_row_times_rows));
        const std::size_t width = x.size() / out.size();
        for (std::size_t i = 0; i < out.size(); ++i) {
            double squares = 0;
            for (std::size_t j = i * width; j < (i + 1) * width; ++j) squares += static_cast<double>(x[j]) * x[j];
            out[i] = static_cast<float>(std::sqrt(squares));
        }
        return out;
    }

    LabelScorer& scorer_;
    const CollectDocument& text_;
    Index heads_;  // heads times rows
};

void score_labels(std::vector<StoredLabel>& labels, const NeuronStore& store, LabelModel& model, const LabelOptions& options) {
    CorpusOptions corpus_options;
    corpus_options.context = model.file.max_position_embeddings;
    corpus_options.vocabulary = model.file.vocab_size;
    const Corpus corpus = read_corpus(options.score, load_tokenizer(options.model), corpus_options);
    LabelScorer scorer(labels, static_cast<std::size_t>(model.config.layers), model.config.intermediate_size, model.config.attention.heads);
    const LlamaModel<B, Gradient> llama(model.config, model.weights);  // rules play no part in a forward pass
    const bool first = store.fact("first_position") == "counts";
    std::uint64_t ignored = 0;
    for (const StoredDocument& document : corpus.documents) {
        const CollectDocument text = CountRule{first, std::nullopt}.apply(document, ignored, ignored);
        ScoreObserver observer(scorer, text, static_cast<Index>(text.ids.size()) * model.config.attention.heads);
        (void)llama.forward(model.ctx, text.ids, std::vector{static_cast<std::int32_t>(text.ids.size() - 1)}, Recompute::layer(), observer);
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
    std::cerr << "lrp: scored on " << corpus.documents.size() << " documents, " << corpus.tokens << " tokens: mean score " << mean << ", of shuffled labels " << null << "; " << better
              << " of " << labels.size() << " labels (" << 100.0 * static_cast<double>(better) / static_cast<double>(labels.size()) << " %) are better than 95 % of shuffled ones\n";
}

void export_store(NeuronStore& store, const LabelOptions& options) {
    if (options.output.empty()) fail<UsageError>("--export: give the folder to write to with -o");
    StoreExport out(store, options.output);
    if (options.export_as == "prompts") out.prompts();
    if (options.export_as == "delphi") out.delphi();
    if (options.export_as == "neuronpedia") out.neuronpedia();
    if (options.export_as == "zennit-crp") out.zennit_crp();
}

void run(const LabelOptions& options) {
    if (!options.score.empty() && options.model.empty()) fail<UsageError>("--score: the model is run over those texts; name it with --model");
    if (!options.import.empty() && options.source == "tokens") fail<UsageError>("--source: 'tokens' is the name of the labels made here; give another");
    if (!options.export_as.empty()) {
        NeuronStore store = NeuronStore::open(options.store);
        return export_store(store, options);
    }
    NeuronStore store = NeuronStore::open(options.store, Database::Mode::write);
    std::unique_ptr<LabelModel> model;
    if (!options.model.empty()) model = std::make_unique<LabelModel>(options.model, store, options.threads);
    if (!options.import.empty()) {
        std::vector<StoredLabel> labels = import_labels(options.import, options.source, unit_sizes(store), store.tokens());
        if (!options.score.empty()) score_labels(labels, store, *model, options);
        store.put_labels(labels, options.source);
        std::cerr << "lrp: " << labels.size() << " labels of '" << options.source << "' are in " << options.store << '\n';
        return;
    }
    UnitLabeller labeller(store);
    labeller.run();
    if (model) add_directions(labeller, *model, options.tokens);
    if (!options.score.empty()) score_labels(labeller.labels, store, *model, options);
    store.put_labels(labeller.labels, "tokens", &labeller.unit_tokens);
    std::cerr << "lrp: " << labeller.labels.size() << " labels are in " << options.store << '\n';
}

}  // namespace

void add_label_command(CLI::App& app) {
    auto* command = app.add_subcommand("label", "Label the units of a store by the tokens they go with; bring labels in, or the store out to other tools");
    auto options = std::make_shared<LabelOptions>();
    command->add_option("STORE", options->store, "folder that `lrp collect` made")->required();
    command->add_option("--model", options->model, "the model's folder: adds the tokens that each neuron writes and reads");
    command->add_option("--score", options->score, "texts that were not collected: how well each label's tokens predict the activation there, beside shuffled labels");
    command->add_option("--tokens", options->tokens, "tokens written and read to list")->check(CLI::Range(1, 1000))->capture_default_str();
    command->add_option("--import", options->import, "labels made elsewhere: CSV with a header, or .jsonl, with layer, unit, label (and pole, site)");
    command->add_option("--source", options->source, "name of the imported labels; a second import under the same name replaces them")->capture_default_str();
    command->add_option("--export", options->export_as, "write to -o: prompts (for a language model that explains), or the layout of delphi, neuronpedia or zennit-crp")
        ->check(CLI::IsMember({"prompts", "delphi", "neuronpedia", "zennit-crp"}));
    command->add_option("-o,--output", options->output, "folder of --export");
    command->add_option("--threads", options->threads, "threads; 0: all cores")->capture_default_str();
    command->footer("Examples:\n"
                    "  lrp label mini.store --model examples/models/mini\n"
                    "  lrp label mini.store --model examples/models/mini --score heldout.txt\n"
                    "  lrp label mini.store --import labels.csv --source mine\n"
                    "  lrp label mini.store --export neuronpedia -o exported");
    command->callback([options] { run(*options); });
}

}  // namespace lrp::cli
