// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <lrp/io/safetensors.hpp>

namespace lrp {

/// The weights of a Hugging Face folder: one model.safetensors, or shards named by model.safetensors.index.json. Files stay mapped for
/// as long as the checkpoint lives. Errors name the file, the tensor, what was expected and what was found; folders that hold only
/// pickled weights, a LoRA adapter or Git LFS pointers are refused by name.
class Checkpoint {
  public:
    /// If both forms are there, the single file is read and a note says so.
    [[nodiscard]] static Checkpoint open(const std::filesystem::path& folder) {
        namespace fs = std::filesystem;
        std::error_code code;
        require(fs::is_directory(folder, code), folder.string(), ": expected a checkpoint folder");
        Checkpoint result;
        result.folder_ = folder;
        const fs::path single = folder / "model.safetensors";
        const fs::path index = folder / "model.safetensors.index.json";
        if (is_there(single)) {
            if (is_there(index)) result.notes_.push_back(index.string() + " is ignored, as there is a model.safetensors");
            if (is_there(folder / "adapter_config.json"))
                result.notes_.push_back(folder.string() + ": the LoRA adapter beside model.safetensors is ignored");
            result.add_file(single);
        } else if (is_there(index)) {
            result.add_shards(index);
        } else {
            result.refuse_other_folders();
        }
        result.collect();
        return result;
    }

    /// A tensor by its full name; in exports of the bare decoder, which lack the prefix "model.", without it; under another name if the
    /// file's metadata says that the two are one. Null if it is not there.
    [[nodiscard]] const TensorEntry* find(std::string_view name) const {
        if (const auto* entry = find_exact(name)) return entry;
        constexpr std::string_view prefix = "model.";
        if (name.starts_with(prefix)) {
            if (const auto* entry = find_exact(name.substr(prefix.size()))) return entry;
        }
        for (const SafeTensors& file : files_) {
            const auto alias = file.metadata().find(std::string(name));
            if (alias == file.metadata().end()) continue;
            if (const auto* entry = find_exact(alias->second)) return entry;
        }
        return nullptr;
    }
    /// Error naming the folder and the tensor if it is not there.
    [[nodiscard]] const TensorEntry& at(std::string_view name) const {
        const auto* entry = find(name);
        require(entry != nullptr, folder_.string(), ": tensor '", name, "' is missing");
        return *entry;
    }
    /// All tensors but the rotary frequencies some exports carry (`rotary_emb.inv_freq`), sorted by name.
    [[nodiscard]] const std::vector<const TensorEntry*>& tensors() const { return tensors_; }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    /// The files that were read.
    [[nodiscard]] const std::vector<std::filesystem::path>& files() const { return paths_; }
    /// Things worth telling a user.
    [[nodiscard]] const std::vector<std::string>& notes() const { return notes_; }
    /// Bytes of all tensors.
    [[nodiscard]] std::uint64_t bytes() const {
        std::uint64_t sum = 0;
        for (const auto* entry : tensors_) sum += entry->bytes.size();
        return sum;
    }

    /// Whether every matrix is of this type, so that all can be kept in it and nothing is lost.
    [[nodiscard]] bool all_matrices(Dtype dtype) const {
        return std::all_of(tensors_.begin(), tensors_.end(), [&](const TensorEntry* entry) { return entry->shape.size() != 2 || entry->dtype == dtype; });
    }

    /// Names the weights in results: 64 bits over every tensor's name, type, shape and values, in order of names, and over `more`, as 16 hexadecimal
    /// digits. Four lanes of multiply and rotate; fit to tell models apart, not to guard against forgery.
    [[nodiscard]] std::string hash(std::string_view more = {}) const {
        std::uint64_t state = 0x6c7270787821ULL;
        const auto text = [&state](std::string_view bytes) {
            state = mix(state, {reinterpret_cast<const std::byte*>(bytes.data()), bytes.size()});
        };
        for (const auto* entry : tensors_) {
            text(entry->name);
            text(entry->dtype_text);
            text(entry->shape_text());
            state = mix(state, entry->bytes);
        }
        if (!more.empty()) text(more);
        std::array<char, 17> digits{};
        std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(state));
        return digits.data();
    }

  private:
    void add_file(const std::filesystem::path& path) {
        files_.push_back(SafeTensors::open(path));
        paths_.push_back(path);
    }

    void add_shards(const std::filesystem::path& index) {
        const std::string where = index.string();
        const nlohmann::json json = parse_json(read_text_file(index), where, 8);
        const JsonFields top(json, where);
        const auto* map = top.find("weight_map");
        require(map != nullptr, where, ": weight_map is missing");
        require(map->is_object() && !map->empty(), where, ": weight_map: expected an object of tensor names and file names, found ",
                JsonFields::found(*map));
        std::map<std::string, std::vector<std::string>> wanted;  // file -> tensors
        for (const auto& [tensor, file] : map->items()) {
            const auto said = [&key = tensor] { return detail::shortened(key); };
            require(file.is_string(), where, ": weight_map: ", said(), ": expected a file name, found ", JsonFields::found(file));
            const auto name = file.get<std::string>();
            const bool plain = !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
                               name.find_first_of("/\\:") == std::string::npos && name.find('\0') == std::string::npos;
            require(plain, where, ": weight_map: ", said(), ": expected a plain file name of the same folder, found '",
                    detail::shortened(name), "'");
            wanted[name].push_back(tensor);
        }
        for (const auto& [name, tensors] : wanted) {
            const auto path = folder_ / name;
            require(is_there(path), where, ": weight_map names '", name, "', which is not in the folder");
            add_file(path);
            for (const auto& tensor : tensors)
                require(files_.back().find(tensor) != nullptr, where, ": weight_map puts tensor '", detail::shortened(tensor), "' in '",
                        name, "', which does not hold it");
            for (const auto& entry : files_.back().tensors())
                if (!map->contains(entry.name))
                    notes_.push_back(path.string() + " holds tensor '" + entry.name + "', which the index does not name");
        }
    }

