// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The Thrust backend: one text for every device system. A `System` names a device (the host, serial or by OpenMP or TBB; a CUDA card),
// which brings memory, a Thrust policy and how rows, maps and products are run there. lrp/thrust/{cpp,omp,tbb,cuda}.hpp bring one each.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <lrp/backend/backend.hpp>
#include <lrp/backend/native.hpp>
#include <lrp/thrust/memory.hpp>

namespace lrp {

namespace detail {

/// Y_i <- X_(ids_i), by rows, widened where X is stored in another type.
template <class U, class V>
struct GatherRow {
    View<const U> table;
    const std::int32_t* ids;
    View<V> out;
    template <Group G>
    LRP_HD void operator()(G& group, Index row) const {
        const U* from = table.row(ids[row]);
        V* to = out.row(row);
        row_each(group, out.cols, [&](Index col) {
            if constexpr (std::is_same_v<U, V>) {
                to[col] = from[col];
            } else {
                to[col] = widen<V>(from[col]);
            }
        });
    }
};

/// Y_(ids_i) += X_i for all i in order, one column a call: no two calls meet, so the result is the same in every run.
template <class T>
struct ScatterAddColumn {
    View<const T> in;
    const std::int32_t* ids;
    View<T> table;
    LRP_HD void operator()(Index col) const {
        for (Index i = 0; i < in.rows; ++i) table(ids[i], col) += in(i, col);
    }
};

/// Whether place a comes before place b: the larger value first, the lower place among equals.
template <class T>
struct LargerFirst {
    const T* x;
    LRP_HD bool operator()(std::int32_t a, std::int32_t b) const { return x[a] != x[b] ? x[a] > x[b] : a < b; }
};

}  // namespace detail

/// Computes in T on `System`; weights lie in W (T, or bf16: widened where they are read, sums in T).
/// A pass makes no host synchronisation but in `download` and `top_k`, which return numbers.
template <class System, Scalar T, Storage W = T>
struct ThrustBackend {
    using scalar = T;
    using weight = W;
    using Device = typename System::Device;
    static constexpr const char* name = System::name;
    static constexpr std::array native{Native::tiles};
    static constexpr Index tile_bytes = Device::tile_bytes;

    struct context {
        using backend = ThrustBackend;
        using scalar = T;
        using Options = typename Device::Options;

        context() : context(Options{}) {}
        /// `arena_bytes` > 0: all memory comes from one block of that size, taken now; an exhausted arena is an Error with both numbers.
        explicit context(Options options, std::uint64_t arena_bytes = 0)
            : memory(std::make_shared<ThrustMemory<Device>>(options, arena_bytes)) {}
        [[nodiscard]] Device& device() { return memory->device; }
        /// Bytes that may still be asked for; nothing where the device does not know.
        [[nodiscard]] std::optional<std::uint64_t> room() const { return memory->room(); }

        std::shared_ptr<ThrustMemory<Device>> memory;
    };

    template <class E>
    using buffer = ThrustBuffer<Device, E>;

    template <class E>
    static buffer<E> allocate(context& ctx, Index count) {
        return {ctx.memory, count};
    }
    /// Error unless the buffer was made by this context (one that holds nothing belongs to all).
    template <class E>
    static void check_owner(const context& ctx, const buffer<E>& buffer) {
        require(buffer.serial() == 0 || buffer.serial() == ctx.memory->serial, name, ": a tensor of context ", buffer.serial(), " was used with context ",
                ctx.memory->serial);
    }
    template <class E>
    static void upload(context& ctx, std::span<const E> host, E* device) {
        ctx.device().upload(host.data(), device, host.size_bytes());
    }
    static void download(context& ctx, const T* device, std::span<T> host) { ctx.device().download(device, host.data(), host.size_bytes()); }

    static void copy(context& ctx, View<const T> in, View<T> out) { ctx.device().copy(in, out); }
    static void fill(context& ctx, View<T> out, T value) { ctx.device().fill(out, value); }

    template <Storage U>
    static void matmul(context& ctx, const Product& p, View<const T> a, View<const U> b, View<T> c) {
        ctx.device().product(*ctx.memory, p, BatchView<const T>{a, 1, 0}, BatchView<const U>{b, 1, 0}, BatchView<T>{c, 1, 0});
    }
    static void matmul_batched(context& ctx, const Product& p, BatchView<const T> a, BatchView<const T> b, BatchView<T> c) {
        ctx.device().product(*ctx.memory, p, a, b, c);
    }

    template <class F, class... In>
    static void map(context& ctx, F f, View<T> out, In... in) {
        ctx.device().map(f, out, in...);
    }
    template <class F>
    static void for_each_row(context& ctx, Index rows, Index width, F f) {
        ctx.device().rows(rows, width, f);
    }

    template <class F>
    static void for_each_tile(context& ctx, Index count, Index scratch, F f) {
        ctx.device().template tiles<T>(count, scratch, f);
    }

    template <Storage U, Storage V>
    static void gather_rows(context& ctx, View<const U> table, std::span<const std::int32_t> ids, View<V> out) {
        auto places = on_device(ctx, ids);
        ctx.device().rows(out.rows, out.cols, detail::GatherRow<U, V>{table, places.data(), out});
    }
    static void scatter_add_rows(context& ctx, View<const T> in, std::span<const std::int32_t> ids, View<T> table) {
        auto places = on_device(ctx, ids);
        ctx.device().each(in.cols, detail::ScatterAddColumn<T>{in, places.data(), table});
    }

    static void top_k(context& ctx, const T* x, Index count, std::span<std::int32_t> ids) {
        if (ids.size() == 1) {
            ids[0] = ctx.device().first_place(*ctx.memory, count, detail::LargerFirst<T>{x});
            return;
        }
        buffer<std::int32_t> order(ctx.memory, count);
        ctx.device().sort_places(*ctx.memory, order.data(), count, detail::LargerFirst<T>{x});
        ctx.device().download(order.data(), ids.data(), ids.size_bytes());
    }

  private:
    static buffer<std::int32_t> on_device(context& ctx, std::span<const std::int32_t> ids) {
        buffer<std::int32_t> places(ctx.memory, static_cast<Index>(ids.size()));
        ctx.device().upload(ids.data(), places.data(), ids.size_bytes());
        return places;
    }
};

}  // namespace lrp
