// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// The CPU backend: matrix products by the fastest code that the machine has (product/), everything else on rows, both shared among the threads of
// one pool. The cut into panels and chunks depends on shapes alone, so results are the same bits for every number of threads.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <thread>
#include <utility>

#include <Eigen/Core>

#include <lrp/backend/backend.hpp>
#include <lrp/backend/native.hpp>
#include <lrp/core/thread_pool.hpp>
#include <lrp/eigen/attention/blocked_attention.hpp>
#include <lrp/eigen/memory.hpp>
#include <lrp/eigen/product/weight_products.hpp>
#include <lrp/reference/backend.hpp>

namespace lrp {

/// Computes in T; weights lie in W, bf16 or T itself, and are read where they lie, in a mapped file say.
template <Scalar T, Storage W = T>
    requires(std::same_as<W, T> || std::same_as<T, float>)
struct EigenBackend {
    using scalar = T;
    using weight = W;
    static constexpr const char* name = "eigen";
    static constexpr auto native = [] {
        if constexpr (std::same_as<T, float>) {
            return std::array{Native::softmax, Native::attention};
        } else {
            return std::array{Native::softmax};
        }
    }();

    struct context {
        using backend = EigenBackend;
        using scalar = T;

        /// `threads` 0: as many as the machine has.
        explicit context(unsigned threads = 0) : pool(std::make_unique<ThreadPool>(threads)), products(pool->size()) {}
        std::unique_ptr<ThreadPool> pool;
        WeightProducts products;  ///< which code forms products, and how exactly
        std::shared_ptr<detail::HostMemory> memory = std::make_shared<detail::HostMemory>();
    };

    /// Memory of a context, which gets it back, or somebody else's.
    template <class E>
    class buffer {
      public:
        buffer() = default;
        buffer(std::shared_ptr<detail::HostMemory> memory, Index size)
            : memory_(std::move(memory)), own_(memory_->take(static_cast<std::size_t>(size) * sizeof(E))), data_(reinterpret_cast<E*>(own_.data())), size_(size) {}
        buffer(E* data, Index size, std::shared_ptr<const void> owner) : owner_(std::move(owner)), data_(data), size_(size) {}
        buffer(buffer&& other) noexcept { swap(other); }
        buffer& operator=(buffer&& other) noexcept {
            buffer(std::move(other)).swap(*this);
            return *this;
        }
        ~buffer() {
            if (memory_ != nullptr) memory_->give(std::move(own_));
        }
        E* data() { return data_; }
        [[nodiscard]] Index size() const { return size_; }

      private:
        void swap(buffer& other) noexcept {
            std::swap(memory_, other.memory_);
            std::swap(own_, other.own_);
            std::swap(owner_, other.owner_);
            std::swap(data_, other.data_);
            std::swap(size_, other.size_);
        }
        std::shared_ptr<detail::HostMemory> memory_;
        detail::HostBlock own_;
        std::shared_ptr<const void> owner_;
        E* data_ = nullptr;
        Index size_ = 0;
    };

    using RowMap = Eigen::Map<const Eigen::Array<T, 1, Eigen::Dynamic>>;
    using MutableRowMap = Eigen::Map<Eigen::Array<T, 1, Eigen::Dynamic>>;

    template <class E>
    static buffer<E> allocate(context& ctx, Index count) {
        return buffer<E>(ctx.memory, count);
    }
    template <class E>
    static void upload(context&, std::span<const E> host, E* device) {
        std::copy(host.begin(), host.end(), device);
    }
    static void download(context&, const T* device, std::span<T> host) { std::copy_n(device, host.size(), host.begin()); }

    /// Memory that somebody else holds and `owner` keeps alive, for reading only: a mapped file's tensors become weights without a copy.
    template <class E>
    static buffer<E> borrow(context&, const E* data, Index count, std::shared_ptr<const void> owner) {
        return buffer<E>(const_cast<E*>(data), count, std::move(owner));
    }

    static void copy(context& ctx, View<const T> in, View<T> out) {
        rows(ctx, out.rows, out.cols, [&](Index row) { std::copy_n(in.row(row), out.cols, out.row(row)); });
    }
    static void fill(context& ctx, View<T> out, T value) {
        rows(ctx, out.rows, out.cols, [&](Index row) { std::fill_n(out.row(row), out.cols, value); });
    }

