// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <iostream>
#include <map>
#include <memory>

#include <lrp/analysis/attribute_memory.hpp>
#include <lrp/eigen/backend.hpp>
#include <lrp/pipeline/pretrained.hpp>
#include <lrp/rule/preset/attn_lrp.hpp>

#include "common.hpp"

namespace lrp::cli {

namespace {

using Ordered = nlohmann::ordered_json;

Ordered config_facts(const HfConfig& config) {
    Ordered out = {{"model_type", config.model_type},
                   {"layers", config.num_hidden_layers},
                   {"hidden_size", config.hidden_size},
                   {"intermediate_size", config.intermediate_size},
                   {"heads", config.num_attention_heads},
                   {"kv_heads", config.num_key_value_heads},
                   {"head_dim", config.head_dim},
                   {"vocab_size", config.vocab_size},
                   {"max_position_embeddings", config.max_position_embeddings},
                   {"rms_norm_eps", config.rms_norm_eps},
                   {"tie_word_embeddings", config.tie_word_embeddings},
                   {"attention_bias", config.attention_bias},
                   {"mlp_bias", config.mlp_bias},
                   {"dtype", config.dtype},
                   {"eos_token_ids", config.eos_token_ids}};
    Ordered rope = {{"type", config.rope.type}, {"theta", config.rope.theta}};
    if (config.rope.type != "default") rope["factor"] = config.rope.factor;
    if (config.rope.type == "llama3") {
        rope["low_freq_factor"] = config.rope.low_freq_factor;
        rope["high_freq_factor"] = config.rope.high_freq_factor;
        rope["original_max_position_embeddings"] = config.rope.original_max_position_embeddings;
    }
    out["rope"] = rope;
    return out;
}

/// Bytes of float32 weights, of those that cannot be used where they lie, and of the passes over some prompt lengths, as `trace` computes by default.
template <Backend B>
Ordered memory_facts(const LlamaConfig& config, const Checkpoint& checkpoint, std::uint64_t parameters) {
    typename B::context ctx;
    LlamaWeights<B> none;
    none.layers.resize(static_cast<std::size_t>(config.layers));
    const LlamaModel<B, AttnLRP> model(config, std::make_shared<const LlamaWeights<B>>(std::move(none)));
    Ordered out = {{"weights_bytes", parameters * sizeof(float)}, {"converted_bytes", weights_to_convert<B>(config, checkpoint)}, {"passes", Ordered::array()}};
    for (const Index tokens : {16, 128, 512, 2048})
        out["passes"].push_back({{"tokens", tokens},
                                 {"keep_all_bytes", attribute_bytes(ctx, model, {tokens}, {}, 0)},
                                 {"recompute_bytes", attribute_bytes(ctx, model, {tokens}, {}, config.layers)}});
    return out;
}

Ordered gather(const std::string& folder) {
    const HfConfig file = read_hf_config(folder);
    const LlamaConfig config = llama_config(file);
    const Checkpoint checkpoint = Checkpoint::open(folder);
    Ordered tensors = Ordered::array();
    std::map<std::string, std::uint64_t> dtypes;
    std::uint64_t parameters = 0;
    for (const TensorEntry* entry : checkpoint.tensors()) {
        tensors.push_back({{"name", entry->name}, {"dtype", entry->dtype_text}, {"shape", entry->shape}, {"bytes", entry->bytes.size()}});
        dtypes[entry->dtype_text] += entry->bytes.size();
        parameters += entry->count();
    }
    Ordered out = {{"config", config_facts(file)}, {"parameters", parameters}, {"hash", model_hash(config, checkpoint)}, {"bytes", checkpoint.bytes()},
                   {"dtypes", dtypes},             {"memory", checkpoint.all_matrices(Dtype::bf16) ? memory_facts<EigenBackend<float, bf16>>(config, checkpoint, parameters)
                                                                                   : memory_facts<EigenBackend<float>>(config, checkpoint, parameters)}};
    out["files"] = Ordered::array();
    for (const auto& path : checkpoint.files()) out["files"].push_back(path.filename().string());
    if (const auto tokenizer = load_tokenizer(folder)) {
        out["tokenizer"] = Ordered::object();
        for (const auto& [name, value] : tokenizer->facts()) out["tokenizer"][name] = value;
    } else {
        out["tokenizer"] = nullptr;
    }
    std::vector<std::string> notes = checkpoint.notes();
    for (const auto& note : unused_notes(config, checkpoint)) notes.push_back(note);
    out["notes"] = notes;
    out["tensors"] = tensors;
    return out;
}

void print(const Ordered& facts) {
    const auto section = [](const std::string& title, const Ordered& object) {
        std::cout << title << '\n';
        for (const auto& [key, value] : object.items())
            std::cout << "  " << key << std::string(key.size() < 26 ? 26 - key.size() : 1, ' ') << (value.is_string() ? value.get<std::string>() : value.dump()) << '\n';
        std::cout << '\n';
    };
    section("Configuration", facts["config"]);
    std::cout << "Weights\n  " << counted(facts["parameters"], "parameter") << ", " << human_bytes(facts["bytes"]) << " in " << counted(facts["files"].size(), "file") << ", hash "
              << facts["hash"].get<std::string>() << '\n';
    for (const auto& [dtype, bytes] : facts["dtypes"].items()) std::cout << "  " << dtype << "  " << human_bytes(bytes) << '\n';
    std::cout << "\nMemory needed beside the program itself: " << human_bytes(facts["bytes"]) << " of mapped files, " << human_bytes(facts["memory"]["converted_bytes"])
              << " for weights that must be converted, and for a prompt of\n";
    for (const auto& pass : facts["memory"]["passes"])
        std::cout << "  " << pass["tokens"] << " tokens: " << human_bytes(pass["keep_all_bytes"]) << " keeping everything, " << human_bytes(pass["recompute_bytes"])
                  << " recomputing layers\n";
    std::cout << '\n';
    if (facts["tokenizer"].is_null()) {
        std::cout << "Tokenizer\n  none (no tokenizer.json)\n\n";
    } else {
        section("Tokenizer", facts["tokenizer"]);
    }
    for (const auto& note : facts["notes"]) std::cout << "Note: " << note.get<std::string>() << '\n';
    std::cout << "Tensors\n";
    for (const auto& tensor : facts["tensors"])
        std::cout << "  " << tensor["dtype"].get<std::string>() << "  " << tensor["name"].get<std::string>() << "  " << tensor["shape"].dump() << '\n';
}

}  // namespace

void add_inspect_command(CLI::App& app) {
    auto* command = app.add_subcommand("inspect", "Show a checkpoint's configuration, tensors, memory needs and tokenizer");
    struct Options {
        std::string folder;
        bool json = false;
    };
    auto options = std::make_shared<Options>();
    command->add_option("MODEL_DIR", options->folder, "Hugging Face checkpoint folder")->required();
    command->add_flag("--json", options->json, "write everything as one JSON object");
    command->footer("Examples:\n  lrp inspect examples/models/mini\n  lrp inspect examples/models/mini --json");
    command->callback([options] {
        const auto facts = gather(options->folder);
        if (options->json) {
            write_result("-", facts.dump(1, ' ', false, nlohmann::json::error_handler_t::replace));
        } else {
            print(facts);
        }
    });
}

}  // namespace lrp::cli
