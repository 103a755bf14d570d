// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <mpi.h>

#include <algorithm>

#include <lrp/core/error.hpp>

#include "ranks.hpp"

namespace lrp::cli {

namespace {

class MpiRanks : public Ranks {
  public:
    MpiRanks() {
        int there = 0;
        MPI_Initialized(&there);
        if (there == 0) MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &there);
        MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
        MPI_Comm_size(MPI_COMM_WORLD, &size_);
        MPI_Comm here{};
        MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &here);
        MPI_Comm_rank(here, &local_);
        MPI_Comm_free(&here);
        // The count lies with rank 0, and everybody adds to it.
        MPI_Win_allocate(rank_ == 0 ? sizeof(std::int64_t) : 0, sizeof(std::int64_t), MPI_INFO_NULL, MPI_COMM_WORLD, &counter_, &window_);
    }
    ~MpiRanks() override {
        answer();
        MPI_Win_free(&window_);
        MPI_Finalize();
    }
    MpiRanks(const MpiRanks&) = delete;
    MpiRanks& operator=(const MpiRanks&) = delete;

    [[nodiscard]] int rank() const override { return rank_; }
    [[nodiscard]] int size() const override { return size_; }
    [[nodiscard]] int local() const override { return local_; }
    void start_counter() override {
        answer();
        meet();
        if (rank_ == 0) {
            MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window_);
            *counter_ = 0;
            MPI_Win_unlock(0, window_);
        }
        meet();
        ask();
    }
    [[nodiscard]] std::int64_t next() override {
        answer();
        const std::int64_t number = next_;
        ask();
        return number;
    }
    void meet() override { MPI_Barrier(MPI_COMM_WORLD); }
    void share(std::string& text) override {
        std::int64_t bytes = static_cast<std::int64_t>(text.size());
        MPI_Bcast(&bytes, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
        text.resize(static_cast<std::size_t>(bytes));
        for (std::size_t at = 0; at < text.size(); at += chunk)
            MPI_Bcast(text.data() + at, static_cast<int>(std::min(chunk, text.size() - at)), MPI_BYTE, 0, MPI_COMM_WORLD);
    }
    void send(int to, const std::string& bytes) override {
        const std::int64_t size = static_cast<std::int64_t>(bytes.size());
        MPI_Send(&size, 1, MPI_INT64_T, to, 0, MPI_COMM_WORLD);
        for (std::size_t at = 0; at < bytes.size(); at += chunk)
            MPI_Send(bytes.data() + at, static_cast<int>(std::min(chunk, bytes.size() - at)), MPI_BYTE, to, 0, MPI_COMM_WORLD);
    }
    [[nodiscard]] std::string receive(int from) override {
        std::int64_t size = 0;
        MPI_Recv(&size, 1, MPI_INT64_T, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        std::string bytes(static_cast<std::size_t>(size), '\0');
        for (std::size_t at = 0; at < bytes.size(); at += chunk)
            MPI_Recv(bytes.data() + at, static_cast<int>(std::min(chunk, bytes.size() - at)), MPI_BYTE, from, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
        return bytes;
    }
    [[nodiscard]] bool any(bool mine) override {
        int out = 0;
        const int in = mine ? 1 : 0;
        MPI_Allreduce(&in, &out, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD);
        return out != 0;
    }
    void give_up(int code) override {
        if (size_ > 1) MPI_Abort(MPI_COMM_WORLD, code);
    }

  private:
    /// Asks for the next number, which comes while the one before is worked on: between machines the answer waits until rank 0 is in MPI, which it is between its
    /// own pieces of work.
    void ask() {
        MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window_);
        MPI_Rget_accumulate(&one, 1, MPI_INT64_T, &next_, 1, MPI_INT64_T, 0, 0, 1, MPI_INT64_T, MPI_SUM, window_, &asked_);
    }
    void answer() {
        if (asked_ == MPI_REQUEST_NULL) return;
        MPI_Wait(&asked_, MPI_STATUS_IGNORE);
        MPI_Win_unlock(0, window_);
    }

    static constexpr std::size_t chunk = std::size_t{1} << 28;  // counts of MPI are ints
    static constexpr std::int64_t one = 1;
    int rank_ = 0, size_ = 1, local_ = 0;
    std::int64_t next_ = 0;
    MPI_Request asked_ = MPI_REQUEST_NULL;
    std::int64_t* counter_ = nullptr;
    MPI_Win window_{};
};

}  // namespace

std::unique_ptr<Ranks> join_mpi_ranks() { return std::make_unique<MpiRanks>(); }

}  // namespace lrp::cli
