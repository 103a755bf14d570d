// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <lrp/store/database.hpp>

namespace lrp {

/// The state of a collection under way: which batches are done, and what they left, in one file that one process at a time holds. What was
/// committed survives the end of the process at any moment; a commit that fails (a full disk) leaves the one before.
class WorkFile {
  public:
    /// Opens the file, or begins it. Error if it holds another collection than `identity` tells (naming what differs), is damaged, or is in
    /// use.
    WorkFile(const std::filesystem::path& file, const std::map<std::string, std::string>& identity) : database_(open(file)) {
        database_.run("CREATE TABLE IF NOT EXISTS identity(key TEXT PRIMARY KEY, value TEXT NOT NULL);"
                      "CREATE TABLE IF NOT EXISTS done(batch INTEGER PRIMARY KEY);"
                      "CREATE TABLE IF NOT EXISTS state(name TEXT PRIMARY KEY, bytes BLOB NOT NULL)");
        if (database_.number("SELECT count(*) FROM identity") == 0) {
            Database::Transaction transaction(database_);
            Statement insert = database_.prepare("INSERT INTO identity VALUES(?, ?)");
            for (const auto& [key, value] : identity) insert.run(key, value);
            transaction.commit();
        }
        std::map<std::string, std::string> found;
        Statement rows = database_.prepare("SELECT key, value FROM identity");
        while (rows.next()) found.emplace(rows.text(0), rows.text(1));
        for (const auto& [key, value] : identity)
            require(found[key] == value, file.string(), ": a collection was begun here with ", key, " '", found[key], "', and is now asked to go on with '", value,
                    "'; give another -o, or remove the folder");
        Statement batches = database_.prepare("SELECT batch FROM done");
        while (batches.next()) done_.insert(batches.number(0));
    }

    [[nodiscard]] const std::set<std::int64_t>& done() const { return done_; }
    [[nodiscard]] bool has_state() { return database_.number("SELECT count(*) FROM state") > 0; }
    /// Bytes stored under a name. Error if there are none.
    [[nodiscard]] std::string state(const std::string& name) {
        Statement row = database_.prepare("SELECT bytes FROM state WHERE name = ?");
        require(row.start(name).next(), database_.name(), ": the state of '", name, "' is missing");
        return std::string(row.blob(0));
    }

    /// Replaces the state and adds batches to those done, all or nothing. `bytes(name)` makes what is stored under each name.
    template <class Bytes>
    void commit(const std::vector<std::int64_t>& batches, const std::vector<std::string>& names, const Bytes& bytes) {
        Database::Transaction transaction(database_);
        Statement state = database_.prepare("INSERT OR REPLACE INTO state VALUES(?, ?)");
        for (const std::string& name : names) {
            const std::string data = bytes(name);
            state.run(name, Statement::Blob{data});
        }
        Statement done = database_.prepare("INSERT INTO done VALUES(?)");
        for (const std::int64_t batch : batches) done.run(batch);
        transaction.commit();
        done_.insert(batches.begin(), batches.end());
    }

  private:
    static Database open(const std::filesystem::path& file) {
        Database database = Database::open(file, Database::Mode::create);
        try {
            database.run("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; BEGIN EXCLUSIVE; COMMIT");
        } catch (const Error& error) {
            const std::string text = error.what();
            if (text.find("locked") != std::string::npos) fail(file.string(), ": another program is collecting into this folder");
            throw;
        }
        return database;
    }

    Database database_;
    std::set<std::int64_t> done_;
};

}  // namespace lrp
