// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include <lrp/core/tensor.hpp>

namespace lrp::test {

/// Which end of the numbers touches a page that may not be touched.
enum class Guard { before, after };

/// A row-major matrix between pages that kill the program on access. Its first number follows one, or its last number (of the last
/// row, without what lies between rows) precedes one.
template <class T>
class GuardedMatrix {
  public:
    GuardedMatrix(Index rows, Index cols, Index stride, Guard guard) {
        const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        const std::size_t bytes = static_cast<std::size_t>((rows - 1) * stride + cols) * sizeof(T);
        const std::size_t inner = (bytes + page - 1) / page * page;
        size_ = inner + 2 * page;
        base_ = static_cast<std::byte*>(mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
        if (base_ == MAP_FAILED || mprotect(base_ + page, inner, PROT_READ | PROT_WRITE) != 0) throw std::bad_alloc();
        view_ = View<T>(reinterpret_cast<T*>(base_ + page + (guard == Guard::after ? inner - bytes : 0)), rows, cols, stride);
    }
    GuardedMatrix(const GuardedMatrix&) = delete;
    GuardedMatrix& operator=(const GuardedMatrix&) = delete;
    ~GuardedMatrix() { munmap(base_, size_); }

    [[nodiscard]] View<T> view() const { return view_; }
    /// How many numbers there are, those between rows included.
    [[nodiscard]] Index size() const { return (view_.rows - 1) * view_.stride + view_.cols; }

  private:
    std::byte* base_ = nullptr;
    std::size_t size_ = 0;
    View<T> view_;
};

}  // namespace lrp::test
