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

TEST_CASE("added tokens: a vocabulary may hold the empty token, and a token that strips both ways keeps its place") {
    const auto ids = [](const std::string& file, const std::string& text) { return Tokenizer::from_json(file, "file").encode(text).ids; };
    auto json = nlohmann::json::parse(file_with("/added_tokens", R"([{"content":"<|e|>","special":true}])"));
    json["model"]["vocab"] = nlohmann::json::parse(R"({"":0,"a":1,"b":2})");
    json["model"]["merges"] = nlohmann::json::array();
    CHECK(ids(json.dump(), "a<|e|>b") == std::vector<std::int32_t>{1, 3, 2});
    const Encoding strips = Tokenizer::from_json(file_with("/added_tokens", R"([{"content":"<|e|>","special":true,"rstrip":true},{"content":"\n","lstrip":true,"normalized":false}])"), "t").encode("a<|e|>\n  b");
    CHECK((strips.ids == std::vector<std::int32_t>{0, 3, 4, 1}));
    for (const auto& [begin, end] : strips.offsets) CHECK(begin <= end);
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

namespace {

/// The pieces that a pre-tokenizer makes.
std::vector<std::string> pieces(const std::string& section, const std::string& text) {
    const auto json = nlohmann::json::parse(section);
    text::Pieces out;
    text::make_pre_tokenizer(&json, "t")(text::AlignedText(text), out);
    std::vector<std::string> words;
    for (const auto& piece : out) words.push_back(piece.text);
    return words;
}
/// A tokenizer of this vocabulary and merges, with more said of the model and of the file.
Tokenizer tokenizer_of(const std::string& vocab, const std::string& merges, const std::string& model, const std::string& file) {
    auto json = nlohmann::json::parse(file_with("/model/vocab", vocab));
    json["model"]["merges"] = nlohmann::json::parse(merges);
    json["model"].update(nlohmann::json::parse(model));
    json.update(nlohmann::json::parse(file));
    return Tokenizer::from_json(json.dump(), "t");
}
using Ids = std::vector<std::int32_t>;
using Spans = std::vector<std::pair<std::size_t, std::size_t>>;

}  // namespace

TEST_CASE("what a splitting pattern matched, in the five ways, and turned round") {
    using Words = std::vector<std::string>;
    const auto cut = [](const std::string& more) { return pieces(R"({"type":"Split","pattern":{"String":"-"},)" + more + "}", "the-final--countdown"); };
    CHECK(cut(R"("behavior":"Removed")") == Words{"the", "final", "countdown"});
    CHECK(cut(R"("behavior":"Removed","invert":true)") == Words{"-", "-", "-"});
    CHECK(cut(R"("behavior":"Isolated")") == Words{"the", "-", "final", "-", "-", "countdown"});
    CHECK(cut(R"("behavior":"MergedWithPrevious")") == Words{"the-", "final-", "-", "countdown"});
    CHECK(cut(R"("behavior":"MergedWithNext")") == Words{"the", "-final", "-", "-countdown"});
    CHECK(cut(R"("behavior":"Contiguous")") == Words{"the", "-", "final", "--", "countdown"});
}

TEST_CASE("pre-tokenizers of whom the file says no more than the type") {
    using Words = std::vector<std::string>;
    CHECK(pieces(R"({"type":"ByteLevel"})", "a b") == Words{"\xC4\xA0" "a", "\xC4\xA0" "b"});
    CHECK(pieces(R"({"type":"Metaspace","replacement":"_"})", "a b") == Words{"_a", "_b"});
    CHECK(pieces(R"({"type":"Digits"})", "a12b") == Words{"a", "12", "b"});
    CHECK(pieces(R"({"type":"Digits","individual_digits":true})", "a1\xC2\xB2" "b") == Words{"a", "1", "\xC2\xB2", "b"});
}

TEST_CASE("the options of BPE, and what holds without them") {
    const std::string pair = R"({"a":0,"b":1,"ab":2})";
    CHECK(tokenizer_of(pair, "[]", R"({"ignore_merges":true})", "{}").encode("ab").ids == Ids{2});
    CHECK(tokenizer_of(pair, "[]", "{}", "{}").encode("ab").ids == Ids{0, 1});
    const Tokenizer inner = tokenizer_of(R"({"a":0,"b":1,"ab":2,"##b":3,"##a":4})", R"(["a ##b"])", R"({"continuing_subword_prefix":"##"})", "{}");
    CHECK((inner.encode("ab").ids == Ids{2} && inner.encode("ba").ids == Ids{1, 4}));
    const Tokenizer last = tokenizer_of(R"({"a":0,"a/":1,"b/":2,"ab/":3})", R"(["a b/"])", R"({"end_of_word_suffix":"/"})", "{}");
    CHECK((last.encode("a").ids == Ids{1} && last.encode("aab").ids == Ids{0, 3}));
    const std::string unknown = R"({"a":0,"?":1})";
    const Encoding fused = tokenizer_of(unknown, "[]", R"({"unk_token":"?","fuse_unk":true})", "{}").encode("xyaxz");
    CHECK((fused.ids == Ids{1, 0, 1} && fused.offsets == Spans{{0, 2}, {2, 3}, {3, 5}}));
    CHECK(tokenizer_of(unknown, "[]", R"({"unk_token":"?"})", "{}").encode("xy").ids == Ids{1, 1});
    const std::string byte = R"({"a":0,"<0x7A>":1})";
    CHECK(tokenizer_of(byte, "[]", R"({"byte_fallback":true})", "{}").encode("az").ids == Ids{0, 1});
    CHECK(tokenizer_of(byte, "[]", "{}", "{}").encode("az").ids == Ids{0});
}

TEST_CASE("decoders: byte tokens that are no text, what is spelled like one, and the space before the first word") {
    const std::string vocab = R"({"<0xE4>":0,"<0xBD>":1,"<0x1G>":2,"_a":3})", sign = "\xEF\xBF\xBD";
    const Tokenizer fallback = tokenizer_of(vocab, "[]", "{}", R"({"decoder":{"type":"ByteFallback"}})");
    CHECK(fallback.decode(Ids{0, 1, 2}) == sign + sign + "<0x1G>");
    const auto metaspace = [&](const std::string& more) { return tokenizer_of(vocab, "[]", "{}", R"({"decoder":{"type":"Metaspace","replacement":"_")" + more + "}}").decode(Ids{3, 3}); };
    CHECK((metaspace("") == "a a" && metaspace(R"(,"add_prefix_space":false)") == " a a" && metaspace(R"(,"prepend_scheme":"never")") == " a a"));
}

TEST_CASE("byte-level offsets: the space that was put in is none of the text's, wherever the piece begins and whatever the template added") {
    const std::string vocab = R"({"\u0120":0,"x":1,"\u0120x":2,"<s>":3})", merges = R"([["\u0120","x"]])";
    const auto offsets = [&](const std::string& file, const std::string& text) { return tokenizer_of(vocab, merges, "{}", file).encode(text).offsets; };
    const std::string trims = R"("post_processor":{"type":"ByteLevel"})";
    CHECK(offsets(R"({"pre_tokenizer":{"type":"ByteLevel"},)" + trims + "}", "x x") == Spans{{0, 1}, {2, 3}});
    CHECK(offsets(R"({"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"String":"-"},"behavior":"Removed"},{"type":"ByteLevel"}]},)" + trims + "}", "-x") ==
          Spans{{1, 2}});
    CHECK(offsets(R"({"pre_tokenizer":{"type":"ByteLevel"},"post_processor":{"type":"Sequence","processors":[{"type":"TemplateProcessing",
                  "single":[{"SpecialToken":{"id":"<s>"}},{"Sequence":{"id":"A"}}],"special_tokens":{"<s>":{"ids":[3]}}},{"type":"ByteLevel"}]}})", "x") == Spans{{0, 0}, {0, 1}});
}

