// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#ifndef PCRE2_CODE_UNIT_WIDTH
#error "lrp/text/regex.hpp needs PCRE2_CODE_UNIT_WIDTH=8 on the command line (the target lrpxx::text sets it)"
#endif
#include <pcre2.h>

#include <array>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <lrp/core/error.hpp>
#include <lrp/text/aligned_text.hpp>

namespace lrp::text {

/// A pattern as tokenizer.json spells it, in Ruby's syntax as Oniguruma reads it, with Unicode properties, said again for PCRE2 with the same meaning: ^ and $ are
/// those of lines, \h is a hexadecimal digit, X{1,3}+ repeats what X{1,3} matches, a property that names a script means the script alone (not its extensions), and
/// \w, \b, \s and the classes of POSIX are spelled out. Thread-safe. Error naming the source for a pattern that does not compile, for one that cannot be said (set
/// operations, sets in sets, (?m), X{2,3}+), and for one that gives up on a text for want of its (bounded) resources.
class Regex {
  public:
    Regex(const std::string& pattern, const std::string& source) : source_(source) {
        int code = 0;
        code_ = compile(Translation(pattern, source).text(), code);
        require(code_ != nullptr, source, ": the pattern '", pattern, "' does not compile (", message(code), ")");
        pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE);  // without a compiler for this machine, matching interprets
    }

