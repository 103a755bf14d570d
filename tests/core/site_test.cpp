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
    for (const char* bad : {"", "neuron", "layers..neuron", "layers.x.neuron", "layers.1.neurons", "layers.1.neuron ", "blocks.-1.mlp.hook_post", "layers.99999999999999999999.q"})
        CHECK_THROWS_AS(parse_site(bad), UsageError);
    CHECK_THROWS_WITH(parse_site("neuron"), Catch::Matchers::Contains("such as 'embedding', 'layers.3.neuron'"));
}
