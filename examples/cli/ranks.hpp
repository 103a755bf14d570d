// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The processes that share one piece of work: one, or as many as mpirun started.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace lrp::cli {

class Ranks {
  public:
    virtual ~Ranks() = default;
    [[nodiscard]] virtual int rank() const = 0;
    [[nodiscard]] virtual int size() const = 0;
    /// Its number among those on the same machine.
    [[nodiscard]] virtual int local() const = 0;
    /// Starts a count from 0 that all share. Everybody calls it.
    virtual void start_counter() = 0;
    /// The next number of the shared count: each number goes to one caller, who may have asked for it a call ahead.
    [[nodiscard]] virtual std::int64_t next() = 0;
    /// Waits for everybody.
    virtual void meet() = 0;
    /// Rank 0's text, for everybody.
    virtual void share(std::string& text) = 0;
    virtual void send(int to, const std::string& bytes) = 0;
    [[nodiscard]] virtual std::string receive(int from) = 0;
    /// Whether it holds for anybody. Everybody calls it.
    [[nodiscard]] virtual bool any(bool mine) = 0;
    /// Ends all processes: one of them failed, and the others would wait for it.
    virtual void give_up(int code) = 0;
};

/// One process by itself; under mpirun all it started, if the program was built with MPI. UsageError under mpirun otherwise: each process
/// would take itself for the only one.
[[nodiscard]] std::unique_ptr<Ranks> join_ranks();

/// Defined where the program is built with MPI.
[[nodiscard]] std::unique_ptr<Ranks> join_mpi_ranks();

}  // namespace lrp::cli
