// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/transfer_matrix.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/perturbation.hpp>
#include <pareidolia/objectives/cross_entropy.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/cuda.hpp>
#include <support/device.hpp>

#include <cstddef>

namespace pareidolia_test {

TEST_CASE("models of both memories are scored side by side") {
  if (!has_device()) return;
  auto const first = random_planes(4, {3, 4, 5}, 1), second = random_planes(4, {3, 6, 5}, 2);
  as_device_model<plane_model> const there{second};
  attack const fool{perturbation{linf{.1f}}, cross_entropy{}, pgd{.steps = 5}};
  auto const a = run(fool, first, random_images(first, 7, 3), rng{4}), b = run(fool, second, random_images(second, 6, 5), rng{6});
  auto const on_host = transfer_matrix{.batch = 4}.measure(evolved{"first", first, a}, evolved{"second", second, b});
  auto const on_both = transfer_matrix{.batch = 4}.measure(evolved{"first", first, a}, evolved{"second", there, b});
  for (std::size_t i = 0; i < 2; ++i)
    for (std::size_t j = 0; j < 2; ++j) CHECK(largest_difference(on_both.confidence[i][j], on_host.confidence[i][j]) < 1e-5f);
}

}  // namespace pareidolia_test
