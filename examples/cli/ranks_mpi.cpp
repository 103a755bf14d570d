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
        if (there == 0) MPI_Init(nullptr, nullptr);
        MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
        MPI_Comm_size(MPI_COMM_WORLD, &size_);
        // The count lies with rank 0; everybody adds to it without rank 0's help.
        MPI_Win_allocate(rank_ == 0 ? sizeof(std::int64_t) : 0, sizeof(std::int64_t), MPI_INFO_NULL, MPI_COMM_WORLD, &counter_, &window_);
        start_counter();
    }
    ~MpiRanks() override {
        MPI_Win_free(&window_);
        MPI_Finalize();
    }
    MpiRanks(const MpiRanks&) = delete;
    MpiRanks& operator=(const MpiRanks&) = delete;

    [[nodiscard]] int rank() const override { return rank_; }
    [[nodiscard]] int size() const override { return size_; }
    void start_counter() override {
        if (rank_ == 0) {
            MPI_Win_lock(MPI_LOCK_EXCLUSIVE, 0, 0, window_);
            *counter_ = 0;
            MPI_Win_unlock(0, window_);
        }
        meet();
    }
    [[nodiscard]] std::int64_t next() override {
        const std::int64_t one = 1;
        std::int64_t before = 0;
        MPI_Win_lock(MPI_LOCK_SHARED, 0, 0, window_);
        MPI_Fetch_and_op(&one, &before, MPI_INT64_T, 0, 0, MPI_SUM, window_);
        MPI_Win_unlock(0, window_);
        return before;
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
    static constexpr std::size_t chunk = std::size_t{1} << 28;  // counts of MPI are ints
    int rank_ = 0, size_ = 1;
    std::int64_t* counter_ = nullptr;
    MPI_Win window_{};
};

}  // namespace

std::unique_ptr<Ranks> join_mpi_ranks() { return std::make_unique<MpiRanks>(); }

}  // namespace lrp::cli
