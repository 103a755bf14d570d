// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace lrp {

/// A text as tokens. Offsets are bytes [begin, end) of the text given; (0, 0) for tokens that the template added.
struct Encoding {
    std::vector<std::int32_t> ids;
    std::vector<std::string> tokens;  ///< as the vocabulary spells them; an added token as it stands in the text, with the white space it took
    std::vector<std::pair<std::size_t, std::size_t>> offsets;
    std::vector<bool> added;  ///< true: not in the text

    void push_back(std::int32_t id, const std::string& token, std::pair<std::size_t, std::size_t> offset, bool was_added = false) {
        ids.push_back(id);
        tokens.push_back(token);
        offsets.push_back(offset);
        added.push_back(was_added);
    }
    void append(const Encoding& other) {
        ids.insert(ids.end(), other.ids.begin(), other.ids.end());
        tokens.insert(tokens.end(), other.tokens.begin(), other.tokens.end());
        offsets.insert(offsets.end(), other.offsets.begin(), other.offsets.end());
        added.insert(added.end(), other.added.begin(), other.added.end());
    }
};

}  // namespace lrp
