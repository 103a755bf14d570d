// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// Backends by name, with a list that has all there can be: built, left out, and built for a machine that lacks the device.
#include "../../examples/cli/backend_choice.hpp"

#include "support/catch.hpp"

namespace lrp::cli {
class Engine {};
struct EngineRequest {};
}  // namespace lrp::cli

using namespace lrp;
using namespace lrp::cli;
using Catch::Matchers::Equals;

namespace {

std::unique_ptr<Engine> make(const EngineRequest&) { return nullptr; }
std::string nothing() { return ""; }
std::string no_device() { return "no CUDA device: no CUDA-capable device is detected"; }

const std::vector<BackendEntry> all{{"eigen", make}, {"xtensor", nullptr}, {"cuda", make, no_device}, {"other", make, nothing}};

}  // namespace

TEST_CASE("a backend is chosen by name, or refused with what there is") {
    CHECK(choose_backend(all, "eigen").name == std::string("eigen"));
    CHECK(choose_backend(all, "other").name == std::string("other"));
    const auto message = [](const char* name) {
        try {
            (void)choose_backend(all, name);
        } catch (const UsageError& error) {
            return std::string("2: ") + error.what();
        } catch (const Error& error) {
            return std::string("1: ") + error.what();
        }
        return std::string("chosen");
    };
    CHECK_THAT(message("tpu"), Equals("2: backend: 'tpu' is not known; there is: eigen, other"));
    CHECK_THAT(message("eige"), Equals("2: backend: 'eige' is not known; there is: eigen, other"));
    CHECK_THAT(message("xtensor"), Equals("2: backend: 'xtensor' is not in this program (built without it); there is: eigen, other"));
    CHECK_THAT(message("cuda"), Equals("1: backend: 'cuda' cannot run here (no CUDA device: no CUDA-capable device is detected); there is: eigen, other"));
}
