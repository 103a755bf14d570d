// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The memory of a context: pieces of one arena if it has one, else pieces from the device itself. Buffers share it with the context, so
// either may end first.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <utility>

#include <lrp/core/scalar.hpp>
#include <lrp/thrust/arena.hpp>

namespace lrp {

/// `Device` gives and takes raw memory: `void* take(bytes)` (throws with both numbers if there is none) and `void give(void*)`; `room()` is what there is of it,
/// if it knows.
template <class Device>
class ThrustMemory : public std::enable_shared_from_this<ThrustMemory<Device>> {
  public:
    /// `arena_bytes` 0: no arena, every piece comes from the device.
    ThrustMemory(typename Device::Options options, std::uint64_t arena_bytes) : device(options), serial(++contexts()) {
        if (arena_bytes > 0) {
            arena_.emplace(arena_bytes);
            block_ = static_cast<char*>(device.take(arena_->size()));
        }
    }
    ThrustMemory(const ThrustMemory&) = delete;
    ThrustMemory& operator=(const ThrustMemory&) = delete;
    ~ThrustMemory() {
        if (block_ != nullptr) device.give(block_);
    }

    [[nodiscard]] void* take(std::uint64_t bytes) { return arena_ ? block_ + arena_->take(bytes) : device.take(bytes); }
    void give(void* piece) noexcept {
        if (piece == nullptr) return;
        if (arena_) {
            arena_->give(static_cast<std::uint64_t>(static_cast<char*>(piece) - block_));
        } else {
            device.give(piece);
        }
    }
    [[nodiscard]] const std::optional<Arena>& arena() const { return arena_; }
    /// Bytes that may still be asked for; nothing where the device does not know.
    [[nodiscard]] std::optional<std::uint64_t> room() const { return arena_ ? arena_->available() : device.room(); }

    Device device;
    const std::uint64_t serial;  ///< which context this is, counted from 1

  private:
    static std::atomic<std::uint64_t>& contexts() {
        static std::atomic<std::uint64_t> count{0};
        return count;
    }
    std::optional<Arena> arena_;
    char* block_ = nullptr;
};

/// An owning piece of a context's memory, uninitialised; move-only.
template <class Device, class E>
class ThrustBuffer {
  public:
    ThrustBuffer() = default;
    ThrustBuffer(std::shared_ptr<ThrustMemory<Device>> memory, Index size)
        : memory_(std::move(memory)), data_(static_cast<E*>(memory_->take(static_cast<std::uint64_t>(size) * sizeof(E)))), size_(size) {}
    ThrustBuffer(ThrustBuffer&& other) noexcept
        : memory_(std::move(other.memory_)), data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
    ThrustBuffer& operator=(ThrustBuffer other) noexcept {
        std::swap(memory_, other.memory_);
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~ThrustBuffer() {
        if (memory_) memory_->give(data_);
    }

    E* data() { return data_; }
    [[nodiscard]] Index size() const { return size_; }
    /// The context it was made by; 0 if it holds nothing.
    [[nodiscard]] std::uint64_t serial() const { return memory_ ? memory_->serial : 0; }

  private:
    std::shared_ptr<ThrustMemory<Device>> memory_;
    E* data_ = nullptr;
    Index size_ = 0;
};

}  // namespace lrp
