// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <lrp/io/atomic_file.hpp>
#include <lrp/store/database.hpp>
#include <lrp/store/schema.hpp>

namespace lrp {

/// Everything a store is made of; `write_store` takes the large parts one at a time.
struct StoreContents {
    std::map<std::string, std::string> provenance;
    std::vector<StoredBatch> batches;
    std::vector<std::string> tokens;  ///< text of each token of the vocabulary
    std::vector<std::string> files;   ///< names of the layer files
    std::function<std::string(const std::string& name)> file_bytes;
    std::function<void(const std::function<void(const StoredDocument&)>&)> documents;  ///< calls back with each document, in order
    std::function<void(const std::function<void(std::int32_t document, std::int32_t position, std::int32_t begin, std::int32_t end)>&)> windows;
};

/// Writes a finished store into a folder that has none: layer files first, the database last, under another name until it is whole. The same
/// contents give the same bytes. Errors name the file and the system's reason; what is there of a store that was not finished is no store.
inline void write_store(const std::filesystem::path& folder, const StoreContents& contents) {
    namespace fs = std::filesystem;
    std::error_code code;
    fs::create_directories(folder / "layers", code);
    require(!code, (folder / "layers").string(), ": cannot be made (", code.message(), ")");
    remove_leftovers(folder / "layers");
    std::vector<StoredFile> files;
    for (const std::string& name : contents.files) {
        const std::string bytes = contents.file_bytes(name);
        write_file(folder / name, bytes);
        files.push_back({name, bytes.size(), detail::file_checksum(bytes)});
    }
    const fs::path temporary = folder / (std::string(store_database) + ".new"), target = folder / store_database;
    const auto clean = [&] {
        for (const char* suffix : {"", "-journal", "-wal", "-shm"}) fs::remove(temporary.string() + suffix, code);
    };
    clean();
    try {
        Database database = Database::open(temporary, Database::Mode::create);
        database.run("PRAGMA page_size = 4096; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA application_id = " + std::to_string(store_application_id) +
                     "; PRAGMA user_version = " + std::to_string(store_schema_version));
        database.run("BEGIN");
        database.run(detail::store_tables);
        detail::RowChecksum digest;
        const auto put = [&](Statement& statement, const std::string& key, const std::string& value) {
            statement.run(key, value);
            digest.add(key).add(value);
        };
        Statement provenance = database.prepare("INSERT INTO provenance VALUES(?, ?)");
        for (const auto& [key, value] : contents.provenance) put(provenance, key, value);
        Statement file = database.prepare("INSERT INTO files VALUES(?, ?, ?)");
        std::sort(files.begin(), files.end(), [](const StoredFile& a, const StoredFile& b) { return a.name < b.name; });
        for (const StoredFile& f : files) {
            file.run(f.name, f.bytes, f.checksum);
            digest.add(f.name).add(static_cast<std::int64_t>(f.bytes)).add(static_cast<std::int64_t>(f.checksum));
        }
        Statement batch = database.prepare("INSERT INTO batches VALUES(?, ?, ?, ?)");
        for (const StoredBatch& b : contents.batches) {
            batch.run(b.batch, b.first_document, b.documents, b.tokens);
            digest.add(b.batch).add(static_cast<std::int64_t>(b.first_document)).add(static_cast<std::int64_t>(b.documents)).add(b.tokens);
        }
        provenance.run("digest", std::to_string(digest.value()));
        Statement token = database.prepare("INSERT INTO tokens VALUES(?, ?, ?)");
        for (std::size_t id = 0; id < contents.tokens.size(); ++id)
            token.run(id, contents.tokens[id], detail::RowChecksum().add(static_cast<std::int64_t>(id)).add(contents.tokens[id]).value());
        Statement document = database.prepare("INSERT INTO documents VALUES(?, ?, ?, ?, ?, ?)");
        contents.documents([&](const StoredDocument& d) {
            const std::string_view ids = detail::id_bytes(d.ids);
            document.run(d.document, d.source, d.line, d.text, Statement::Blob{ids}, detail::checksum_of(d.document, d.source, d.line, d.text, ids));
        });
        Statement window = database.prepare("INSERT INTO windows VALUES(?, ?, ?, ?)");
        detail::RowChecksum windows;
        contents.windows([&](std::int32_t doc, std::int32_t position, std::int32_t begin, std::int32_t end) {
            window.run(doc, position, begin, end);
            for (const std::int64_t value : {doc, position, begin, end}) windows.add(value);
        });
        provenance.run("windows_digest", std::to_string(windows.value()));
        database.run("INSERT INTO documents_text(documents_text) VALUES('rebuild')");
        database.run("COMMIT");
        database.run("PRAGMA journal_mode = WAL");
    } catch (...) {
        clean();
        throw;
    }
    const int handle = ::open(temporary.c_str(), O_RDONLY | O_CLOEXEC);
    int reason = handle < 0 || ::fsync(handle) != 0 ? errno : 0;
    if (handle >= 0) ::close(handle);
    if (reason == 0 && std::rename(temporary.c_str(), target.c_str()) != 0) reason = errno;
    if (reason != 0) clean();
    require(reason == 0, target.string(), ": cannot be written (", std::strerror(reason), ")");
}

}  // namespace lrp
