// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Checkpoints of a real model's shape with random weights: for timing, where only the sizes matter.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <lrp/core/human.hpp>
#include <lrp/core/random_normal.hpp>
#include <lrp/core/thread_pool.hpp>
#include <lrp/io/atomic_file.hpp>
#include <lrp/io/hf_config_write.hpp>
#include <lrp/io/safetensors_write.hpp>
#include <lrp/pipeline/load_llama.hpp>

namespace lrp {

namespace detail {

inline HfConfig known_llama(std::uint64_t layers, std::uint64_t hidden, std::uint64_t neurons, std::uint64_t heads, std::uint64_t kv_heads) {
    HfConfig config;
    config.model_type = "llama";
    config.num_hidden_layers = layers;
    config.hidden_size = hidden;
    config.intermediate_size = neurons;
    config.num_attention_heads = heads;
    config.num_key_value_heads = kv_heads;
    config.head_dim = hidden / heads;
    config.rms_norm_eps = 1e-5;
    config.dtype = "bfloat16";
    config.bos_token_id = 1;
    config.eos_token_ids = {2};
    return config;
}

/// What the models of the third generation share.
inline HfConfig known_llama3(HfConfig config, double factor, bool tied) {
    config.vocab_size = 128256;
    config.max_position_embeddings = 131072;
    config.rope = {"llama3", 500000, factor, 1, 4, 8192};
    config.tie_word_embeddings = tied;
    config.bos_token_id = 128000;
    config.eos_token_ids = {128001};
    return config;
}

}  // namespace detail

/// Configurations of published base models by name, and `tiny`, a LLaMA 3 of two layers that takes no time. All store bf16.
[[nodiscard]] inline const std::map<std::string, HfConfig>& known_models() {
    using detail::known_llama;
    static const std::map<std::string, HfConfig> models = [] {
        std::map<std::string, HfConfig> all;
        all["llama-3.2-1b"] = detail::known_llama3(known_llama(16, 2048, 8192, 32, 8), 32, true);
        all["llama-3.2-3b"] = detail::known_llama3(known_llama(28, 3072, 8192, 24, 8), 32, true);
        all["llama-3.1-8b"] = detail::known_llama3(known_llama(32, 4096, 14336, 32, 8), 8, false);
        all["tinyllama-1.1b"] = known_llama(22, 2048, 5632, 32, 4);
        all["llama-2-7b"] = known_llama(32, 4096, 11008, 32, 32);
        all["llama-2-7b"].max_position_embeddings = 4096;
        HfConfig tiny = detail::known_llama3(known_llama(2, 64, 160, 4, 2), 8, false);
        tiny.vocab_size = 256;
        tiny.rope.original_max_position_embeddings = 64;
        tiny.max_position_embeddings = 512;
        tiny.bos_token_id = 1;
        tiny.eos_token_ids = {2};
        all["tiny"] = tiny;
        return all;
    }();
    return models;
}

/// One tensor of a random checkpoint: values mean + deviation * normal.
struct RandomTensor {
    TensorPlan plan;
    double mean = 0;
    double deviation = 1;
};

/// The tensors of a model, in its own order. Deviations keep activations of order 1: a map of `in` inputs 1/sqrt(in), those that write to the
/// residual stream (o, down) further 1/sqrt(2 L), the embedding 1/sqrt(d), so that a tied head's logits are of order 1; norms 1 +- 0.1.
[[nodiscard]] inline std::vector<RandomTensor> random_tensors(const LlamaConfig& config) {
    std::vector<RandomTensor> result;
    const double stream = 1 / std::sqrt(2.0 * static_cast<double>(config.layers));
    for_each_tensor_name(config, [&](const std::string& name, Index rows, Index cols) {
        RandomTensor tensor{{name, Dtype::bf16, {static_cast<std::uint64_t>(cols)}}};
        if (rows > 0) {
            tensor.plan.shape.insert(tensor.plan.shape.begin(), static_cast<std::uint64_t>(rows));
            tensor.deviation = 1 / std::sqrt(static_cast<double>(cols));
            if (name.ends_with("o_proj.weight") || name.ends_with("down_proj.weight")) tensor.deviation *= stream;
        } else {
            tensor.mean = name.ends_with("norm.weight") ? 1 : 0;
            tensor.deviation = 0.1;
        }
        result.push_back(std::move(tensor));
    });
    return result;
}

struct RandomCheckpointOptions {
    std::uint64_t seed = 1;
    std::uint64_t shard_bytes = std::uint64_t{5} << 30;  ///< a file holds at least one tensor, and no more than this if there are two
    unsigned threads = 0;                       ///< 0: all; the same bytes for any number
};

namespace detail {

/// Which tensors [begin, end) each file holds, filled in order.
inline std::vector<std::pair<std::size_t, std::size_t>> shards(const std::vector<RandomTensor>& tensors, std::uint64_t limit) {
    std::vector<std::pair<std::size_t, std::size_t>> result;
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
        const std::uint64_t size = tensors[i].plan.bytes();
        if (result.empty() || bytes + size > limit) {
            result.emplace_back(i, i);
            bytes = 0;
        }
        bytes += size;
        result.back().second = i + 1;
    }
    return result;
}

inline std::string shard_name(std::size_t index, std::size_t count) {
    if (count == 1) return "model.safetensors";
    std::array<char, 64> name{};
    std::snprintf(name.data(), name.size(), "model-%05zu-of-%05zu.safetensors", index + 1, count);
    return name.data();
}

/// Fills one file's tensors with their random numbers, piece by piece, and waits for the disk. A piece is a large page of the file, whatever tensors lie
/// there: written at once, it is one in the system's cache, too, and later read as one.
inline void write_random_shard(const std::filesystem::path& path, std::span<const RandomTensor> tensors, std::size_t first_stream, std::uint64_t seed, ThreadPool& pool,
                               const std::function<void(std::uint64_t)>& wrote) {
    constexpr std::uint64_t piece = std::uint64_t{2} << 20;  // bytes
    std::map<std::pair<double, double>, RandomNormal> sources;
    struct Place {
        const RandomNormal* source;
        std::uint64_t begin, end;
    };
    std::vector<TensorPlan> plans;
    std::vector<Place> places;
    for (const RandomTensor& tensor : tensors) {
        const std::uint64_t begin = places.empty() ? 0 : places.back().end;
        plans.push_back(tensor.plan);
        places.push_back({&sources.try_emplace({tensor.mean, tensor.deviation}, seed, tensor.mean, tensor.deviation).first->second, begin, begin + tensor.plan.bytes()});
    }
    SafetensorsWriter writer(path, plans, {{"format", "pt"}});
    const std::uint64_t shift = writer.data_begin() % piece, end = shift + writer.data_bytes();
    pool.parallel_for(static_cast<Index>((end + piece - 1) / piece), [&](Index i) {
        thread_local std::vector<bf16> numbers(piece / sizeof(bf16));
        const std::uint64_t page = static_cast<std::uint64_t>(i) * piece, from = std::max(page, shift) - shift, to = std::min(page + piece, end) - shift;
        auto place = std::upper_bound(places.begin(), places.end(), from, [](std::uint64_t at, const Place& one) { return at < one.end; });
        for (; place != places.end() && place->begin < to; ++place) {
            const std::uint64_t first = std::max(from, place->begin), last = std::min(to, place->end);
            const std::span<bf16> part(numbers.data() + (first - from) / sizeof(bf16), (last - first) / sizeof(bf16));
            place->source->fill(first_stream + static_cast<std::uint64_t>(place - places.begin()), (first - place->begin) / sizeof(bf16), part);
        }
        writer.write({reinterpret_cast<const char*>(numbers.data()), to - from}, from);
        if (wrote) wrote(to - from);
    });
    writer.finish();
}

}  // namespace detail

