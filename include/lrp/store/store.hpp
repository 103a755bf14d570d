// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A finished store: opened, checked, read. Labels alone may change.
#pragma once

#include <charconv>
#include <filesystem>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <lrp/io/mapped_file.hpp>
#include <lrp/store/database.hpp>
#include <lrp/store/schema.hpp>

namespace lrp {

/// The neuron store of a folder. Opening checks what the database says of itself, its pages and the sizes of all files; stores below
/// `check_all_below` bytes are read whole and checked, of larger ones each part is checked when it is read (or by `check`). Error with the
/// reason: no store, one that is not finished, one of another version, damage.
class NeuronStore {
  public:
    static constexpr std::uint64_t check_all_below = std::uint64_t{256} << 20;

    [[nodiscard]] static NeuronStore open(const std::filesystem::path& folder, Database::Mode mode = Database::Mode::read) {
        const auto file = folder / store_database;
        if (!is_there(file)) {
            require(is_there(folder), folder.string(), ": there is no such store");
            require(!is_there(folder / "work.0.sqlite"), folder.string(), ": the collection is not finished; the same `lrp collect` again goes on with it");
            fail(folder.string(), ": there is no store here (", store_database, " is missing)");
        }
        NeuronStore store(folder, Database::open(file, mode));
        store.check_header();
        if (store.bytes() < check_all_below) store.check();
        return store;
    }

    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    [[nodiscard]] const std::map<std::string, std::string>& provenance() const { return provenance_; }
    [[nodiscard]] const std::vector<StoredBatch>& batches() const { return batches_; }
    [[nodiscard]] const std::vector<StoredFile>& files() const { return files_; }
    /// Error if the store does not say.
    [[nodiscard]] const std::string& fact(const std::string& key) const {
        const auto at = provenance_.find(key);
        require(at != provenance_.end(), database_.name(), ": provenance: ", key, " is missing");
        return at->second;
    }
    [[nodiscard]] std::int64_t number(const std::string& key) const {
        const std::string& text = fact(key);
        std::int64_t value = 0;
        const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
        require(code == std::errc() && end == text.data() + text.size(), database_.name(), ": provenance: ", key, ": expected a whole number, found '", text, "'");
        return value;
    }
    /// Error unless the store was made from the model of this hash.
    void require_model(const std::string& hash, const std::string& model) const {
        require(fact("model_hash") == hash, folder_.string(), ": this store was made from the model '", fact("model"), "' (hash ", fact("model_hash"), "), not from ", model,
                " (hash ", hash, ")");
    }
    /// Bytes on disk, as the files say.
    [[nodiscard]] std::uint64_t bytes() const {
        std::uint64_t total = std::filesystem::file_size(folder_ / store_database);
        for (const StoredFile& file : files_) total += file.bytes;
        return total;
    }

    /// Reads and checks everything.
    void check() {
        for (const StoredFile& file : files_) (void)layer_file(file.name);
        Statement tokens = database_.prepare("SELECT token, text, crc32 FROM tokens");
        while (tokens.next())
            require(detail::RowChecksum().add(tokens.number(0)).add(tokens.text(1)).value() == tokens.number(2), database_.name(), ": token ", tokens.number(0),
                    ": the checksum does not fit (the file is damaged)");
        for_each_document([](const StoredDocument&) {});
        detail::RowChecksum windows;
        Statement rows = database_.prepare("SELECT document, position, \"begin\", \"end\" FROM windows ORDER BY document, position");
        while (rows.next())
            for (int column = 0; column < 4; ++column) windows.add(rows.number(column));
        require(std::to_string(windows.value()) == fact("windows_digest"), database_.name(), ": the windows' checksum does not fit (the file is damaged)");
        (void)labels();
        for_each_unit_token([](const StoredUnitToken&) {});
    }

    /// A layer file, mapped and checked.
    [[nodiscard]] MappedFile layer_file(const std::string& name) const {
        for (const StoredFile& file : files_) {
            if (file.name != name) continue;
            MappedFile mapped(folder_ / name);
            const std::string_view bytes(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size());
            require(bytes.size() == file.bytes, mapped.path().string(), ": expected ", file.bytes, " bytes, found ", bytes.size(), " (truncated, or of another store)");
            require(detail::file_checksum(bytes) == file.checksum, mapped.path().string(), ": the checksum does not fit (the file is damaged, or of another store)");
            return mapped;
        }
        fail(database_.name(), ": the store has no file ", name);
    }

