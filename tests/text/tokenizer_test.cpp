// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/text/tokenizer.hpp>

#include <random>
#include <thread>

#include "support/catch.hpp"

using namespace lrp;
using Catch::Matchers::Contains;

namespace {

const std::filesystem::path tokenizers = std::filesystem::path(LRP_TEST_DATA) / "golden/text";

/// A small file with parts replaced.
std::string file_with(const std::string& key, const std::string& value) {
    nlohmann::json json = nlohmann::json::parse(R"({"version":"1.0","added_tokens":[],"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,
        "model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":["a b"]}})");
    json[nlohmann::json::json_pointer(key)] = nlohmann::json::parse(value);
    return json.dump();
}

}  // namespace

TEST_CASE("a tokenizer.json that must be refused, by section") {
    struct Case {
        std::string key, value, message;
    };
    const std::vector<Case> cases{
        {"/version", "\"2.0\"", "version: expected 1.0, found '2.0'"},
        {"/model", "null", "model is missing"},
        {"/model", "[]", "model: expected a JSON object, found array"},
        {"/model/type", "\"Unigram\"", "model: type: expected BPE, found 'Unigram'"},
        {"/model/vocab", "[]", "model: vocab: expected an object of tokens and ids"},
        {"/model/vocab/a", "-1", "vocab: 'a': expected an id below"},
        {"/model/vocab/a", "1", "have the same id 1"},
        {"/model/vocab/a", "\"0\"", "vocab: 'a': expected an id below"},
        {"/model/vocab/a", "4000000000000", "vocab: 'a': expected an id below"},
        {"/model/merges", "{}", "merges: expected a list"},
        {"/model/merges", "[\"a\"]", "merges: entry 0: expected two tokens with a space between them, found 'a'"},
        {"/model/merges", "[\"a b c\"]", "expected two tokens with a space between them"},
        {"/model/merges", "[[\"a\"]]", "merges: entry 0: expected two tokens, found [\"a\"]"},
        {"/model/merges", "[[\"a\",\"c\"]]", "token 'c' is not in the vocabulary"},
        {"/model/merges", "[[\"b\",\"a\"]]", "token 'ba' is not in the vocabulary"},
        {"/model/unk_token", "\"<unk>\"", "unk_token: '<unk>' is not in the vocabulary"},
        {"/model/dropout", "0.1", "dropout: expected none, found 0.1"},
        {"/normalizer", R"({"type":"Lowercase"})", "normalizer: type: expected Sequence, Prepend, Replace or NFC, found 'Lowercase'"},
        {"/normalizer", R"({"type":"Replace","content":"x"})", "Replace: pattern is missing"},
        {"/normalizer", R"({"type":"Replace","pattern":{"Regex":"("},"content":"x"})", "the pattern '(' does not compile"},
        {"/pre_tokenizer", R"({"type":"Whitespace"})", "pre_tokenizer: type: expected Sequence, Split, ByteLevel, Metaspace or Digits, found 'Whitespace'"},
        {"/pre_tokenizer", R"({"type":"Split","pattern":{"String":" "},"behavior":"Cut"})", "behavior: expected Removed"},
        {"/pre_tokenizer", R"({"type":"Metaspace","replacement":"ab"})", "replacement: expected one character, found 'ab'"},
        {"/pre_tokenizer", R"({"type":"Metaspace","replacement":"_","prepend_scheme":"last"})", "prepend_scheme: expected always, first or never, found 'last'"},
        {"/pre_tokenizer", "7", "pre_tokenizer: expected a JSON object, found number"},
        {"/post_processor", R"({"type":"BertProcessing"})", "post_processor: type: expected Sequence, TemplateProcessing or ByteLevel, found 'BertProcessing'"},
        {"/post_processor", R"({"type":"TemplateProcessing","single":[],"special_tokens":{}})", "expected the sequence exactly once"},
        {"/post_processor",
         R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"ids":[99]}}})",
         "expected a token id below 3, found 99"},
        {"/decoder", R"({"type":"CTC"})", "decoder: type: expected Sequence, ByteLevel"},
        {"/added_tokens", "{}", "added_tokens: expected a list"},
        {"/added_tokens", R"([{"id":3}])", "added_tokens: entry 0: content is missing"},
        {"/added_tokens", R"([{"content":"x","special":1}])", "special: expected true or false, found 1"},
    };
    for (const Case& one : cases) {
        INFO(one.key << " = " << one.value);
        CHECK_THROWS_WITH(Tokenizer::from_json(file_with(one.key, one.value), "tokenizer.json"), Contains("tokenizer.json") && Contains(one.message));
    }
    CHECK_THROWS_WITH(Tokenizer::from_json("{", "tokenizer.json"), Contains("not valid JSON"));
    CHECK_THROWS_WITH(Tokenizer::from_json(std::string(1000, '['), "tokenizer.json"), Contains("nests deeper"));
}