TEST_CASE("added tokens: one inside another, words beside them, and which text they are looked for in") {
    const std::string vocab = R"({"x":0,"y":1,"_":2})";
    const auto with = [&](const std::string& tokens, const std::string& more = "") { return tokenizer_of(vocab, "[]", "{}", R"({"added_tokens":)" + tokens + more + "}"); };
    CHECK(with(R"([{"content":"xyx"},{"content":"yx"}])").encode("xyxyx").ids == Ids{3, 4});
    const Tokenizer word = with(R"([{"content":"y","single_word":true},{"content":"z","single_word":true}])");
    CHECK((word.encode("_z").ids == Ids{2} && word.encode("z _").ids == Ids{3, 2} && word.encode("z_").ids == Ids{2}));
    const std::string capital = R"(,"normalizer":{"type":"Replace","pattern":{"String":"y"},"content":"Z"})";
    CHECK(with(R"([{"content":"Z"}])", capital).encode("xy").ids == Ids{0, 3});
    CHECK(with(R"([{"content":"Z","special":true}])", capital).encode("xy").ids == Ids{0});
    const Tokenizer special = with(R"([{"content":"xx","special":true,"normalized":true}])");
    CHECK((special.encode("xx").ids == Ids{3} && special.encode("xx", {.special_in_text = false}).ids == Ids{0, 0}));
    const Tokenizer bytes = tokenizer_of(R"({"x":0,"<0x0A>":1})", "[]", "{}", R"({"decoder":{"type":"ByteLevel"},"added_tokens":[{"content":"\u00e9"}]})");
    CHECK((bytes.token_text(2) == "\xC3\xA9" && !bytes.is_byte(1)));
    CHECK(tokenizer_of(R"({"x":0,"<0x0A>":1})", "[]", "{}", "{}").is_byte(1));
}
