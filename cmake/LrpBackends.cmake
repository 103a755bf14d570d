# SPDX-FileCopyrightText: 2026 The lrpxx authors
# SPDX-License-Identifier: BSD-3-Clause
#
# The backends beside the reference, which is part of lrpxx::core. One line each; docs/how_to/add_a_backend.md appends one.
lrp_find(EIGEN Eigen3)
if(LRP_HAS_EIGEN)
    lrp_backend(eigen lrp::EigenBackend Eigen3::Eigen)
endif()
