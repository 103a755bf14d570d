// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Many prompts, in few passes; and several targets of one prompt, in one forward pass.
#pragma once

#include <lrp/analysis/attribute.hpp>

namespace lrp {

/// One of several prompts that are explained together.
struct PromptOfMany {
    std::vector<std::int32_t> ids;
    std::optional<std::int32_t> target{};   ///< in place of the options' target
    std::optional<std::size_t> position{};  ///< in place of the options' position
};

namespace detail {

/// While it lives, the rows of products belong to so many prompts, on a backend that asks.
template <Backend B>
class SharedRows {
  public:
    SharedRows(typename B::context& ctx, Index prompts) : ctx_(ctx) { tell(prompts); }
    SharedRows(const SharedRows&) = delete;
    SharedRows& operator=(const SharedRows&) = delete;
    ~SharedRows() { tell(1); }

  private:
    void tell([[maybe_unused]] Index prompts) {
        if constexpr (PacksRows<B>) B::share_rows(ctx_, prompts);
    }
    typename B::context& ctx_;
};

/// The options as they hold for one of several prompts.
inline AttributeOptions options_of(const PromptOfMany& prompt, const AttributeOptions& options) {
    AttributeOptions own = options;
    if (prompt.target) own.target = prompt.target;
    if (prompt.position) own.position = prompt.position;
    return own;
}

}  // namespace detail

/// How many of the prompts, from the first, a pass of up to `tokens` tokens takes together: at least one, and only such as are the same bits as alone
/// where the backend can tell (PacksRows). Errors as `attribute` for the prompts it looks at.
template <class Model>
[[nodiscard]] std::size_t prompts_in_pass(typename Model::C& ctx, const Model& model, std::span<const PromptOfMany> prompts, const AttributeOptions& options, std::size_t tokens) {
    std::size_t used = 0, first = 0, count = 0;
    for (; count < prompts.size(); ++count) {
        const std::size_t rows = detail::explained_position(model.config(), prompts[count].ids, detail::options_of(prompts[count], options)) + 1;
        if (count == 0) first = rows;
        if (count > 0 && used + rows > tokens) break;
        if constexpr (PacksRows<typename Model::backend>) {
            if (count > 0 && !Model::backend::alike(ctx, static_cast<Index>(first), static_cast<Index>(rows))) break;
        }
        used += rows;
    }
    return count;
}

/// Explains several prompts in one pass. `options` holds for all but position and target, which each prompt may have for itself. The results are those
/// of `attribute` for each: to the last bit for prompts that prompts_in_pass puts together, on the CPU backends reference and eigen; on others, whose
/// libraries choose code by sizes, as exact as these are.
template <class Model>
[[nodiscard]] std::vector<Trace> attribute_together(typename Model::C& ctx, const Model& model, std::span<const PromptOfMany> prompts, const AttributeOptions& options = {},
                                                    PassTimes* times = nullptr) {
    using Clock = std::chrono::steady_clock;
    const auto start = Clock::now();
    PackedPrompts packed;
    std::vector<std::int32_t> rows;
    std::vector<AttributeOptions> own;
    for (const PromptOfMany& prompt : prompts) {
        own.push_back(detail::options_of(prompt, options));
        const std::size_t position = detail::explained_position(model.config(), prompt.ids, own.back());
        packed.add(std::span(prompt.ids).first(position + 1));
        rows.push_back(static_cast<std::int32_t>(packed.ids.size()) - 1);
    }
    const detail::SharedRows<typename Model::backend> shared(ctx, static_cast<Index>(prompts.size()));
    auto pass = model.forward(ctx, packed, rows, {options.recompute, PassOptions::Rows::explained});
    const auto logits = pass.logits.download(ctx);
    const auto width = static_cast<std::ptrdiff_t>(model.config().vocab_size);
    std::vector<Seed> seeds;
    std::vector<Trace> traces;
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const auto at = logits.begin() + static_cast<std::ptrdiff_t>(i) * width;
        const auto position = static_cast<std::size_t>(packed.prompts[i].count) - 1;
        traces.push_back(detail::open_trace(model.config(), prompts[i].ids, position, std::vector(at, at + width), own[i]));
        detail::add_seeds(seeds, traces.back(), rows[i], own[i]);
    }
    const auto middle = Clock::now();
    TraceObserver<typename Model::backend> reader(ctx, traces, packed.prompts, options.sites);
    model.relevance(ctx, pass, seeds, reader);
    reader.finish(ctx);
    if (times != nullptr) {
        times->forward += std::chrono::duration<double>(middle - start).count();
        times->relevance += std::chrono::duration<double>(Clock::now() - middle).count();
    }
    return traces;
}

/// Explains prompts of any number in passes of up to `tokens` tokens, as attribute_together does; in the order given, so that prompts of about one
/// length should follow each other.
template <class Model>
[[nodiscard]] std::vector<Trace> attribute_all(typename Model::C& ctx, const Model& model, std::span<const PromptOfMany> prompts, const AttributeOptions& options = {},
                                               std::size_t tokens = 1024) {
    std::vector<Trace> traces;
    while (!prompts.empty()) {
        const std::size_t count = prompts_in_pass(ctx, model, prompts, options, tokens);
        for (Trace& trace : attribute_together(ctx, model, prompts.first(count), options)) traces.push_back(std::move(trace));
        prompts = prompts.subspan(count);
    }
    return traces;
}

/// Explains several target tokens of one prompt: one forward pass, and a backward pass for each.
template <class Model>
[[nodiscard]] std::vector<Trace> attribute_targets(typename Model::C& ctx, const Model& model, std::span<const std::int32_t> ids, std::span<const std::int32_t> targets,
                                                   const AttributeOptions& options = {}) {
    auto question = ask(ctx, model, ids, options, NullObserver{}, PassOptions::Rows::explained);
    const auto logits = question.pass.logits.download(ctx);
    std::vector<Trace> traces;
    for (const std::int32_t target : targets) {
        AttributeOptions own = options;
        own.target = target;
        (void)detail::explained_position(model.config(), ids, own);
        traces.push_back(detail::open_trace(model.config(), ids, question.trace.position, logits, own));
        std::vector<Seed> seeds;
        detail::add_seeds(seeds, traces.back(), static_cast<Index>(question.trace.position), own);
        TraceObserver<typename Model::backend> reader(ctx, {&traces.back(), 1}, question.pass.prompts, options.sites);
        model.relevance(ctx, question.pass, seeds, reader);
        reader.finish(ctx);
    }
    return traces;
}

}  // namespace lrp