    /// Text of every token of the vocabulary.
    [[nodiscard]] std::vector<std::string> tokens() {
        std::vector<std::string> texts;
        Statement rows = database_.prepare("SELECT text FROM tokens ORDER BY token");
        while (rows.next()) texts.emplace_back(rows.text(0));
        return texts;
    }
    /// Error if there is no such document.
    [[nodiscard]] StoredDocument document(std::int32_t number) {
        Statement row = database_.prepare("SELECT document, source, line, text, ids, crc32 FROM documents WHERE document = ?");
        require(row.start(number).next(), database_.name(), ": document ", number, " is missing");
        return read_document(row);
    }
    template <class Visit>
    void for_each_document(const Visit& visit) {
        Statement rows = database_.prepare("SELECT document, source, line, text, ids, crc32 FROM documents ORDER BY document");
        while (rows.next()) visit(read_document(rows));
    }
    template <class Visit>
    void for_each_unit_token(const Visit& visit) {
        Statement rows = database_.prepare(token_columns + " ORDER BY site, layer, unit, kind, pole, rank");
        while (rows.next()) visit(read_unit_token(rows));
    }
    [[nodiscard]] std::vector<StoredUnitToken> tokens_of(const std::string& site, std::int64_t layer, std::int64_t unit) {
        Statement rows = database_.prepare(token_columns + " WHERE site = ? AND layer = ? AND unit = ? ORDER BY kind, pole, rank");
        std::vector<StoredUnitToken> result;
        for (rows.start(site, layer, unit); rows.next();) result.push_back(read_unit_token(rows));
        return result;
    }
    /// Why `match` is no full-text query of both labels and documents, in SQLite's words, if it is none.
    [[nodiscard]] std::optional<std::string> query_error(const std::string& match) {
        for (const std::string table : {"labels_text", "documents_text"}) {
            Statement rows = database_.prepare("SELECT rowid FROM " + table + " WHERE " + table + " MATCH ? LIMIT 1");
            try {
                rows.start(match);
                (void)rows.next();
            } catch (const Error& error) {
                return error.what();
            }
        }
        return std::nullopt;
    }
    /// All labels, by site, layer, unit, pole and source; `match`, if not empty, is a full-text query.
    [[nodiscard]] std::vector<StoredLabel> labels(const std::string& match = "") {
        Statement rows = match.empty() ? database_.prepare(label_columns + label_order)
                                       : database_.prepare(label_columns + " JOIN labels_text ON labels_text.rowid = label_id WHERE labels_text MATCH ?" + label_order);
        if (!match.empty()) rows.start(match);
        return read_labels(rows);
    }
    [[nodiscard]] std::vector<StoredLabel> labels_of(const std::string& site, std::int64_t layer, std::int64_t unit) {
        Statement rows = database_.prepare(label_columns + " WHERE site = ? AND layer = ? AND unit = ?" + label_order);
        rows.start(site, layer, unit);
        return read_labels(rows);
    }

    /// Replaces all labels of a source by these (whose source it is), and if given all tokens of units; all or nothing. Needs a store opened for
    /// writing.
    void put_labels(const std::vector<StoredLabel>& labels, const std::string& source, const std::vector<StoredUnitToken>* unit_tokens = nullptr) {
        Database::Transaction transaction(database_);
        Statement remove = database_.prepare("DELETE FROM labels WHERE source = ?");
        remove.run(source);
        Statement insert = database_.prepare("INSERT INTO labels(site, layer, unit, pole, source, label, tokens, score, null_mean, null_high, crc32) VALUES(?,?,?,?,?,?,?,?,?,?,?)");
        for (const StoredLabel& l : labels) insert.run(l.site, l.layer, l.unit, l.pole, l.source, l.label, l.tokens, l.score, l.null_mean, l.null_high, detail::checksum_of(l));
        if (unit_tokens != nullptr) {
            Statement stale = database_.prepare("DELETE FROM unit_tokens WHERE kind = ?");
            std::set<std::string> kinds;
            for (const StoredUnitToken& t : *unit_tokens)
                if (kinds.insert(t.kind).second) stale.run(t.kind);
            Statement token = database_.prepare("INSERT INTO unit_tokens VALUES(?,?,?,?,?,?,?,?,?)");
            for (const StoredUnitToken& t : *unit_tokens) token.run(t.site, t.layer, t.unit, t.kind, t.pole, t.rank, t.token, t.score, detail::checksum_of(t));
        }
        database_.run("INSERT INTO labels_text(labels_text) VALUES('rebuild')");
        transaction.commit();
    }
    /// Documents whose text matches a full-text query, best first.
    [[nodiscard]] std::vector<std::int32_t> find_documents(const std::string& match, std::int64_t limit) {
        Statement rows = database_.prepare("SELECT rowid FROM documents_text WHERE documents_text MATCH ? ORDER BY rank, rowid LIMIT ?");
        rows.start(match, limit);
        std::vector<std::int32_t> result;
        while (rows.next()) result.push_back(static_cast<std::int32_t>(rows.number(0)));
        return result;
    }