    [[noreturn]] void refuse_other_folders() const {
        std::vector<std::string> names;
        std::error_code code;
        for (std::filesystem::directory_iterator item(folder_, code), end; !code && item != end; item.increment(code))
            names.push_back(item->path().filename().string());
        require(!code, folder_.string(), ": cannot be looked into (", code.message(), ")");
        std::sort(names.begin(), names.end());
        for (const std::string& name : names) {
            const auto is = [&](std::string_view begin, std::string_view end) { return name.starts_with(begin) && name.ends_with(end); };
            if (name == "adapter_config.json" || is("adapter_model", ""))
                fail(folder_.string(), ": holds a LoRA adapter (", name, "), not a model; merge it into its base model first");
            if (name == "model.safetensors" || name == "model.safetensors.index.json")
                fail(folder_.string(), ": ", name, " is a link to a file that is not there");
            if (is("model-", ".safetensors")) fail(folder_.string(), ": holds a shard (", name, ") but no model.safetensors.index.json");
            if (is("consolidated", ".safetensors"))
                fail(folder_.string(), ": holds weights under the names of another format (", name,
                     "), which are not read; use the Hugging Face form");
            if (is("", ".gguf")) fail(folder_.string(), ": holds a GGUF file (", name, "), which is not read; use the safetensors form");
            if (is("pytorch_model", "") || is("", ".pth") || is("", ".pt"))
                fail(folder_.string(), ": holds pickled weights (", name, "), which are not read; convert them to safetensors first");
            if (is("tf_model", ".h5") || is("flax_model", ".msgpack"))
                fail(folder_.string(), ": holds weights of another framework (", name,
                     "), which are not read; convert them to safetensors first");
        }
        fail(folder_.string(), ": expected model.safetensors or model.safetensors.index.json, found neither");
    }

    void collect() {
        for (const SafeTensors& file : files_)
            for (const TensorEntry& entry : file.tensors())
                if (!entry.name.ends_with("rotary_emb.inv_freq")) tensors_.push_back(&entry);
        std::sort(tensors_.begin(), tensors_.end(), [](const TensorEntry* a, const TensorEntry* b) { return a->name < b->name; });
        for (std::size_t i = 1; i < tensors_.size(); ++i)
            require(tensors_[i - 1]->name != tensors_[i]->name, folder_.string(), ": tensor '", tensors_[i]->name, "' is in two files, ",
                    tensors_[i - 1]->file, " and ", tensors_[i]->file);
        for (const auto* entry : tensors_) {
            for (const std::string_view mark : {".qweight", ".weight_scale", ".absmax", ".weight_packed", ".qzeros"})
                require(!entry->name.ends_with(mark), folder_.string(), ": tensor '", entry->name,
                        "' belongs to a quantised model, which is not supported");
        }
    }

    [[nodiscard]] const TensorEntry* find_exact(std::string_view name) const {
        const auto at =
            std::lower_bound(tensors_.begin(), tensors_.end(), name, [](const TensorEntry* t, std::string_view n) { return t->name < n; });
        return at != tensors_.end() && (*at)->name == name ? *at : nullptr;
    }

    static std::uint64_t mix(std::uint64_t seed, std::span<const std::byte> bytes) {
        constexpr std::uint64_t odd = 0x9e3779b97f4a7c15ULL;
        std::array<std::uint64_t, 4> lanes{seed, seed ^ odd, seed + odd, ~seed};
        std::size_t at = 0;
        for (; at + 32 <= bytes.size(); at += 32) {
            std::array<std::uint64_t, 4> block;
            std::memcpy(block.data(), bytes.data() + at, 32);
            for (std::size_t i = 0; i < 4; ++i) lanes[i] = std::rotl((lanes[i] ^ block[i]) * odd, 29);
        }
        std::array<std::uint64_t, 4> rest{};
        if (at < bytes.size()) std::memcpy(rest.data(), bytes.data() + at, bytes.size() - at);
        std::uint64_t result = bytes.size();
        for (std::size_t i = 0; i < 4; ++i) result = std::rotl((result ^ lanes[i] ^ (rest[i] * odd)) * odd, 31);
        return result ^ (result >> 32);
    }

    std::filesystem::path folder_;
    std::vector<SafeTensors> files_;
    std::vector<std::filesystem::path> paths_;
    std::vector<const TensorEntry*> tensors_;
    std::vector<std::string> notes_;
};

}  // namespace lrp