/// Bytes of all tensors of a model in bf16.
[[nodiscard]] inline std::uint64_t random_checkpoint_bytes(const HfConfig& config) {
    std::uint64_t bytes = 0;
    for (const RandomTensor& tensor : random_tensors(llama_config(config))) bytes += tensor.plan.bytes();
    return bytes;
}

/// Writes config.json and bf16 safetensors files of random weights (with an index if there are several) to `folder`, which must be empty or not
/// be there; it appears whole or not at all: all is written to a folder beside it first. `wrote` is told of every piece of bytes written, from any
/// thread. Error: the folder holds something, the disk has too little room (both numbers), or the system's reason.
inline void write_random_checkpoint(const std::filesystem::path& folder, const HfConfig& file, const RandomCheckpointOptions& options = {},
                                    const std::function<void(std::uint64_t)>& wrote = {}) {
    namespace fs = std::filesystem;
    const fs::path target = (folder.has_filename() ? folder : folder.parent_path()).lexically_normal();
    const fs::path parent = fs::absolute(target).parent_path();
    std::error_code code;
    if (fs::exists(target, code)) {
        require(fs::is_directory(target, code), target.string(), ": cannot be written (it is no folder)");
        require(fs::is_empty(target, code) && !code, target.string(), ": the folder is not empty; name one that is, or that is not there");
    }
    require(fs::is_directory(parent, code), parent.string(), ": there is no such folder");
    const std::vector<RandomTensor> tensors = random_tensors(llama_config(file));
    const std::uint64_t bytes = random_checkpoint_bytes(file);
    const fs::space_info space = fs::space(parent, code);
    if (!code && space.available < bytes)
        fail(parent.string(), ": expected ", human_bytes(bytes), " free on the disk, found ", human_bytes(space.available));

    std::string temporary = (parent / ("." + target.filename().string() + "-XXXXXX")).string();
    const bool made = ::mkdtemp(temporary.data()) != nullptr;
    require(made, parent.string(), ": cannot be written (", std::strerror(errno), ")");
    struct Remove {
        std::string path;
        ~Remove() {
            std::error_code ignored;
            if (!path.empty()) fs::remove_all(path, ignored);
        }
    } remove{temporary};
    ThreadPool pool(options.threads);
    const auto shards = detail::shards(tensors, options.shard_bytes);
    nlohmann::ordered_json index = {{"metadata", {{"total_size", bytes}}}, {"weight_map", nlohmann::ordered_json::object()}};
    for (std::size_t s = 0; s < shards.size(); ++s) {
        const auto [begin, end] = shards[s];
        const std::string name = detail::shard_name(s, shards.size());
        for (std::size_t i = begin; i < end; ++i) index["weight_map"][tensors[i].plan.name] = name;
        detail::write_random_shard(fs::path(temporary) / name, std::span(tensors).subspan(begin, end - begin), begin, options.seed, pool, wrote);
    }
    if (shards.size() > 1) write_file(fs::path(temporary) / "model.safetensors.index.json", index.dump(2) + "\n");
    write_file(fs::path(temporary) / "config.json", hf_config_text(file));
    const bool moved = ::chmod(temporary.c_str(), 0755) == 0 && std::rename(temporary.c_str(), target.c_str()) == 0;
    require(moved, target.string(), ": cannot be written (", std::strerror(errno), ")");
    remove.path.clear();
}

}  // namespace lrp