  private:
    static inline const std::string token_columns = "SELECT site, layer, unit, kind, pole, rank, token, score, crc32 FROM unit_tokens";
    static inline const std::string label_columns = "SELECT site, layer, unit, pole, source, labels.label, tokens, score, null_mean, null_high, crc32 FROM labels";
    static inline const std::string label_order = " ORDER BY site, layer, unit, pole, source";

    NeuronStore(std::filesystem::path folder, Database database) : folder_(std::move(folder)), database_(std::move(database)) {}

    void check_header() {
        const std::string& name = database_.name();
        require(database_.number("PRAGMA application_id") == store_application_id, name, ": this database is no neuron store");
        const std::int64_t version = database_.number("PRAGMA user_version");
        require(version == store_schema_version, name, ": expected a store of schema version ", store_schema_version, ", found ", version);
        Statement quick = database_.prepare("PRAGMA quick_check(1)");
        require(quick.next() && quick.text(0) == "ok", name, ": the file is damaged (", quick.text(0), ")");
        detail::RowChecksum digest;
        Statement provenance = database_.prepare("SELECT key, value FROM provenance ORDER BY key");
        while (provenance.next()) provenance_.emplace(provenance.text(0), provenance.text(1));
        for (const auto& [key, value] : provenance_)
            if (key != "digest" && key != "windows_digest") digest.add(key).add(value);
        Statement files = database_.prepare("SELECT name, bytes, crc32 FROM files ORDER BY name");
        while (files.next()) {
            files_.push_back({std::string(files.text(0)), static_cast<std::uint64_t>(files.number(1)), static_cast<std::uint32_t>(files.number(2))});
            digest.add(files.text(0)).add(files.number(1)).add(files.number(2));
        }
        Statement batches = database_.prepare("SELECT batch, first_document, documents, tokens FROM batches ORDER BY batch");
        while (batches.next()) {
            batches_.push_back({batches.number(0), static_cast<std::int32_t>(batches.number(1)), static_cast<std::int32_t>(batches.number(2)), batches.number(3)});
            for (int column = 0; column < 4; ++column) digest.add(batches.number(column));
        }
        require(std::to_string(digest.value()) == fact("digest"), name, ": the provenance's checksum does not fit (the file is damaged)");
        for (const StoredFile& file : files_) {
            std::error_code code;
            const auto size = std::filesystem::file_size(folder_ / file.name, code);
            require(!code, (folder_ / file.name).string(), ": cannot be opened (", code.message(), ")");
            require(size == file.bytes, (folder_ / file.name).string(), ": expected ", file.bytes, " bytes, found ", size, " (truncated, or of another store)");
        }
    }

    [[nodiscard]] StoredUnitToken read_unit_token(const Statement& row) const {
        StoredUnitToken token{std::string(row.text(0)), row.number(1), row.number(2), std::string(row.text(3)), std::string(row.text(4)), row.number(5), row.number(6), row.real(7)};
        require(detail::checksum_of(token) == row.number(8), database_.name(), ": a token of ", token.site, " ", token.layer, "/", token.unit,
                ": the checksum does not fit (the file is damaged)");
        return token;
    }
    [[nodiscard]] std::vector<StoredLabel> read_labels(Statement& rows) const {
        std::vector<StoredLabel> result;
        const auto real = [&](int column) { return rows.is_null(column) ? std::numeric_limits<double>::quiet_NaN() : rows.real(column); };
        while (rows.next()) {
            result.push_back({std::string(rows.text(0)), rows.number(1), rows.number(2), std::string(rows.text(3)), std::string(rows.text(4)), std::string(rows.text(5)),
                              std::string(rows.text(6)), real(7), real(8), real(9)});
            const StoredLabel& label = result.back();
            require(detail::checksum_of(label) == rows.number(10), database_.name(), ": a label of ", label.site, " ", label.layer, "/", label.unit,
                    ": the checksum does not fit (the file is damaged)");
        }
        return result;
    }
    [[nodiscard]] StoredDocument read_document(const Statement& row) const {
        StoredDocument result;
        result.document = static_cast<std::int32_t>(row.number(0));
        result.source = row.text(1);
        result.line = row.number(2);
        result.text = row.text(3);
        const std::string_view ids = row.blob(4);
        require(detail::checksum_of(result.document, result.source, result.line, result.text, ids) == row.number(5) && ids.size() % 4 == 0, database_.name(), ": document ",
                result.document, ": the checksum does not fit (the file is damaged)");
        result.ids.resize(ids.size() / 4);
        if (!ids.empty()) std::memcpy(result.ids.data(), ids.data(), ids.size());
        return result;
    }

    std::filesystem::path folder_;
    Database database_;
    std::map<std::string, std::string> provenance_;
    std::vector<StoredFile> files_;
    std::vector<StoredBatch> batches_;
};

}  // namespace lrp
