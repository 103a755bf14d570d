// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// What a store's folder holds (docs/store.md): store.sqlite and layers/<site>.<layer>.npz.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <lrp/core/scalar.hpp>

namespace lrp {

inline constexpr std::int64_t store_schema_version = 1;
inline constexpr std::int64_t store_application_id = 0x6c727078;  // "lrpx"
inline constexpr const char* store_database = "store.sqlite";

/// "layers/neuron.3.npz"
[[nodiscard]] inline std::string layer_file_name(std::string_view site, std::size_t layer) {
    return "layers/" + std::string(site) + "." + std::to_string(layer) + ".npz";
}

/// A document of the corpus as the store keeps it.
struct StoredDocument {
    std::int32_t document = 0;      ///< its number, from 0
    std::string source;             ///< name of the file it came from
    std::int64_t line = 0;          ///< line in that file, from 1, as editors count
    std::string text;               ///< empty where ids were given
    std::vector<std::int32_t> ids;  ///< as the model saw them
};

/// Consecutive documents that were taken together.
struct StoredBatch {
    std::int64_t batch = 0;
    std::int32_t first_document = 0;
    std::int32_t documents = 0;
    std::int64_t tokens = 0;
};

/// A file beside the database, relative to the folder.
struct StoredFile {
    std::string name;
    std::uint64_t bytes = 0;
    std::uint32_t checksum = 0;  ///< CRC-32, as zlib.crc32 of Python
};

/// What says of a unit what it stands for.
struct StoredLabel {
    std::string site = "neuron";
    std::int64_t layer = 0, unit = 0;
    std::string pole = "max";      ///< max or min: of the activation
    std::string source = "tokens";  ///< who says so: "tokens" made here, or a name given at import
    std::string label;
    std::string tokens;            ///< ids of the tokens the label stands on, as "1 2 3"
    double score = 0, null_mean = 0, null_high = 0;  ///< how well the tokens predict held-out activations; not a number: not scored
};

/// Something that a unit has with a token: "top", "tfidf", "next", "writes", "reads", with the pole that it belongs to.
struct StoredUnitToken {
    std::string site = "neuron";
    std::int64_t layer = 0, unit = 0;
    std::string kind, pole;
    std::int64_t rank = 0, token = 0;
    double score = 0;
};

namespace detail {

inline constexpr const char* store_tables =
    "CREATE TABLE provenance(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE files(name TEXT PRIMARY KEY, bytes INTEGER NOT NULL, crc32 INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE batches(batch INTEGER PRIMARY KEY, first_document INTEGER NOT NULL, documents INTEGER NOT NULL, tokens INTEGER NOT NULL);"
    "CREATE TABLE tokens(token INTEGER PRIMARY KEY, text TEXT NOT NULL, crc32 INTEGER NOT NULL);"
    "CREATE TABLE documents(document INTEGER PRIMARY KEY, source TEXT NOT NULL, line INTEGER NOT NULL, text TEXT NOT NULL, ids BLOB NOT NULL, crc32 INTEGER NOT NULL);"
    "CREATE TABLE windows(document INTEGER NOT NULL, position INTEGER NOT NULL, \"begin\" INTEGER NOT NULL, \"end\" INTEGER NOT NULL,"
    " PRIMARY KEY(document, position)) WITHOUT ROWID;"
    "CREATE TABLE labels(label_id INTEGER PRIMARY KEY, site TEXT NOT NULL, layer INTEGER NOT NULL, unit INTEGER NOT NULL, pole TEXT NOT NULL,"
    " source TEXT NOT NULL, label TEXT NOT NULL, tokens TEXT NOT NULL, score REAL, null_mean REAL, null_high REAL, crc32 INTEGER NOT NULL,"
    " UNIQUE(site, layer, unit, pole, source));"
    "CREATE TABLE unit_tokens(site TEXT NOT NULL, layer INTEGER NOT NULL, unit INTEGER NOT NULL, kind TEXT NOT NULL, pole TEXT NOT NULL, rank INTEGER NOT NULL,"
    " token INTEGER NOT NULL, score REAL NOT NULL, crc32 INTEGER NOT NULL, PRIMARY KEY(site, layer, unit, kind, pole, rank)) WITHOUT ROWID;"
    "CREATE VIRTUAL TABLE documents_text USING fts5(text, content='documents', content_rowid='document');"
    "CREATE VIRTUAL TABLE labels_text USING fts5(label, content='labels', content_rowid='label_id');";

/// CRC-32 over fields, each with its length, so that moving a byte from one to the next shows.
class RowChecksum {
  public:
    RowChecksum& add(std::string_view bytes) {
        add(static_cast<std::int64_t>(bytes.size()));
        value_ = ::crc32_z(value_, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
        return *this;
    }
    RowChecksum& add(std::int64_t number) {
        value_ = ::crc32_z(value_, reinterpret_cast<const Bytef*>(&number), sizeof(number));
        return *this;
    }
    /// What is not a number counts as one value, as a database has one NULL; and zero has no sign, as there.
    RowChecksum& add(double number) { return add(number != number ? std::int64_t{-1} : __builtin_bit_cast(std::int64_t, number + 0.0)); }
    [[nodiscard]] std::int64_t value() const { return static_cast<std::int64_t>(value_); }

  private:
    unsigned long value_ = 0;
};

inline std::string_view id_bytes(const std::vector<std::int32_t>& ids) { return {reinterpret_cast<const char*>(ids.data()), ids.size() * sizeof(ids[0])}; }
inline std::int64_t checksum_of(std::int64_t document, std::string_view source, std::int64_t line, std::string_view text, std::string_view ids) {
    return RowChecksum().add(document).add(source).add(line).add(text).add(ids).value();
}
inline std::int64_t checksum_of(const StoredLabel& l) {
    return RowChecksum().add(l.site).add(l.layer).add(l.unit).add(l.pole).add(l.source).add(l.label).add(l.tokens).add(l.score).add(l.null_mean).add(l.null_high).value();
}
inline std::int64_t checksum_of(const StoredUnitToken& t) {
    return RowChecksum().add(t.site).add(t.layer).add(t.unit).add(t.kind).add(t.pole).add(t.rank).add(t.token).add(t.score).value();
}
inline std::uint32_t file_checksum(std::string_view bytes) {
    return static_cast<std::uint32_t>(::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace detail

}  // namespace lrp