TEST_CASE("text and ids that must be refused") {
    const Tokenizer tokenizer = Tokenizer::from_file(tokenizers / "llama3.json");
    CHECK_THROWS_WITH(tokenizer.encode("ab\xC3(c"), Contains("not UTF-8 at byte 2"));
    CHECK_THROWS_WITH(tokenizer.encode("\xED\xA0\x80"), Contains("not UTF-8 at byte 0"));
    const std::vector<std::int32_t> bad{0, 99999};
    CHECK_THROWS_WITH(tokenizer.decode(bad), Contains("expected a token id below 706, found 99999"));
    CHECK_THROWS_AS(tokenizer.token_text(-1), Error);
}

TEST_CASE("control tokens in the text can be plain text, and the template can be left out") {
    const Tokenizer tokenizer = Tokenizer::from_file(tokenizers / "llama3.json");
    const auto control = tokenizer.encode("a<|eot|>b");
    CHECK(control.added[0]);
    CHECK(std::count(control.ids.begin(), control.ids.end(), *tokenizer.token_to_id("<|eot|>")) == 1);
    const auto plain = tokenizer.encode("a<|eot|>b", {.add_special_tokens = false, .special_in_text = false});
    CHECK(std::none_of(plain.ids.begin(), plain.ids.end(), [&](std::int32_t id) { return tokenizer.is_special(id); }));
    CHECK(tokenizer.decode(plain.ids) == "a<|eot|>b");
    CHECK(tokenizer.decode(control.ids, true) == "ab");
}

TEST_CASE("byte-level offsets: of several blanks at the beginning none was put in") {
    auto json = nlohmann::json::parse(read_text_file(tokenizers / "gpt2_prefix.json"));
    json["added_tokens"] = nlohmann::json::array();
    const std::string blank = "\xC4\xA0";
    json["model"]["vocab"][blank + blank] = 700;
    json["model"]["merges"].insert(json["model"]["merges"].begin(), nlohmann::json::array({blank, blank}));
    const Tokenizer tokenizer = Tokenizer::from_json(json.dump(), "test");
    using Offsets = std::vector<std::pair<std::size_t, std::size_t>>;
    const auto offsets = [&](const std::string& text) { return tokenizer.encode(text).offsets; };
    // As tokenizers 0.21.4 has them.
    CHECK(offsets(" ") == Offsets{{0, 0}});
    CHECK(offsets("  ") == Offsets{{2, 2}});
    CHECK(offsets("   ") == Offsets{{2, 2}, {3, 3}});
    CHECK(offsets("    ") == Offsets{{2, 2}, {4, 4}});
    CHECK(offsets("x") == Offsets{{0, 1}});
    CHECK(offsets("   x") == Offsets{{2, 2}, {3, 4}});
}

TEST_CASE("one token's text, for people") {
    const Tokenizer bytes = Tokenizer::from_file(tokenizers / "llama3.json");
    CHECK(bytes.token_text(bytes.encode(" the", {.add_special_tokens = false}).ids.at(0)) == " the");
    const auto pieces = bytes.encode("\xF0\x9F\xA7\xBF", {.add_special_tokens = false});
    REQUIRE(pieces.ids.size() > 1);
    CHECK(bytes.token_text(pieces.ids.back()).substr(0, 2) == "\\x");
    CHECK(pieces.offsets.back() == std::pair<std::size_t, std::size_t>(0, 4));
    const Tokenizer sentencepiece = Tokenizer::from_file(tokenizers / "llama2.json");
    CHECK(sentencepiece.token_text(sentencepiece.encode("the").ids.at(1)) == " the");
    CHECK(sentencepiece.token_text(*sentencepiece.token_to_id("<0xE4>")) == "\\xE4");
}

TEST_CASE("the one token that a text is") {
    const Tokenizer tokenizer = Tokenizer::from_file(tokenizers / "llama3.json");
    const auto the = tokenizer.one_token(" the");
    REQUIRE(the);
    CHECK((tokenizer.token_text(*the) == " the" && tokenizer.encode("x the").ids.back() == *the && tokenizer.one_token("the") != the));
    CHECK(tokenizer.one_token("<|begin_of_text|>") == tokenizer.token_to_id("<|begin_of_text|>"));
    CHECK((!tokenizer.one_token("") && !tokenizer.one_token(" the the")));
}

