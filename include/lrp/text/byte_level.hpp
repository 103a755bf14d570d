// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <lrp/text/unicode.hpp>

namespace lrp::text {

/// The byte-level alphabet: every byte has a printable character. 0x21-0x7E, 0xA1-0xAC and 0xAE-0xFF stand for themselves; the other 68,
/// in order, for U+0100 onwards.
class ByteAlphabet {
  public:
    [[nodiscard]] static const ByteAlphabet& instance() {
        static const ByteAlphabet alphabet;
        return alphabet;
    }
    [[nodiscard]] char32_t character(unsigned char byte) const { return to_[byte]; }
    /// The byte a character stands for, if it is of the alphabet.
    [[nodiscard]] std::optional<unsigned char> byte(char32_t character) const {
        if (character >= from_.size() || from_[character] < 0) return std::nullopt;
        return static_cast<unsigned char>(from_[character]);
    }

    /// A token's bytes; nothing if a character is outside the alphabet.
    [[nodiscard]] std::optional<std::string> bytes(std::string_view token) const {
        std::string out;
        for (std::size_t at = 0; at < token.size();) {
            const auto one = byte(utf8::next(token, at));
            if (!one) return std::nullopt;
            out += static_cast<char>(*one);
        }
        return out;
    }

  private:
    ByteAlphabet() {
        from_.fill(-1);
        char32_t spare = 0x100;
        for (unsigned byte = 0; byte < 256; ++byte) {
            const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) || byte >= 0xAE;
            to_[byte] = printable ? static_cast<char32_t>(byte) : spare++;
            from_[to_[byte]] = static_cast<short>(byte);
        }
    }
    std::array<char32_t, 256> to_{};
    std::array<short, 0x144> from_{};
};

}  // namespace lrp::text