    /// What forms products with weights for prompts of so many rows, by name; and whether Products::fast makes any difference there.
    static const char* product_code(const context& ctx, Index rows) {
        if constexpr (std::same_as<T, float>) {
            if (const ProductPath path = ctx.products.template path<W>(rows); path != ProductPath::panels) return product_path_name(path);
            if (ctx.products.provider == detail::PanelProvider::cblas) return "panels by CBLAS";
        }
        return "panels by Eigen";
    }
    static bool has_fast(const context& ctx) {
        if constexpr (!std::same_as<T, float>) return false;
        WeightProducts fast(1);
        fast.cpu = ctx.products.cpu;
        fast.products = Products::fast;
        const ProductPath path = fast.template path<W>(512);
        return path == ProductPath::dot_bf16 || path == ProductPath::amx_fast;
    }

    /// Bytes that products over `rows` rows of up to `widest` numbers and attention over up to `longest` tokens pack into, at most.
    static std::uint64_t scratch_bytes(const context& ctx, Index rows, Index longest, Index widest, Index keys, Index head_dim) {
        const Index threads = static_cast<Index>(ctx.pool->size()), tokens = detail::round_up(longest, detail::block_depth), head = detail::round_up(head_dim, 32);
        const Index packed = detail::round_up(std::min<Index>(rows, 512), 32) * detail::round_up(widest, detail::block_depth) * 9 / 8;  // float, or three terms of bf16
        const Index key_columns = keys * tokens * (1 + head / head_dim);
        const Index own = std::max<Index>(ctx.products.cpu.avx2 ? Index{1} << 18 : 512 * widest, 6 * tokens * head + 160 * tokens);
        return static_cast<std::uint64_t>(std::max(packed, key_columns) * (ctx.products.cpu.amx ? 6 : 4) + threads * own * 4) * sizeof(T) / sizeof(float);
    }

    /// Until told otherwise, rows of products with weights belong to so many prompts (PacksRows).
    static void share_rows(context& ctx, Index prompts) { ctx.products.sharing = prompts; }
    /// Whether prompts of `a` and of `b` rows may share a pass and each be the same bits as alone.
    static bool alike(const context& ctx, Index a, Index b) {
        if constexpr (std::same_as<T, float>) return ctx.products.template alike<W>(a, b);
        return false;  // Eigen's products choose by sizes of their own
    }

    template <Storage U>
    static void matmul(context& ctx, const Product& p, View<const T> a, View<const U> b, View<T> c) {
        if constexpr (std::same_as<T, float>) {
            ctx.products.run(*ctx.pool, p, a, b, c);
        } else {
            detail::PanelProduct<T>::run(*ctx.pool, ctx.products.scratch(), detail::PanelProvider::eigen, p, a, b, c);
        }
    }

    static void matmul_batched(context& ctx, const Product& p, BatchView<const T> a, BatchView<const T> b, BatchView<T> c) {
        ctx.pool->parallel_for(c.count / c.group, [&](Index block) {
            for (Index member = 0; member < c.group; ++member) {
                Product own = p;
                if (member != 0) own.beta = 1;  // the block already holds the sum over earlier heads of its group
                const Index h = block * c.group + member;
                detail::PanelProduct<T>::product(detail::PanelProvider::eigen, own, a[h], b[h], c[h]);
            }
        });
    }

    template <class F, class... In>
    static void map(context& ctx, F f, View<T> out, In... in) {
        const bool wide = ctx.products.cpu.avx2;
        rows(ctx, out.rows, out.cols, [&](Index row) { wide ? map_row_avx2(f, out.row(row), out.cols, row, in...) : map_row(f, out.row(row), out.cols, row, in...); });
    }

    template <class F>
    static void for_each_row(context& ctx, Index count, Index width, F f) {
        const bool wide = ctx.products.cpu.avx2;
        rows(ctx, count, width, [&](Index row) { wide ? one_row_avx2(f, row) : one_row(f, row); });
    }

    template <Storage U, Storage V>
    static void gather_rows(context& ctx, View<const U> table, std::span<const std::int32_t> ids, View<V> out) {
        rows(ctx, out.rows, out.cols, [&](Index row) {
            const U* from = table.row(ids[static_cast<std::size_t>(row)]);
            if constexpr (std::same_as<U, V>) {
                std::copy_n(from, out.cols, out.row(row));
            } else {
                std::transform(from, from + out.cols, out.row(row), [](U value) { return widen<T>(value); });
            }
        });
    }
    static void scatter_add_rows(context&, View<const T> in, std::span<const std::int32_t> ids, View<T> table) {
        for (std::size_t i = 0; i < ids.size(); ++i)
            MutableRowMap(table.row(ids[i]), in.cols) += RowMap(in.row(static_cast<Index>(i)), in.cols);
    }
    static void top_k(context&, const T* x, Index count, std::span<std::int32_t> ids) {
        typename ReferenceBackend<T>::context plain;
        ReferenceBackend<T>::top_k(plain, x, count, ids);
    }