TEST_CASE("an added token's declared id is not trusted") {
    const auto file = nlohmann::json::parse(file_with("/added_tokens", R"([{"id":999,"content":"<x>","special":true,"normalized":false}])")).dump();
    const Tokenizer tokenizer = Tokenizer::from_json(file, "t");
    CHECK(*tokenizer.token_to_id("<x>") == 3);
    const auto& facts = tokenizer.facts();
    CHECK(std::any_of(facts.begin(), facts.end(), [](const auto& fact) { return fact.first == "warning" && fact.second.find("999") != std::string::npos; }));
}

TEST_CASE("added tokens: ids behind as many as the vocabulary has, and one that begins in white space that another strips") {
    const auto ids = [](const std::string& file, const std::string& text) { return Tokenizer::from_json(file, "file").encode(text).ids; };
    const auto gaps = file_with("/model/vocab/ab", "7");
    auto json = nlohmann::json::parse(gaps);
    json["added_tokens"] = nlohmann::json::parse(R"([{"content":"<|x|>","special":true},{"content":"ab"},{"content":"<|y|>","special":true}])");
    CHECK(ids(json.dump(), "a<|x|>ab<|y|>") == std::vector<std::int32_t>{0, 3, 7, 8});
    json["added_tokens"] = nlohmann::json::parse(R"([{"content":"1"},{"content":"2"},{"content":"3"},{"content":"4"},{"content":"5"}])");
    CHECK_THROWS_WITH(Tokenizer::from_json(json.dump(), "file"), Contains("added_tokens: '5' gets id 7, which 'ab' has: the vocabulary has gaps"));
    const auto strips = file_with("/added_tokens", R"([{"content":"<|end|>","special":true,"rstrip":true},{"content":"\n\n","normalized":false}])");
    CHECK(ids(strips, "a<|end|>\n\nb") == std::vector<std::int32_t>{0, 3, 4, 1});
}

TEST_CASE("a megabyte without a space takes no quadratic time, and many threads share one tokenizer") {
    const Tokenizer tokenizer = Tokenizer::from_file(tokenizers / "llama2.json");
    std::mt19937 random(4);
    std::string text;
    for (int i = 0; i < 1'000'000; ++i) text += static_cast<char>('a' + random() % 26);
    const auto encoding = tokenizer.encode(text);
    CHECK(tokenizer.decode(encoding.ids, true) == text);
    std::vector<std::thread> threads;
    std::atomic<int> same{0};
    const auto expected = tokenizer.encode("Hello  world, caf\xC3\xA9!").ids;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&] {
            for (int k = 0; k < 200; ++k) same += tokenizer.encode("Hello  world, caf\xC3\xA9!").ids == expected;
        });
    for (auto& thread : threads) thread.join();
    CHECK(same == 800);
}

TEST_CASE("NFC composes as Unicode says") {
    const auto nfc = [](const std::string& text) {
        text::AlignedText aligned(text);
        text::make_normalizer(std::make_unique<nlohmann::json>(nlohmann::json{{"type", "NFC"}}).get(), "t")(aligned);
        CHECK(aligned.spans.size() == aligned.text.size());
        return aligned.text;
    };
    CHECK(nfc("e\xCC\x81") == "\xC3\xA9");
    CHECK(nfc("a\xCC\x82\xCC\xA3") == "\xE1\xBA\xAD");                     // marks in the other order
    CHECK(nfc("\xE1\x84\x80\xE1\x85\xA1\xE1\x86\xA8") == "\xEA\xB0\x81");  // Hangul
    CHECK(nfc("\u1100\u1161\u11a7x") == "\uac00\u11a7x");                 // no final consonant
    CHECK(nfc("\uac00\u11a7\u11a8") == "\uac00\u11a7\u11a8");
    CHECK(nfc("\xE0\xA5\x98") == "\xE0\xA4\x95\xE0\xA4\xBC");              // excluded from composition
    CHECK(nfc("\xE2\x84\xAB") == "\xC3\x85");                              // a singleton
    std::mt19937 random(9);                                                // against utf8proc's own normal form
    for (int i = 0; i < 3000; ++i) {
        std::string text;
        for (int k = 0; k < 6; ++k) {
            static const std::vector<std::pair<char32_t, char32_t>> ranges{{'a', 'z'},       {0x300, 0x345}, {0x1100, 0x1112}, {0x1161, 0x1175},
                                                                           {0x11a8, 0x11c2}, {0xc0, 0x17f},  {0x915, 0x95f},   {0x1e00, 0x1eff}};
            const auto [low, high] = ranges[random() % ranges.size()];
            utf8::append(text, low + static_cast<char32_t>(random() % (high - low + 1)));
        }
        auto* right = utf8proc_NFC(reinterpret_cast<const utf8proc_uint8_t*>(text.c_str()));
        const std::string expected = reinterpret_cast<const char*>(right);
        free(right);
        if (nfc(text) != expected) FAIL("differs for " << text);
    }
}
