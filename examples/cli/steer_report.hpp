// SPDX-FileCopyrightText: 2026 The lrpxx authors
// SPDX-License-Identifier: BSD-3-Clause
//
// `lrp steer --report`: a set of units at multipliers from 0 to 2, beside random units.
#pragma once

#include "steering_options.hpp"

namespace lrp::cli {

struct ReportCommand {
    bool report = false;
    std::string file, relevance_file, against_file, neutral, target_words, target_tokens, multipliers = "0,0.25,0.5,0.75,1,1.25,1.5,1.75,2", json, html, svg, title;
    SteeringReportOptions options;
};
void add_report_options(CLI::App& command, ReportCommand& report);

/// UsageError where an option belongs to a report and there is none.
void check_no_report(const ReportCommand& report);

void run_report(const ModelOptions& model, const SteeringOptions& steering, const GenerationOptions& generation, ReportCommand report);

}  // namespace lrp::cli
