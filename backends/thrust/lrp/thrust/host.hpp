// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// A device that is the host: memory on cache lines, and Thrust's for_each under the policy of one host system. Rows run with one lane.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <optional>
#include <tuple>
#include <vector>

#include <thrust/copy.h>
#include <thrust/extrema.h>
#include <thrust/fill.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/sequence.h>
#include <thrust/sort.h>

#include <lrp/backend/group.hpp>
#include <lrp/thrust/backend.hpp>
#include <lrp/thrust/host_product.hpp>

namespace lrp {

namespace detail {

template <class F>
struct SerialRow {
    F f;
    void operator()(Index row) const {
        SerialGroup group;
        f(group, row);
    }
};

template <class F, class T>
struct SerialTile {
    F f;
    Index scratch;
    void operator()(Index index) const {
        static thread_local std::vector<T> memory;
        if (std::ssize(memory) < scratch) memory.resize(static_cast<std::size_t>(scratch));
        SerialGroup group;
        f(group, index, memory.data());
    }
};

/// One stretch of a row of y_ij <- f(x_ij...).
template <class F, class T, class... In>
struct MapStretch {
    static constexpr Index width = 4096;
    F f;
    View<T> out;
    Index stretches;  // per row
    std::tuple<In...> in;
    void operator()(Index index) const {
        const Index row = index / stretches, first = index % stretches * width, last = std::min(out.cols, first + width);
        T* to = out.row(row);
        std::apply([&](const In&... each) { for (Index col = first; col < last; ++col) to[col] = f(each(row, col)...); }, in);
    }
};

template <class T>
struct CopyRow {
    View<const T> in;
    View<T> out;
    void operator()(Index row) const { std::copy_n(in.row(row), out.cols, out.row(row)); }
};
template <class T>
struct FillRow {
    View<T> out;
    T value;
    void operator()(Index row) const { std::fill_n(out.row(row), out.cols, value); }
};

}  // namespace detail

/// `Threads` says how a system runs: `Threads::policy()`, its Thrust execution policy, and a constructor from a number of threads.
template <class Threads>
class HostDevice {
  public:
    struct Options {
        unsigned threads = 0;  ///< 0: as many as the system takes by itself
    };
    static constexpr Index tile_bytes = std::numeric_limits<Index>::max();

    explicit HostDevice(Options options) : threads_(options.threads) {}

    [[nodiscard]] void* take(std::uint64_t bytes) {
        void* piece = ::operator new(bytes, std::align_val_t{Arena::alignment}, std::nothrow);
        require(piece != nullptr, "host memory: ", bytes, " bytes were asked for and are not to be had");
        return piece;
    }
    void give(void* piece) noexcept { ::operator delete(piece, std::align_val_t{Arena::alignment}); }

    [[nodiscard]] std::optional<std::uint64_t> room() const { return std::nullopt; }

    void upload(const void* host, void* device, std::size_t bytes) { copy(host, device, bytes); }
    void download(const void* device, void* host, std::size_t bytes) { copy(device, host, bytes); }

    /// The places 0, 1, ..., count - 1 in the order `before` says.
    template <class Memory, class Before>
    void sort_places(Memory&, std::int32_t* places, Index count, const Before& before) const {
        thrust::sequence(Threads::policy(), places, places + count);
        thrust::sort(Threads::policy(), places, places + count, before);
    }

    /// The first of them.
    template <class Memory, class Before>
    [[nodiscard]] std::int32_t first_place(Memory&, Index count, const Before& before) const {
        const thrust::counting_iterator<std::int32_t> places(0);
        return *thrust::min_element(Threads::policy(), places, places + count, before);
    }

    /// f(i) for every i < count.
    template <class F>
    void each(Index count, const F& f) const {
        thrust::for_each_n(Threads::policy(), thrust::counting_iterator<Index>(0), count, f);
    }
    template <class F>
    void rows(Index count, Index, const F& f) const {
        each(count, detail::SerialRow<F>{f});
    }
    template <class T, class F>
    void tiles(Index count, Index scratch, const F& f) const {
        each(count, detail::SerialTile<F, T>{f, scratch});
    }
    template <class F, class T, class... In>
    void map(const F& f, const View<T>& out, const In&... in) const {
        using Stretch = detail::MapStretch<F, T, In...>;
        const Index stretches = (out.cols + Stretch::width - 1) / Stretch::width;
        each(out.rows * stretches, Stretch{f, out, stretches, {in...}});
    }
    template <class T>
    void copy(const View<const T>& in, const View<T>& out) const {
        if (in.contiguous() && out.contiguous()) {
            thrust::copy_n(Threads::policy(), in.data, out.rows * out.cols, out.data);
        } else {
            each(out.rows, detail::CopyRow<T>{in, out});
        }
    }
    template <class T>
    void fill(const View<T>& out, T value) const {
        if (out.contiguous()) {
            thrust::fill_n(Threads::policy(), out.data, out.rows * out.cols, value);
        } else {
            each(out.rows, detail::FillRow<T>{out, value});
        }
    }
    template <class Memory, class T, class U>
    void product(Memory&, const Product& p, const BatchView<const T>& a, const BatchView<const U>& b, const BatchView<T>& c) const {
        const detail::ProductBlock<T, U> block(p, a, b, c);
        each(block.count(), block);
    }

  private:
    static void copy(const void* from, void* to, std::size_t bytes) {
        if (bytes > 0) std::memcpy(to, from, bytes);  // what is empty may lie nowhere
    }

    Threads threads_;
};

}  // namespace lrp
