// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/eigen/memory.hpp>

#include <cstdint>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <lrp/eigen/backend.hpp>

#include "support/catch.hpp"

using namespace lrp;
using detail::HostBlock;
using detail::HostMemory;

namespace {
std::size_t kept(const EigenBackend<float>::context& ctx) { return ctx.memory->kept_bytes(); }
}  // namespace

TEST_CASE("memory given back is lent again, to what it fits") {
    HostMemory memory;
    HostBlock block = memory.take(1 << 20);
    const std::byte* const place = block.data();
    CHECK(reinterpret_cast<std::uintptr_t>(place) % 64 == 0);
    memory.give(std::move(block));
    CHECK(memory.kept_bytes() == 1 << 20);
    SECTION("as large, or less by a ninth and not more") {
        HostBlock again = memory.take((1 << 20) - (1 << 16));
        CHECK(again.data() == place);
        CHECK(memory.kept_bytes() == 0);
    }
    SECTION("what it does not fit gets new memory, and as much is let go") {
        CHECK(memory.take((1 << 20) + 1).size() == (1 << 20) + 1);
        CHECK(memory.kept_bytes() == 0);
    }
    SECTION("less is let go for less, whole blocks and the oldest first") {
        HostBlock newer = memory.take(4 << 20);  // lets the first go
        memory.give(std::move(newer));
        memory.give(HostBlock(6 << 20));
        HostBlock small = memory.take(1 << 17);
        CHECK(memory.kept_bytes() == 6 << 20);
    }
    SECTION("what is much too large is not lent, and no more is let go than is asked for") {
        memory.give(HostBlock(1 << 20));
        memory.give(HostBlock(1 << 20));
        CHECK(memory.take(2 << 20).data() != place);
        CHECK(memory.kept_bytes() == 1 << 20);
        CHECK(memory.take(700 << 10).size() == 700 << 10);
        CHECK(memory.kept_bytes() == 0);
    }
    SECTION("the smallest that fits is lent") {
        memory.give(HostBlock((1 << 20) + 4096));
        CHECK(memory.take((1 << 20) - 4096).data() == place);
    }
}

TEST_CASE("the bounds of what is kept and lent") {
    HostMemory memory;
    memory.give(HostBlock(HostMemory::smallest_kept - 1));
    CHECK(memory.kept_bytes() == 0);
    memory.give(HostBlock(HostMemory::smallest_kept));
    CHECK(memory.kept_bytes() == HostMemory::smallest_kept);
    CHECK(memory.take(HostMemory::smallest_kept).size() == HostMemory::smallest_kept);
    CHECK(memory.kept_bytes() == 0);
    constexpr std::size_t asked = 1 << 20, eighth = asked / 8;
    memory.give(HostBlock(asked + eighth));  // too large by an eighth, and by a byte more
    CHECK(memory.take(asked).size() == asked + eighth);
    memory.give(HostBlock(asked + eighth + 1));
    CHECK(memory.take(asked).size() == asked);
    memory.give(HostBlock(asked + 2));
    memory.give(HostBlock(asked + 1));
    memory.give(HostBlock(asked + 3));
    CHECK(memory.take(asked).size() == asked + 1);
    CHECK(reinterpret_cast<std::uintptr_t>(memory.take(2 * HostBlock::large_page).data()) % HostBlock::large_page == 0);
    memory.give(HostBlock(4 * asked));
    memory.give(HostBlock(asked));
    CHECK(memory.take(asked).size() == asked);
    CHECK(memory.kept_bytes() == 4 * asked);  // what fits was lent, and nothing let go
    CHECK(memory.take(4 * asked).size() == 4 * asked);
    memory.give(HostBlock(asked));
    CHECK(memory.take(1000).size() == 1000);  // what is small asks for nothing that is kept
    CHECK(memory.kept_bytes() == asked);
}

TEST_CASE("borrowed memory keeps its owner as long as it is held, wherever it is moved") {
    EigenBackend<float>::context ctx(1u);
    const auto owner = std::make_shared<std::vector<float>>(4, 1.0f);
    using Buffer = EigenBackend<float>::buffer<float>;
    Buffer lent = EigenBackend<float>::borrow<float>(ctx, owner->data(), 4, owner);
    Buffer moved = std::move(lent);
    CHECK((owner.use_count() == 2 && moved.size() == 4 && moved.data() == owner->data()));
    moved = Buffer();
    CHECK(owner.use_count() == 1);
}

TEST_CASE("small blocks are left to the heap, large ones lie on large pages' boundaries") {
    HostMemory memory;
    memory.give(memory.take(1000));
    CHECK(memory.kept_bytes() == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(memory.take(5 << 20).data()) % HostBlock::large_page == 0);
}

TEST_CASE("a tensor's memory goes back to its context, from any thread and after the context's end") {
    auto ctx = std::make_unique<EigenBackend<float>::context>(1u);
    using Buffer = EigenBackend<float>::buffer<float>;
    Buffer first = EigenBackend<float>::allocate<float>(*ctx, 1 << 18);
    float* const place = first.data();
    Buffer moved = std::move(first);
    CHECK(moved.data() == place);
    CHECK(kept(*ctx) == 0);
    moved = EigenBackend<float>::allocate<float>(*ctx, 1 << 19);
    CHECK(kept(*ctx) == 1 << 20);
    std::thread([&] { Buffer(std::move(moved)); }).join();
    CHECK(kept(*ctx) == 3 << 20);
    Buffer last = EigenBackend<float>::allocate<float>(*ctx, 1 << 18);
    CHECK(last.data() == place);
    ctx.reset();
    last.data()[0] = 1;
    CHECK(last.data()[0] == 1);
}
