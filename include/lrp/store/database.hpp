// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// SQLite with errors that name the file, and handles that close themselves.
#pragma once

#include <sqlite3.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <lrp/core/error.hpp>

namespace lrp {

class Database;

namespace detail {

/// SQLite's reason for the last failure, with the system's where there is one.
inline std::string sqlite_reason(sqlite3* database) {
    std::string text = sqlite3_errmsg(database);
    const int code = sqlite3_errcode(database) & 255, reason = sqlite3_system_errno(database);
    if (reason != 0 && (code == SQLITE_IOERR || code == SQLITE_FULL || code == SQLITE_CANTOPEN)) text += std::string(" (") + std::strerror(reason) + ")";
    return text;
}

}  // namespace detail

/// One prepared statement. Parameters are bound by `run` and `start`, in order; columns are read by `number`, `real`, `text` and `blob`, counted from 0.
class Statement {
  public:
    /// Runs a statement that returns no row.
    template <class... Values>
    void run(const Values&... values) {
        start(values...);
        while (next()) {}
    }
    template <class... Values>
    Statement& start(const Values&... values) {
        sqlite3_reset(handle_.get());
        int at = 0;
        (check(bind(++at, values)), ...);
        return *this;
    }
    /// Moves to the next row; false behind the last.
    bool next() {
        const int code = sqlite3_step(handle_.get());
        if (code == SQLITE_ROW) return true;
        if (code != SQLITE_DONE) check(code);
        sqlite3_reset(handle_.get());
        return false;
    }

    [[nodiscard]] std::int64_t number(int column) const { return sqlite3_column_int64(handle_.get(), column); }
    [[nodiscard]] double real(int column) const { return sqlite3_column_double(handle_.get(), column); }
    [[nodiscard]] bool is_null(int column) const { return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL; }
    /// Valid until the next step.
    [[nodiscard]] std::string_view text(int column) const { return blob(column); }
    [[nodiscard]] std::string_view blob(int column) const {
        const void* data = sqlite3_column_blob(handle_.get(), column);
        return {static_cast<const char*>(data), data == nullptr ? 0 : static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column))};
    }

    /// Bytes to be stored as a BLOB; the bytes must outlive the step.
    struct Blob {
        std::string_view bytes;
    };

  private:
    friend class Database;
    struct Finalize {
        void operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }
    };
    Statement(sqlite3* database, std::string name, sqlite3_stmt* handle) : database_(database), name_(std::move(name)), handle_(handle) {}

    template <class V>
    int bind(int at, const V& value) {
        if constexpr (std::is_same_v<V, Blob>) {
            return sqlite3_bind_blob64(handle_.get(), at, value.bytes.data() == nullptr ? "" : value.bytes.data(), value.bytes.size(), SQLITE_STATIC);
        } else if constexpr (std::is_same_v<V, std::nullptr_t>) {
            return sqlite3_bind_null(handle_.get(), at);
        } else if constexpr (std::is_integral_v<V>) {
            return sqlite3_bind_int64(handle_.get(), at, static_cast<sqlite3_int64>(value));
        } else if constexpr (std::is_floating_point_v<V>) {
            return sqlite3_bind_double(handle_.get(), at, static_cast<double>(value));
        } else {
            const std::string_view text(value);
            return sqlite3_bind_text64(handle_.get(), at, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
        }
    }
    void check(int code) const {
        if (code != SQLITE_OK) fail(name_, ": ", detail::sqlite_reason(database_));
    }

    sqlite3* database_ = nullptr;
    std::string name_;
    std::unique_ptr<sqlite3_stmt, Finalize> handle_;
};

/// An open database file. Errors name the file and give SQLite's reason (a full disk, a file that is no database, one that is in use).
class Database {
  public:
    enum class Mode { read, write, create };

    [[nodiscard]] static Database open(const std::filesystem::path& file, Mode mode) {
        if (mode != Mode::read) return Database(file, file.string(), mode == Mode::write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
        // A reader of a file in WAL mode has to take part in its bookkeeping, and tidies up behind itself only if it may write.
        if (::access(file.c_str(), W_OK) == 0 && ::access(std::filesystem::absolute(file).parent_path().c_str(), W_OK) == 0) {
            Database result(file, file.string(), SQLITE_OPEN_READWRITE);
            result.run("PRAGMA query_only = ON");
            return result;
        }
        // One who may not write cannot take part in the bookkeeping. What was written lies in the file itself, once the last writer is gone; what is still beside it
        // is read if a writer is there, and else not at all.
        std::error_code code;
        if (const auto beside = std::filesystem::file_size(file.string() + "-wal", code); !code && beside > 0) {
            try {
                Database result(file, file.string(), SQLITE_OPEN_READONLY);
                (void)result.number("SELECT count(*) FROM sqlite_master");
                return result;
            } catch (const Error& error) {
                fail(file.string(), ": the last changes are still in ", file.string(), "-wal; let somebody who may write the folder look at the store once (", error.what(), ")");
            }
        }
        return Database(file, "file:" + uri_path(std::filesystem::absolute(file).string()) + "?immutable=1", SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    }

    /// Runs statements that return nothing.
    void run(const std::string& sql) {
        if (sqlite3_exec(handle_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail(name_, ": ", detail::sqlite_reason(handle_.get()));
    }
    [[nodiscard]] Statement prepare(const std::string& sql) {
        sqlite3_stmt* handle = nullptr;
        const int code = sqlite3_prepare_v2(handle_.get(), sql.c_str(), -1, &handle, nullptr);
        if (code != SQLITE_OK) fail(name_, ": ", detail::sqlite_reason(handle_.get()));
        return {handle_.get(), name_, handle};
    }
    /// The first column of the first row as a number; Error if there is no row.
    [[nodiscard]] std::int64_t number(const std::string& sql) {
        Statement statement = prepare(sql);
        require(statement.next(), name_, ": no answer to ", sql);
        return statement.number(0);
    }

    /// Everything between two moments, or nothing: rolled back unless `commit` is reached.
    class Transaction {
      public:
        explicit Transaction(Database& database) : database_(database) { database_.run("BEGIN IMMEDIATE"); }
        Transaction(const Transaction&) = delete;
        Transaction& operator=(const Transaction&) = delete;
        ~Transaction() {
            if (open_) sqlite3_exec(database_.handle_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
        }
        void commit() {
            database_.run("COMMIT");
            open_ = false;
        }

      private:
        Database& database_;
        bool open_ = true;
    };

    /// The file, for messages.
    [[nodiscard]] const std::string& name() const { return name_; }

  private:
    struct Close {
        void operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }
    };

    Database(const std::filesystem::path& file, const std::string& opened, int flags) : name_(file.string()) {
        sqlite3* handle = nullptr;
        const int code = sqlite3_open_v2(opened.c_str(), &handle, flags, nullptr);
        handle_.reset(handle);
        require(code == SQLITE_OK, name_, ": cannot be opened (", handle != nullptr ? detail::sqlite_reason(handle) : std::string(sqlite3_errstr(code)), ")");
        sqlite3_busy_timeout(handle, 2000);
    }
    static std::string uri_path(const std::string& path) {
        std::string out;
        for (const char c : path) {
            if (c == '?' || c == '#' || c == '%') {
                constexpr const char* digits = "0123456789ABCDEF";
                const auto byte = static_cast<unsigned char>(c);
                (out += '%') += digits[byte >> 4];
                out += digits[byte & 15];
            } else {
                out += c;
            }
        }
        return out;
    }

    std::string name_;
    std::unique_ptr<sqlite3, Close> handle_;
};

}  // namespace lrp