    /// The matches in `text` (valid UTF-8) and the stretches between them; they cover the text. A match may be empty, but not where the one before ended.
    [[nodiscard]] std::vector<Match> find_all(std::string_view text) const {
        if (text.empty()) return {};
        const std::unique_ptr<pcre2_match_data, FreeData> data(pcre2_match_data_create(1, nullptr));
        const std::unique_ptr<pcre2_match_context, FreeContext> limits(pcre2_match_context_create(nullptr));
        require(data && limits, source_, ": out of memory");
        pcre2_set_match_limit(limits.get(), 50'000'000);
        pcre2_set_depth_limit(limits.get(), 1'000'000);
        std::vector<Match> found;
        std::size_t covered = 0;
        for (std::size_t at = 0; at <= text.size();) {
            const int result = pcre2_match(code_.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at, PCRE2_NO_UTF_CHECK, data.get(), limits.get());
            if (result == PCRE2_ERROR_NOMATCH) break;
            require(result >= 0, source_, ": matching gave up (", message(result), ")");
            const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data.get());
            const bool again = ends[0] == ends[1] && !found.empty() && ends[1] == covered;
            if (again) {
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

    static std::unique_ptr<pcre2_code, FreeCode> compile(const std::string& pattern, int& code) {
        const std::unique_ptr<pcre2_compile_context, FreeCompileContext> lines(pcre2_compile_context_create(nullptr));
        if (lines) pcre2_set_newline(lines.get(), PCRE2_NEWLINE_LF);
        PCRE2_SIZE at = 0;
        return std::unique_ptr<pcre2_code, FreeCode>(
            pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &code, &at, lines.get()));
    }
    static bool compiles(const std::string& pattern) {
        int code = 0;
        return compile(pattern, code) != nullptr;
    }
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
                } else if (next_is("{")) {
                    counted();
                } else {
                    take(1);
                }
            }
            if (in_class_) out_ += (negated_ ? "[^" : "[") + members_;  // for PCRE2 to refuse
        }
        [[nodiscard]] const std::string& text() const { return out_; }

      private:
        [[nodiscard]] bool next_is(std::string_view what) const { return pattern_.substr(at_).starts_with(what); }
        void take(std::size_t count) {
            (in_class_ ? members_ : out_) += pattern_.substr(at_, count);
            at_ += count;
        }
        [[noreturn]] void refuse(const std::string& what) const { fail(source_, ": the pattern '", pattern_, "' has ", what, ", which is not supported"); }

        // Sets of characters as the members of a class.
        inline static const std::string space = R"(\x{9}-\x{d}\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000})";
        inline static const std::string hex = "0-9A-Fa-f";
        /// Letters, marks, numbers that are digits or letters, connectors, and letters in circles and squares.
        inline static const std::string word = R"(\p{L}\p{M}\p{Nd}\p{Nl}\p{Pc}\x{24b6}-\x{24e9}\x{1f130}-\x{1f149}\x{1f150}-\x{1f169}\x{1f170}-\x{1f189})";
        /// Outside a class, and for \b, superscripts and fractions of Latin-1 too.
        inline static const std::string word_outside = word + R"(\x{b2}\x{b3}\x{b9}\x{bc}-\x{be})";

        /// The members of a class of POSIX; empty for a name that is none.
        static std::string posix(const std::string& name) {
            static const std::map<std::string, std::string> classes{
                {"alnum", R"(\p{Alphabetic}\p{Nd})"}, {"alpha", R"(\p{Alphabetic})"}, {"ascii", R"(\x{0}-\x{7f})"}, {"blank", R"(\x{9}\p{Zs})"}, {"cntrl", R"(\p{Cc})"},   {"digit", R"(\p{Nd})"},
                {"graph", R"(\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co})"}, {"lower", R"(\p{Lowercase})"}, {"print", R"(\p{L}\p{M}\p{N}\p{P}\p{S}\p{Cf}\p{Co}\p{Zs})"},
                {"punct", R"(\p{P}\p{S})"},           {"space", space},               {"upper", R"(\p{Uppercase})"},   {"xdigit", hex},          {"word", word}};
            const auto found = classes.find(name);
            if (found == classes.end()) return "";
            static const bool knows = compiles("\\p{Alphabetic}");  // PCRE2 since 10.40; before, its own classes are the nearest
            const bool newer = found->second.find("Alphabetic") != std::string::npos || found->second.find("case}") != std::string::npos;
            return newer && !knows ? "[:" + name + ":]" : found->second;
        }
        /// General categories by their long names.
        static std::string category(const std::string& plain) {
            static const std::map<std::string, std::string> names{
                {"letter", "L"}, {"uppercaseletter", "Lu"}, {"lowercaseletter", "Ll"}, {"titlecaseletter", "Lt"}, {"modifierletter", "Lm"}, {"otherletter", "Lo"},
                {"mark", "M"}, {"nonspacingmark", "Mn"}, {"spacingmark", "Mc"}, {"enclosingmark", "Me"}, {"number", "N"}, {"decimalnumber", "Nd"}, {"letternumber", "Nl"},
                {"othernumber", "No"}, {"punctuation", "P"}, {"connectorpunctuation", "Pc"}, {"dashpunctuation", "Pd"}, {"openpunctuation", "Ps"}, {"closepunctuation", "Pe"},
                {"initialpunctuation", "Pi"}, {"finalpunctuation", "Pf"}, {"otherpunctuation", "Po"}, {"symbol", "S"}, {"mathsymbol", "Sm"}, {"currencysymbol", "Sc"},
                {"modifiersymbol", "Sk"}, {"othersymbol", "So"}, {"separator", "Z"}, {"spaceseparator", "Zs"}, {"lineseparator", "Zl"}, {"paragraphseparator", "Zp"},
                {"other", "C"}, {"control", "Cc"}, {"format", "Cf"}, {"unassigned", "Cn"}, {"privateuse", "Co"}};
            const auto found = names.find(plain);
            return found == names.end() ? "" : found->second;
        }

        [[nodiscard]] const std::string& letters() const { return in_class_ ? word : word_outside; }

        /// A set, or all but a set, where the pattern stands.
        void add(const std::string& members, bool absent = false) {
            if (!in_class_) {
                out_ += (absent ? "[^" : "[") + members + "]";
            } else if (absent) {
                absent_.push_back(members);
            } else {
                members_ += members;
            }
        }
        void escape() {
            if (next_is("\\p{") || next_is("\\P{")) return property();
            if (next_is("\\p") || next_is("\\P")) refuse("'\\p' without braces");
            if (next_is("\\v")) {
                at_ += 2;
                return add("\\x{b}");
            }
            const char which = at_ + 1 < pattern_.size() ? pattern_[at_ + 1] : '\0';
            const bool edge = !in_class_ && (which == 'b' || which == 'B');
            const bool known = edge || std::string_view("sShHwW").find(which) != std::string_view::npos;
            if (!known || which == '\0') return take(2);
            at_ += 2;
            if (edge) {
                const std::string in = "[" + letters() + "]";
                out_ += which == 'b' ? "(?:(?<=" + in + ")(?!" + in + ")|(?<!" + in + ")(?=" + in + "))" : "(?:(?<=" + in + ")(?=" + in + ")|(?<!" + in + ")(?!" + in + "))";
            } else {
                add(which == 's' || which == 'S' ? space : which == 'h' || which == 'H' ? hex : letters(), which < 'a');
            }
        }
        /// \p{name}, \P{name}, \p{^name}: classes of POSIX by their names, general categories, scripts as scripts; what else there is goes to PCRE2 by the same name.
        void property() {
            const std::size_t end = pattern_.find('}', at_);
            if (end == std::string_view::npos) return take(2);
            std::string name(pattern_.substr(at_ + 3, end - at_ - 3));
            const bool caret = name.starts_with('^'), absent = caret != (pattern_[at_ + 1] == 'P');
            if (caret) name.erase(0, 1);
            at_ = end + 1;
            std::string plain;
            for (const char c : name)
                if (c != ' ' && c != '_' && c != '-') plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
            if (plain == "punct") return add(R"(\p{P})", absent);
            if (plain == "word") return add(letters(), absent);
            if (const std::string members = posix(plain); !members.empty()) return add(members, absent);
            if (const std::string brief = category(plain); !brief.empty()) name = brief;
            const bool script = compiles("\\p{sc:" + name + "}");
            (in_class_ ? members_ : out_) += std::string(absent ? "\\P{" : "\\p{") + (script ? "sc:" : "") + name + "}";
        }
        void begin_class() {
            in_class_ = true;
            negated_ = next_is("[^");
            members_.clear();
            absent_.clear();
            at_ += negated_ ? 2 : 1;
            if (!next_is("]")) return;
            members_ = "\\]";
            ++at_;
        }
        void class_member() {
            if (next_is("&&")) refuse("an intersection of sets ('&&')");
            if (next_is("[")) {
                const std::size_t end = next_is("[:") ? pattern_.find(":]", at_) : std::string_view::npos;
                if (end == std::string_view::npos) refuse("a set in a set");
                std::string name(pattern_.substr(at_ + 2, end - at_ - 2));
                const bool absent = name.starts_with('^');
                const std::string members = posix(absent ? name.substr(1) : name);
                if (members.empty()) refuse("the class '" + name + "'");
                add(members, absent);
                at_ = end + 2;
            } else if (next_is("]")) {
                end_class();
                ++at_;
            } else {
                take(1);
            }
        }
        /// Where all but a set is among the members, the class is a choice of classes, or what is in none of them.
        void end_class() {
            in_class_ = false;
            std::vector<std::string> parts;
            if (!members_.empty() || absent_.empty()) parts.push_back((negated_ ? "[^" : "[") + members_ + "]");
            for (const std::string& set : absent_) parts.push_back((negated_ ? "[" : "[^") + set + "]");
            if (parts.size() == 1) {
                out_ += parts[0];
                return;
            }
            out_ += "(?:";
            for (std::size_t i = 0; i < parts.size(); ++i) {
                const bool last = i + 1 == parts.size();
                out_ += negated_ ? (last ? parts[i] : "(?=" + parts[i] + ")") : parts[i] + (last ? "" : "|");
            }
            out_ += ')';
        }
        /// Ruby's (?m) lets a dot match line ends, PCRE2's is about ^ and $.
        void group() {
            const std::size_t end = pattern_.find_first_not_of("imx-", at_ + 2);
            const bool flags = end != std::string_view::npos && end > at_ + 2 && (pattern_[end] == ':' || pattern_[end] == ')');
            if (flags && pattern_.substr(at_, end - at_).find('m') != std::string_view::npos) refuse("the option 'm'");
            take(2);
        }
        /// {,n} is {0,n}; {n}? is X{n} or nothing, and not what PCRE2 takes it for.
        void counted() {
            const std::string_view rest = pattern_.substr(at_);
            const auto digits = [&](std::size_t from) { return std::min(rest.size(), rest.find_first_not_of("0123456789", from)); };
            const std::size_t first = digits(1), last = digits(2);
            if (first > 1 && rest.substr(first).starts_with("}?")) refuse("'" + std::string(rest.substr(0, first + 2)) + "'");
            if (!rest.starts_with("{,") || last == 2 || !rest.substr(last).starts_with("}")) return take(1);
            out_ += "{0";
            ++at_;
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
        bool in_class_ = false, negated_ = false;
        std::string members_;              // of the class that is being read
        std::vector<std::string> absent_;  // sets of which all that is not in them is in it too
        std::string out_;
    };

    std::string source_;
    std::unique_ptr<pcre2_code, FreeCode> code_;
};

}  // namespace lrp::text
