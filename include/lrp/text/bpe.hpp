// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include <lrp/io/json.hpp>
#include <lrp/text/unicode.hpp>

namespace lrp::text {

/// One token of a piece: its id and how many bytes of the piece it covers.
struct Symbol {
    std::int32_t id;
    std::uint32_t bytes;
};

/// Byte-pair encoding: starting from characters, the adjacent pair of lowest rank is merged, leftmost first, until none is left.
class Bpe {
  public:
    /// Reads the section "model". Error naming the source and what is wrong: another type, ids out of order, merges of unknown tokens.
    Bpe(const nlohmann::json& json, const std::string& source) : source_(source) {
        const JsonFields fields(json, source);
        const std::string type = fields.text("type").value_or("BPE");
        require(type == "BPE", source, ": type: expected BPE, found '", type, "', which is not supported");
        const double dropout = fields.number("dropout").value_or(0.0);
        require(dropout == 0.0, source, ": dropout: expected none, found ", dropout);
        byte_fallback_ = fields.flag("byte_fallback").value_or(false);
        fuse_unk_ = fields.flag("fuse_unk").value_or(false);
        ignore_merges_ = fields.flag("ignore_merges").value_or(false);
        prefix_ = fields.text("continuing_subword_prefix").value_or("");
        suffix_ = fields.text("end_of_word_suffix").value_or("");
        read_vocabulary(fields);
        read_merges(fields);
        if (const auto unk = fields.text("unk_token")) {
            require(find(*unk) >= 0, source, ": unk_token: '", *unk, "' is not in the vocabulary");
            unk_ = find(*unk);
        }
        if (byte_fallback_) {
            for (int byte = 0; byte < 256; ++byte) {
                std::array<char, 8> name{};
                std::snprintf(name.data(), name.size(), "<0x%02X>", static_cast<unsigned>(byte));
                byte_ids_[static_cast<std::size_t>(byte)] = find(name.data());
            }
        }
    }

    /// -1 if the token is not in the vocabulary.
    [[nodiscard]] std::int32_t find(const std::string& token) const {
        const auto at = ids_.find(token);
        return at == ids_.end() ? -1 : at->second;
    }
    [[nodiscard]] const std::vector<std::string>& tokens() const { return tokens_; }  ///< by id
    [[nodiscard]] std::size_t size() const { return ids_.size(); }                    ///< how many tokens there are, where ids have gaps too
    [[nodiscard]] std::size_t merge_count() const { return merges_.size(); }
    [[nodiscard]] bool ignore_merges() const { return ignore_merges_; }
    [[nodiscard]] bool byte_fallback() const { return byte_fallback_; }

    /// The tokens of one piece, which is not empty.
    [[nodiscard]] std::vector<Symbol> encode(const std::string& piece) const {
        if (ignore_merges_) {
            if (const std::int32_t id = find(piece); id >= 0) return {{id, static_cast<std::uint32_t>(piece.size())}};
        }
        std::vector<Symbol> symbols = characters(piece);
        merge(symbols);
        return symbols;
    }

  private:
    struct Rule {
        std::uint32_t rank;
        std::int32_t id;
    };
    static std::uint64_t key(std::int32_t left, std::int32_t right) {
        return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32) | static_cast<std::uint32_t>(right);
    }

    void read_vocabulary(const JsonFields& fields) {
        const auto* vocab = fields.find("vocab");
        require(vocab != nullptr && vocab->is_object(), source_, ": vocab: expected an object of tokens and ids");
        // Ids may leave gaps, but not so many that the table would be larger than the file warrants.
        const std::uint64_t limit = 2 * static_cast<std::uint64_t>(vocab->size()) + 65536;
        for (const auto& [token, id] : vocab->items()) {
            require(id.is_number_unsigned() && id.get<std::uint64_t>() < limit, source_, ": vocab: '", token, "': expected an id below ", limit, ", found ",
                    JsonFields::found(id));
            const auto value = id.get<std::size_t>();
            if (value >= tokens_.size()) tokens_.resize(value + 1);
            require(tokens_[value].empty(), source_, ": vocab: '", token, "' and '", tokens_[value], "' have the same id ", value);
            tokens_[value] = token;
            ids_.emplace(token, static_cast<std::int32_t>(value));
        }
    }

    void read_merges(const JsonFields& fields) {
        std::uint32_t rank = 0;
        for (const auto& item : fields.list("merges")) {
            std::string left, right;
            if (item.is_string()) {
                const auto& text = item.get_ref<const std::string&>();
                if (text.starts_with("#version")) continue;
                const auto space = text.find(' ');
                require(space != std::string::npos && text.find(' ', space + 1) == std::string::npos, source_, ": merges: entry ", rank,
                        ": expected two tokens with a space between them, found '", text, "'");
                left = text.substr(0, space);
                right = text.substr(space + 1);
            } else {
                require(item.is_array() && item.size() == 2 && item[0].is_string() && item[1].is_string(), source_, ": merges: entry ", rank,
                        ": expected two tokens, found ", JsonFields::found(item));
                left = item[0].get<std::string>();
                right = item[1].get<std::string>();
            }
            std::string product = left;
            product += !prefix_.empty() && right.starts_with(prefix_) ? right.substr(prefix_.size()) : right;
            for (const std::string* token : {&left, &right, &product})
                require(find(*token) >= 0, source_, ": merges: entry ", rank, " ('", left, "', '", right, "'): token '", *token, "' is not in the vocabulary");
            merges_[key(find(left), find(right))] = {rank, find(product)};
            ++rank;
        }
    }

