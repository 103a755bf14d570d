// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Memory of a context. A page that the system hands out must first be cleared, and each small page costs a fault: for a pass over 512 tokens of a 1B model
// that came to a tenth of its time. So blocks are kept for the next pass, and large ones ask for large pages.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <new>
#include <utility>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace lrp::detail {

/// Host memory on cache-line boundaries; from 4 MiB on, on boundaries of 2 MiB and in large pages where the system has them.
class HostBlock {
  public:
    static constexpr std::size_t large_page = std::size_t{2} << 20;

    HostBlock() = default;
    explicit HostBlock(std::size_t size) : size_(size) {
        const std::size_t alignment = size < 2 * large_page ? 64 : large_page;
        data_ = std::unique_ptr<std::byte, Free>(static_cast<std::byte*>(::operator new[](size, std::align_val_t{alignment})), Free{alignment});
#if defined(__linux__) && defined(MADV_HUGEPAGE)
        if (alignment == large_page) ::madvise(data_.get(), size, MADV_HUGEPAGE);  // advice: where it cannot be followed, pages are small
#endif
    }
    [[nodiscard]] std::byte* data() const { return data_.get(); }
    [[nodiscard]] std::size_t size() const { return size_; }

  private:
    struct Free {
        std::size_t alignment;
        void operator()(std::byte* data) const { ::operator delete[](data, std::align_val_t{alignment}); }
    };
    std::unique_ptr<std::byte, Free> data_{nullptr, Free{64}};
    std::size_t size_ = 0;
};

/// Keeps blocks that are given back and lends them again. New memory is only taken against as much that is kept, so that what is in use and what is kept
/// together never exceed the most that was in use at once (but for an eighth, by which a lent block may be too large). Any thread may give back.
class HostMemory {
  public:
    static constexpr std::size_t smallest_kept = std::size_t{64} << 10;  // the heap is quicker with small ones

    [[nodiscard]] HostBlock take(std::size_t size) {
        if (size >= smallest_kept) {
            const std::lock_guard lock(mutex_);
            auto best = kept_.end();
            for (auto one = kept_.begin(); one != kept_.end(); ++one)
                if (one->size() >= size && one->size() - size <= size / 8 && (best == kept_.end() || one->size() < best->size())) best = one;
            if (best != kept_.end()) {
                HostBlock block = std::move(*best);
                kept_.erase(best);
                return block;
            }
            for (std::size_t freed = 0; freed < size && !kept_.empty(); kept_.pop_front()) freed += kept_.front().size();
        }
        return HostBlock(size);
    }
    void give(HostBlock block) {
        if (block.size() < smallest_kept) return;
        const std::lock_guard lock(mutex_);
        kept_.push_back(std::move(block));
    }
    [[nodiscard]] std::size_t kept_bytes() const {
        const std::lock_guard lock(mutex_);
        std::size_t sum = 0;
        for (const HostBlock& block : kept_) sum += block.size();
        return sum;
    }

  private:
    mutable std::mutex mutex_;
    std::list<HostBlock> kept_;  // the longest kept first
};

}  // namespace lrp::detail
