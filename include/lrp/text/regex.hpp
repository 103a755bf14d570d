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

/// A pattern as tokenizer.json spells it, in Ruby's syntax, with Unicode properties, said again for PCRE2 with the same meaning: ^ and $ are those of lines, \h is a
/// hexadecimal digit, X{1,3}+ repeats what X{1,3} matches, and \s and \S are spelled out (Unicode's White_Space; PCRE2's would also take U+180E). Thread-safe.
/// Error naming the source for a pattern that does not compile, for one that cannot be said (set operations, sets in sets, (?m), X{2,3}+), and for one that gives
/// up on a text for want of its (bounded) resources.
class Regex {
  public:
    Regex(const std::string& pattern, const std::string& source) : source_(source) {
        const std::string spelled = Translation(pattern, source).text();
        const std::unique_ptr<pcre2_compile_context, FreeCompileContext> lines(pcre2_compile_context_create(nullptr));
        require(lines != nullptr, source, ": out of memory");
        pcre2_set_newline(lines.get(), PCRE2_NEWLINE_LF);
        int code = 0;
        PCRE2_SIZE at = 0;
        code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(spelled.data()), spelled.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &code, &at, lines.get()));
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
    struct FreeCompileContext {
        void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
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

    /// A pattern of Ruby's syntax said in PCRE2's.
    class Translation {
      public:
        Translation(std::string_view pattern, const std::string& source) : pattern_(pattern), source_(source) {
            while (at_ < pattern_.size()) {
                if (next_is("\\")) {
                    escape();
                } else if (in_class_) {
                    class_member();
                } else if (next_is("[")) {
                    begin_class();
                } else if (next_is("(?")) {
                    group();
                } else if (const std::size_t length = counted_repeat(); length > 0) {
                    repeat(length);
                } else {
                    take(1);
                }
            }
        }
        [[nodiscard]] const std::string& text() const { return out_; }

      private:
        [[nodiscard]] bool next_is(std::string_view what) const { return pattern_.substr(at_).starts_with(what); }
        void take(std::size_t count) {
            out_ += pattern_.substr(at_, count);
            at_ += count;
        }
        [[noreturn]] void refuse(const std::string& what) const { fail(source_, ": the pattern '", pattern_, "' has ", what, ", which is not supported"); }

        void escape() {
            static const std::string space = R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
            // A negated \S cannot stand inside a class with others, so its complement does.
            static const std::string rest =
                R"(\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff})";
            static const std::string hex = "0-9A-Fa-f", no_hex = R"(\x{0}-\x{2f}\x{3a}-\x{40}\x{47}-\x{60}\x{67}-\x{10ffff})";
            const auto set = [&](const std::string& members) {
                out_ += in_class_ ? members : "[" + members + "]";
                at_ += 2;
            };
            if (next_is("\\s")) return set(space);
            if (next_is("\\S")) return set(rest);
            if (next_is("\\h")) return set(hex);
            if (next_is("\\H")) return set(no_hex);
            take(2);
        }
        void begin_class() {
            in_class_ = true;
            take(next_is("[^") ? 2 : 1);
            if (!next_is("]")) return;
            out_ += "\\]";
            ++at_;
        }
        void class_member() {
            if (next_is("&&")) refuse("an intersection of sets ('&&')");
            if (next_is("[")) {
                const std::size_t end = next_is("[:") ? pattern_.find(":]", at_) : std::string_view::npos;
                if (end == std::string_view::npos) refuse("a set in a set");
                return take(end + 2 - at_);
            }
            in_class_ = !next_is("]");
            take(1);
        }
        /// Ruby's (?m) lets a dot match line ends, PCRE2's is about ^ and $.
        void group() {
            const std::size_t end = pattern_.find_first_not_of("imx-", at_ + 2);
            const bool flags = end != std::string_view::npos && end > at_ + 2 && (pattern_[end] == ':' || pattern_[end] == ')');
            if (flags && pattern_.substr(at_, end - at_).find('m') != std::string_view::npos) refuse("the option 'm'");
            take(2);
        }
        /// Length of "{n}+" and the like, where it stands.
        [[nodiscard]] std::size_t counted_repeat() const {
            if (!next_is("{")) return 0;
            const std::size_t end = pattern_.find_first_not_of("0123456789,", at_ + 1);
            return end != std::string_view::npos && end > at_ + 1 && pattern_.substr(end).starts_with("}+") ? end + 2 - at_ : 0;
        }
        /// Of what was counted, once more any number: in PCRE2 the plus would only forbid to give back.
        void repeat(std::size_t length) {
            const std::string_view least = pattern_.substr(at_ + 1, pattern_.find_first_of(",}", at_) - at_ - 1);
            const bool none = least.find_first_not_of('0') == std::string_view::npos;
            if (!none && least != "1") refuse("'" + std::string(pattern_.substr(at_, length)) + "'");
            out_ += none ? '*' : '+';
            at_ += length;
        }

        std::string_view pattern_;
        const std::string& source_;
        std::size_t at_ = 0;
        bool in_class_ = false;
        std::string out_;
    };

    std::string source_;
    std::unique_ptr<pcre2_code, FreeCode> code_;
};

}  // namespace lrp::text
