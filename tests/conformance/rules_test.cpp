// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Every rule on every op it admits: against the oracle in relevance form, in its three ways of writing, contiguous and as column slices;
// what it conserves or the exact amount it absorbs; and its difference from its neighbours. One header per rule, with the rule's stem.
#include "conformance/rule_epsilon.hpp"
#include "conformance/rule_gamma.hpp"
#include "conformance/rule_gradient.hpp"
#include "conformance/rule_identity.hpp"
#include "conformance/rule_relevance_form.hpp"
#include "conformance/rule_stop.hpp"
#include "conformance/rule_taylor.hpp"
#include "conformance/rule_uniform.hpp"
