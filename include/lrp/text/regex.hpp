// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#ifndef PCRE2_CODE_UNIT_WIDTH
#error "lrp/text/regex.hpp needs PCRE2_CODE_UNIT_WIDTH=8 on the command line (the target lrpxx::text sets it)"
#endif
#include <pcre2.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <lrp/core/error.hpp>
#include <lrp/text/aligned_text.hpp>

namespace lrp::text {

/// A pattern as tokenizer.json spells it, with Unicode properties. White space is Unicode's White_Space: PCRE2's \s would also take
/// U+180E, so \s and \S are spelled out. Thread-safe. Error naming the source for a pattern that does not compile or that gives up on a
/// text for want of its (bounded) resources.
class Regex {
  public:
    Regex(const std::string& pattern, const std::string& source) : source_(source) {
        const std::string spelled = spell_out_space(pattern);
        int code = 0;
        PCRE2_SIZE at = 0;
        code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelled.data()), spelled.size(), PCRE2_UTF | PCRE2_UCP, &code, &at, nullptr));
        require(code_ != nullptr, source, ": the pattern '", pattern, "' does not compile (", message(code), ")");
        pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);  // without a compiler for this machine, matching interprets
    }

    /// The matches in `text` (valid UTF-8) and the stretches between them; they cover the text. Empty matches are passed over.
    [[nodiscard]] std::vector<Match> find_all(std::string_view text) const {
        const std::unique_ptr<pcre2_match_data, FreeData> data(pcre2_match_data_create(1, nullptr));
        const std::unique_ptr<pcre2_match_context, FreeContext> limits(pcre2_match_context_create(nullptr));
        require(data && limits, source_, ": out of memory");
        pcre2_set_match_limit(limits.get(), 50'000'000);
        pcre2_set_depth_limit(limits.get(), 1'000'000);
        std::vector<Match> found;
        std::size_t covered = 0;
        for (std::size_t at = 0; at < text.size();) {
            const int result = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at, PCRE2_NO_UTF_CHECK, data.get(), limits.get());
            if (result == PCRE2_ERROR_NOMATCH) break;
            require(result >= 0, source_, ": matching gave up (", message(result), ")");
            const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data.get());
            if (ends[1] <= ends[0]) {  // empty: go on after the next character
                at = std::max<std::size_t>(ends[0], at);
                if (at >= text.size()) break;
                utf8::next(text, at);
                continue;
            }
            if (ends[0] > covered) found.push_back({covered, ends[0], false});
            found.push_back({ends[0], ends[1], true});
            covered = at = ends[1];
        }
        if (covered < text.size()) found.push_back({covered, text.size(), false});
        return found;
    }

    /// Unicode version of the engine, for `lrp --version`.
    [[nodiscard]] static std::string unicode_version() {
        std::array<char, 64> version{};
        pcre2_config(PCRE2_CONFIG_UNICODE_VERSION, version.data());
        return version.data();
    }

  private:
    struct FreeCode {
        void operator()(pcre2_code* code) const { pcre2_code_free(code); }
    };
    struct FreeData {
        void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
    };
    struct FreeContext {
        void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
    };

    static std::string message(int code) {
        std::array<PCRE2_UCHAR, 160> text{};
        pcre2_get_error_message(code, text.data(), text.size());
        return reinterpret_cast<const char*>(text.data());
    }

    /// \s and \S as explicit sets, inside a class and outside. A negated \S cannot stand inside a class with others, so its complement does.
    static std::string spell_out_space(const std::string& pattern) {
        const std::string set = R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
        const std::string rest =
            R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";
        std::string out;
        bool in_class = false;
        for (std::size_t i = 0; i < pattern.size(); ++i) {
            const char c = pattern[i];
            if (c == '\\' && i + 1 < pattern.size()) {
                const char kind = pattern[++i];
                if (kind == 's') {
                    out += in_class ? set : "[" + set + "]";
                } else if (kind == 'S') {
                    out += in_class ? rest : "[^" + set + "]";
                } else {
                    out += {c, kind};
                }
                continue;
            }
            if (c == '[' && !in_class) {
                in_class = true;
                out += c;
                if (i + 1 < pattern.size() && pattern[i + 1] == '^') out += pattern[++i];
                if (i + 1 < pattern.size() && pattern[i + 1] == ']') {
                    out += "\\]";
                    ++i;
                }
                continue;
            }
            if (c == ']') in_class = false;
            out += c;
        }
        return out;
    }

    std::string source_;
    std::unique_ptr<pcre2_code, FreeCode> code_;
};

}  // namespace lrp::text
