// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
#include <lrp/core/site.hpp>

#include "support/catch.hpp"

using namespace lrp;

TEST_CASE("every site has a name that reads back, and an alias") {
    for (std::size_t i = 0; i < site_names.size(); ++i) {
        const auto& entry = site_names[i];
        CHECK(static_cast<std::size_t>(entry.site) == i);
        const SiteRef ref{entry.site, entry.per_layer ? 12 : 0};
        const SiteRef read = parse_site(ref.text());
        CHECK((read.site == ref.site && read.layer == ref.layer));
        std::string alias(entry.alias);
        if (entry.per_layer) alias.replace(alias.find("{}"), 2, "12");
        const SiteRef aliased = parse_site(alias);
        CHECK((aliased.site == ref.site && aliased.layer == ref.layer));
    }
}

TEST_CASE("what is no site is refused with an example") {
    for (const char* bad : {"", "neuron", "layers..neuron", "layers.x.neuron", "layers.1.neurons", "layers.1.neuron ",
                            "blocks.-1.mlp.hook_post", "layers.99999999999999999999.q"})
        CHECK_THROWS_AS(parse_site(bad), UsageError);
    CHECK_THROWS_WITH(parse_site("neuron"), Catch::Matchers::Contains("such as 'embedding', 'layers.3.neuron'"));
}

TEST_CASE("names and aliases are one to one") {
    for (std::size_t i = 0; i < site_names.size(); ++i)
        for (std::size_t j = 0; j < i; ++j) {
            CHECK(site_names[i].name != site_names[j].name);
            CHECK(site_names[i].alias != site_names[j].alias);
        }
    CHECK(parse_site("blocks.7.mlp.hook_post").text() == "layers.7.neuron");
    CHECK(parse_site("blocks.0.attn.hook_z").text() == "layers.0.head");
    CHECK(parse_site("blocks.3.hook_resid_post").text() == "layers.3.resid_post");
    CHECK(site_name(Site::final_norm) == "final_norm");
}

TEST_CASE("a site of no layer takes none, and a site of a layer needs one") {
    for (const char* bad : {"layers.0.embedding", "layers.0.logits", "resid_post", "layers.1", "layers.1.", "layers.+1.q", "layers.1.2.q",
                            "blocks.1.mlp", "Layers.1.q", "layers.0x1.q"}) {
        INFO(bad);
        CHECK_THROWS_AS(parse_site(bad), UsageError);
        CHECK_THROWS_WITH(parse_site(bad), Catch::Matchers::Contains(bad));
    }
}
