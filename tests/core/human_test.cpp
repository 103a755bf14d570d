// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/human.hpp>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("sizes are read in powers of 1024") {
    CHECK((counted(0, "token") == "0 tokens" && counted(1, "token") == "1 token" && counted(2, "unit") == "2 units"));
    CHECK(human_bytes(0) == "0 B");
    CHECK(human_bytes(1023) == "1023 B");
    CHECK(human_bytes(1024) == "1.0 KiB");
    CHECK(human_bytes(1536) == "1.5 KiB");
    CHECK(human_bytes(std::uint64_t{5} << 30) == "5.0 GiB");
    CHECK(human_bytes(std::uint64_t{3} << 50) == "3072.0 TiB");
}

TEST_CASE("times are read off a clock, rounded up") {
    CHECK(human_clock(0) == "0:00");
    CHECK(human_clock(6.1) == "0:07");
    CHECK(human_clock(59.5) == "1:00");
    CHECK(human_clock(725) == "12:05");
    CHECK(human_clock(10800) == "3:00:00");
}

TEST_CASE("sizes are written with K, M or G, or not understood") {
    CHECK(parse_bytes("0") == 0);
    CHECK(parse_bytes("17") == 17);
    CHECK(parse_bytes("3K") == 3072);
    CHECK(parse_bytes("5M") == 5242880);
    CHECK(parse_bytes("2G") == 2147483648);
    CHECK(parse_bytes("17179869183G") == 17179869183 << 30);
    for (const char* text : {"", "G", "2T", "-1", "1.5G", "2 G", "17179869184G", "99999999999999999999"}) CHECK(!parse_bytes(text));
}
