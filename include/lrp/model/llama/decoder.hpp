// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Reading on: forward passes over new tokens alone, behind the kept keys and values of those before them.
#pragma once

#include <lrp/model/llama/model.hpp>

namespace lrp {

/// One text as a model has read it so far. Each call of `extend` runs the model's own layers over the new tokens only and keeps their keys and values;
/// nothing else outlives the call. The logits are those of a whole forward pass over all tokens, up to rounding (a product of one row may take another
/// kernel than one of many). The context and the model must outlive it.
template <Backend B, Composite Rules>
class LlamaDecoder {
  public:
    using backend = B;
    using T = typename B::scalar;
    using C = typename B::context;

    /// With room for `capacity` tokens.
    LlamaDecoder(C& ctx, const LlamaModel<B, Rules>& model, Index capacity) : ctx_(&ctx), model_(&model), capacity_(capacity) {
        require(capacity > 0, "decoder: expected room for at least one token, found ", capacity);
        const LlamaConfig& config = model.config();
        model.weights().embedding.require_context(ctx);
        rope_ = RopeTables<B>(ctx, config, capacity);
        cache_.resize(static_cast<std::size_t>(config.layers));
        for (KeyValues& layer : cache_)
            for (auto* t : {&layer.k, &layer.v}) t->resize(ctx, capacity, config.attention.keys());
    }

    [[nodiscard]] const LlamaModel<B, Rules>& model() const { return *model_; }
    [[nodiscard]] C& context() const { return *ctx_; }
    [[nodiscard]] Index capacity() const { return capacity_; }
    /// What was read.
    [[nodiscard]] const std::vector<std::int32_t>& ids() const { return ids_; }
    /// Bytes of the keys and values.
    [[nodiscard]] std::uint64_t cache_bytes() const {
        return static_cast<std::uint64_t>(2 * model_->config().layers * capacity_ * model_->config().attention.keys()) * sizeof(T);
    }

    /// Goes back to the first `tokens` tokens.
    void keep(std::size_t tokens) {
        require(tokens <= ids_.size(), "decoder: expected at most the ", ids_.size(), " tokens read, found ", tokens);
        ids_.resize(tokens);
    }

    /// Reads `tokens` (one or more) and gives the logits [V] behind the last one. The observer sees the new rows only (SiteRef::rows says which they
    /// are), final_norm and logits of the last one. Error: an id outside the vocabulary, or no room.
    [[nodiscard]] std::vector<T> extend(std::span<const std::int32_t> tokens, Watch<C> observer = {}) {
        const LlamaConfig& config = model_->config();
        const auto past = static_cast<Index>(ids_.size()), count = static_cast<Index>(tokens.size());
        require(count > 0, "decoder: no token was given");
        require(past + count <= capacity_, "decoder: there is room for ", capacity_, " tokens; ", past, " were read and ", count, " are to follow");
        for (std::size_t i = 0; i < tokens.size(); ++i)
            require(tokens[i] >= 0 && tokens[i] < config.vocab_size, "decoder: token id ", tokens[i], " at position ", ids_.size() + i,
                    " is outside the vocabulary of ", config.vocab_size);
        C& ctx = *ctx_;
        const std::array all{RowSpan{0, past + count}}, own{RowSpan{past, count}};
        const LayerRows rows{all, {}, {}, past};
        const Rope::Params<T> tables = rope_.params(), rope{tables.cos.rows_from(past, count), tables.sin.rows_from(past, count)};
        for (auto* t : {&from_, &to_}) t->resize(ctx, count, config.hidden_size);

        Station<C> at{ctx, observer};
        at.held = own;
        Embedding::forward(ctx, {model_->weights().embedding.view(), tokens}, from_.view());
        at.activation(Site::embedding, from_.view());
        for (at.layer = 0; at.layer < config.layers; ++at.layer) {
            const auto index = static_cast<std::size_t>(at.layer);
            const KeyValueRows<T> cache{cache_[index].k.view(), cache_[index].v.view()};
            work_.resize(ctx, config, count);
            model_->layer(index, rope).forward(at, rows, from_.view(), work_, to_.view(), &cache);
            std::swap(from_, to_);
        }
        at.layer = 0;
        model_->form_logits(at, Activation<const T>(from_.view().rows_from(count - 1, 1)), norm_, inverse_rms_, logits_);
        ids_.insert(ids_.end(), tokens.begin(), tokens.end());
        return logits_.download(ctx);
    }

  private:
    struct KeyValues {
        ActivationTensor<B> k, v;  ///< [capacity, K*D]
    };

    C* ctx_;
    const LlamaModel<B, Rules>* model_;
    Index capacity_;
    std::vector<std::int32_t> ids_;
    RopeTables<B> rope_;
    std::vector<KeyValues> cache_;   ///< one per layer
    ActivationTensor<B> from_, to_;  ///< [Q, d] a layer's input and output
    LlamaLayerSaved<B> work_;        ///< of the layer at work
    ActivationTensor<B> norm_, logits_;
    Tensor<B> inverse_rms_;
};

template <Backend B, Composite Rules>
LlamaDecoder(typename B::context&, const LlamaModel<B, Rules>&, Index) -> LlamaDecoder<B, Rules>;

}  // namespace lrp
