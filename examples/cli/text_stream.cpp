// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include "text_stream.hpp"

#include <algorithm>

namespace lrp::cli {

std::string continuation_text(const Tokenizer& tokenizer, const std::string& before, std::span<const std::int32_t> ids, std::size_t prompt) {
    const std::string all = decoded(tokenizer, ids);
    return all.starts_with(before) ? all.substr(before.size()) : decoded(tokenizer, ids.subspan(prompt));
}

std::string decoded(const Tokenizer& tokenizer, std::span<const std::int32_t> ids) {
    std::vector<std::int32_t> known;
    for (const std::int32_t id : ids)
        if (id >= 0 && static_cast<std::size_t>(id) < tokenizer.vocab_size()) known.push_back(id);
    return tokenizer.decode(known, true);
}

TextStream::TextStream(const Tokenizer* tokenizer, std::vector<std::int32_t> prompt, std::vector<std::string> stops, Show show)
    : tokenizer_(tokenizer), ids_(std::move(prompt)), stops_(std::move(stops)), show_(std::move(show)), prompt_(ids_.size()) {
    if (tokenizer_ != nullptr) before_ = decoded(*tokenizer_, ids_);
}

bool TextStream::push(std::int32_t id) {
    ids_.push_back(id);
    if (tokenizer_ == nullptr) return true;
    text_ = continuation_text(*tokenizer_, before_, ids_, prompt_);
    std::size_t end = std::string::npos;
    for (const std::string& stop : stops_) end = std::min(end, text_.find(stop));
    stopped_ = end != std::string::npos;
    if (stopped_) text_.resize(end);
    show_up_to(text_.size() - (stopped_ ? 0 : open_bytes()));
    return !stopped_;
}

void TextStream::finish() { show_up_to(text_.size()); }

std::size_t TextStream::open_bytes() const {
    std::size_t open = 0;
    while (text_.size() >= open + 3 && text_.compare(text_.size() - open - 3, 3, "\xEF\xBF\xBD") == 0) open += 3;
    open = std::max(open, bytes_of_run());
    for (const std::string& stop : stops_)
        for (std::size_t length = std::min(stop.size() - 1, text_.size()); length > open; --length)
            if (text_.ends_with(stop.substr(0, length))) open = length;
    return open;
}

std::size_t TextStream::bytes_of_run() const {
    std::size_t first = ids_.size();
    const auto unseen = [&](std::int32_t id) { return id < 0 || static_cast<std::size_t>(id) >= tokenizer_->vocab_size() || tokenizer_->is_special(id); };
    while (first > prompt_ && (tokenizer_->is_byte(ids_[first - 1]) || unseen(ids_[first - 1]))) --first;
    if (first == ids_.size()) return 0;
    const std::string settled = continuation_text(*tokenizer_, before_, std::span(ids_).first(first), prompt_);
    return text_.size() - static_cast<std::size_t>(std::ranges::mismatch(text_, settled).in1 - text_.begin());
}

void TextStream::show_up_to(std::size_t end) {
    if (end <= shown_) return;
    if (show_) show_(text_.substr(shown_, end - shown_));
    shown_ = end;
}

}  // namespace lrp::cli
