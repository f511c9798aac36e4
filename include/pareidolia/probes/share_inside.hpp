// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/rows.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/core/view.hpp>
#include <pareidolia/detail/vectors.hpp>

#include <cmath>
#include <cstddef>
#include <vector>

namespace pareidolia {

/// How much of each perturbation r lies inside a subspace: ||P_S r|| / ||r||, 1 inside and 0 across; 0 for r = 0. A random r has about
/// sqrt(m / d).
///
/// subspace (m, d), orthonormal rows; perturbations (count, d). Errors: vectors of another length.
///
///     auto const shares = share_inside(shared.curved, as_view(perturbations));
[[nodiscard]] inline std::vector<double> share_inside(tensor<float, 2> const& subspace, view<float const, 2> perturbations) {
  auto const basis = as_view(subspace);
  if (perturbations.shape[1] != basis.shape[1])
    detail::fail("share_inside: perturbations of ", perturbations.shape[1], " values and a subspace of ", basis.shape[1],
                 "; give vectors of one length");
  std::vector<double> shares(perturbations.shape[0]);
  detail::for_rows(shares.size(), basis.size(), [&](std::size_t i) {
    auto const r = perturbations.row(i);
    double square = 0;
    for (std::size_t j = 0; j < basis.shape[0]; ++j) square += std::pow(detail::dot(basis.row(j), r), 2);
    double const length = detail::norm(r);
    shares[i] = length > 0 ? std::sqrt(square) / length : 0;
  });
  return shares;
}

}  // namespace pareidolia