    /// Native row softmax: Eigen's vectorised exponential. Row i sees the columns 0 .. x.cols - queries + i mod queries, or all if `queries` is 0.
    static void softmax(context& ctx, View<const T> x, View<T> s, Index queries) {
        rows(ctx, x.rows, x.cols, [&](Index row) {
            const Index count = queries == 0 ? x.cols : row % queries + 1 + x.cols - queries;
            const RowMap in(x.row(row), count);
            MutableRowMap out(s.row(row), count);
            out = (in - in.maxCoeff()).exp();
            out *= static_cast<T>(1 / out.template cast<double>().sum());
            MutableRowMap(s.row(row) + count, x.cols - count).setZero();
        });
    }

    /// Native attention, by the tiles of the products.
    static void attention_forward(context& ctx, const AttentionForward<T>& call)
        requires std::same_as<T, float>
    {
        with_tiles(ctx, [&]<class Way>(Way) { Way::forward(*ctx.pool, ctx.products.scratch(), call); });
    }
    static void attention_backward(context& ctx, const AttentionBackward<T>& call)
        requires std::same_as<T, float>
    {
        with_tiles(ctx, [&]<class Way>(Way) { Way::backward(*ctx.pool, ctx.products.scratch(), call); });
    }
    /// The widest head that those take.
    static constexpr Index widest_head = detail::widest_head;

  private:
    template <class F>
    static void with_tiles(context& ctx, const F& work) {
#if defined(__x86_64__)
        if constexpr (std::same_as<W, bf16>)
            if (ctx.products.template path<W>(512) == ProductPath::dot_bf16) return work(detail::BlockedAttention<detail::DotAvx512, detail::RowsAvx512>{});
        const ProductPath path = ctx.products.template path<float>(detail::stream_rows + 1);
        if (path == ProductPath::avx512) return work(detail::BlockedAttention<detail::FmaAvx512, detail::RowsAvx512>{});
        if (path == ProductPath::avx2) return work(detail::BlockedAttention<detail::FmaAvx2, detail::RowsAvx2>{});
#endif
        work(detail::BlockedAttention<detail::FmaPlain, detail::RowsPlain>{});
    }

    // Row work, once for every machine and once for those with wider registers: the same operations, so the same bits.
    template <class F, class... In>
    static void map_row(const F& f, T* to, Index cols, [[maybe_unused]] Index row, const In&... in) {
#if !defined(__clang__)
#pragma GCC ivdep
#endif
        for (Index col = 0; col < cols; ++col) to[col] = f(in(row, col)...);
    }
    template <class F>
    static void one_row(F& f, Index row) {
        SerialGroup group;
        f(group, row);
    }
#if defined(__x86_64__)
    template <class F, class... In>
    [[gnu::target("avx2"), gnu::flatten]] static void map_row_avx2(const F& f, T* to, Index cols, Index row, const In&... in) {
        map_row(f, to, cols, row, in...);
    }
    template <class F>
    [[gnu::target("avx2"), gnu::flatten]] static void one_row_avx2(F& f, Index row) {
        SerialGroup group;
        f(group, row);
    }
#else
    template <class... All>
    static void map_row_avx2(All&&... all) {
        map_row(all...);
    }
    template <class F>
    static void one_row_avx2(F& f, Index row) {
        one_row(f, row);
    }
#endif

    /// work(row) for all rows, in chunks large enough to be worth a thread.
    template <class F>
    static void rows(context& ctx, Index count, Index cols, const F& work) {
        const Index chunk = std::max<Index>(1, 16384 / std::max<Index>(1, cols));
        ctx.pool->parallel_for((count + chunk - 1) / chunk, [&](Index index) {
            const Index end = std::min(count, (index + 1) * chunk);
            for (Index row = index * chunk; row < end; ++row) work(row);
        });
    }
};

static_assert(check_backend<EigenBackend<float>>() && check_backend<EigenBackend<double>>() && check_backend<EigenBackend<float, bf16>>());

}  // namespace lrp