    [[nodiscard]] std::vector<Symbol> characters(const std::string& piece) const {
        std::vector<Symbol> symbols;
        symbols.reserve(piece.size());
        bool after_unk = false;
        for (std::size_t at = 0; at < piece.size();) {
            const std::size_t begin = at;
            utf8::next(piece, at);
            std::string name = piece.substr(begin, at - begin);
            const auto bytes = static_cast<std::uint32_t>(at - begin);
            if (begin > 0) name = prefix_ + name;
            if (at == piece.size()) name += suffix_;
            const std::int32_t id = find(name);
            if (id >= 0) {
                symbols.push_back({id, bytes});
                after_unk = false;
                continue;
            }
            if (byte_fallback_ && has_bytes(piece, begin, at)) {
                for (std::size_t i = begin; i < at; ++i) symbols.push_back({byte_ids_[static_cast<unsigned char>(piece[i])], 1});
                after_unk = false;
                continue;
            }
            if (unk_ < 0) continue;
            if (fuse_unk_ && after_unk) {
                symbols.back().bytes += bytes;
            } else {
                symbols.push_back({unk_, bytes});
            }
            after_unk = true;
        }
        return symbols;
    }
    [[nodiscard]] bool has_bytes(const std::string& piece, std::size_t begin, std::size_t end) const {
        return std::all_of(piece.begin() + static_cast<std::ptrdiff_t>(begin), piece.begin() + static_cast<std::ptrdiff_t>(end),
                           [this](char c) { return byte_ids_[static_cast<unsigned char>(c)] >= 0; });
    }

    /// A heap of candidate merges over a linked list of symbols: n log n, also for a whole prompt in one piece.
    void merge(std::vector<Symbol>& symbols) const {
        struct Candidate {
            std::uint32_t rank;
            std::uint32_t at;
            std::int32_t id;
            bool operator>(const Candidate& other) const { return rank != other.rank ? rank > other.rank : at > other.at; }
        };
        const auto count = static_cast<std::int32_t>(symbols.size());
        std::vector<std::int32_t> before(symbols.size()), after(symbols.size());
        std::vector<Candidate> storage;
        storage.reserve(symbols.size());
        std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> heap(std::greater<>(), std::move(storage));
        const auto offer = [&](std::int32_t left, std::int32_t right) {
            const auto rule = merges_.find(key(symbols[static_cast<std::size_t>(left)].id, symbols[static_cast<std::size_t>(right)].id));
            if (rule != merges_.end()) heap.push({rule->second.rank, static_cast<std::uint32_t>(left), rule->second.id});
        };
        for (std::int32_t i = 0; i < count; ++i) {
            before[static_cast<std::size_t>(i)] = i - 1;
            after[static_cast<std::size_t>(i)] = i + 1 < count ? i + 1 : -1;
            if (i + 1 < count) offer(i, i + 1);
        }
        constexpr std::int32_t gone = -2;
        while (!heap.empty()) {
            const Candidate best = heap.top();
            heap.pop();
            Symbol& left = symbols[best.at];
            const std::int32_t next = after[best.at];
            if (left.id == gone || next < 0) continue;
            Symbol& right = symbols[static_cast<std::size_t>(next)];
            const auto rule = merges_.find(key(left.id, right.id));
            if (rule == merges_.end() || rule->second.id != best.id) continue;  // the pair has changed since
            left = {best.id, left.bytes + right.bytes};
            right.id = gone;
            after[best.at] = after[static_cast<std::size_t>(next)];
            if (after[best.at] >= 0) before[static_cast<std::size_t>(after[best.at])] = static_cast<std::int32_t>(best.at);
            if (before[best.at] >= 0) offer(before[best.at], static_cast<std::int32_t>(best.at));
            if (after[best.at] >= 0) offer(static_cast<std::int32_t>(best.at), after[best.at]);
        }
        std::erase_if(symbols, [](const Symbol& symbol) { return symbol.id == gone; });
    }

    std::string source_;
    std::vector<std::string> tokens_;
    std::unordered_map<std::string, std::int32_t> ids_;
    std::unordered_map<std::uint64_t, Rule> merges_;
    std::array<std::int32_t, 256> byte_ids_{};
    std::string prefix_, suffix_;
    std::int32_t unk_ = -1;
    bool byte_fallback_ = false, fuse_unk_ = false, ignore_merges_ = false;
};

}  // namespace lrp::text
