// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "ranks.hpp"

#include <cstdlib>

#include <lrp/core/error.hpp>

namespace lrp::cli {

namespace {

class OneRank : public Ranks {
  public:
    [[nodiscard]] int rank() const override { return 0; }
    [[nodiscard]] int size() const override { return 1; }
    [[nodiscard]] int local() const override { return 0; }
    void start_counter() override { counter_ = 0; }
    [[nodiscard]] std::int64_t next() override { return counter_++; }
    void meet() override {}
    void share(std::string&) override {}
    void send(int, const std::string&) override { fail("ranks: there is nobody to send to"); }
    [[nodiscard]] std::string receive(int) override { fail("ranks: there is nobody to receive from"); }
    [[nodiscard]] bool any(bool mine) override { return mine; }
    void give_up(int) override {}

  private:
    std::int64_t counter_ = 0;
};

/// Whether a launcher of MPI programs started this process with others (Open MPI; MPICH and its kin).
bool started_by_launcher() {
    for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "PMIX_RANK"})
        if (std::getenv(name) != nullptr) return true;
    return false;
}

}  // namespace

std::unique_ptr<Ranks> join_ranks() {
    if (!started_by_launcher()) return std::make_unique<OneRank>();
#if defined(LRP_CLI_WITH_MPI)
    return join_mpi_ranks();
#else
    fail<UsageError>("mpirun: this program was built without MPI; each process would take itself for the only one (use --shard i/n and lrp merge)");
#endif
}

}  // namespace lrp::cli
