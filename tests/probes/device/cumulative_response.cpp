// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/cumulative_response.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/encodings/device/patch.hpp>
#include <pareidolia/probes/activation_inhibition.hpp>
#include <pareidolia/probes/local_response.hpp>

#include <doctest/doctest.h>

#include <support/analytic_models.hpp>
#include <support/cuda.hpp>
#include <support/device.hpp>

// All of what probes of patches ask of a model in device memory: images alone, single patches on canvases of each kind, lists of them.

namespace pareidolia_test {
namespace {

plane_model const planes = random_planes(4, {3, 7, 8}, 1);
as_device_model<plane_model> const there{planes};

}  // namespace

TEST_CASE("patches on a model in device memory are answered as on the host") {
  if (!has_device()) return;
  auto images = random_images(planes, 5, 2, 0, 1);
  images.labels.clear();
  local_response const local{.windows = {{3, 2}, {4, 3}}, .batch = 7};
  auto const a = measure(local, planes, images), b = measure(local, there, images);
  CHECK(b.classes == a.classes);
  CHECK(b.whole == a.whole);
  CHECK(b.empty == a.empty);
  CHECK(b.maps[0].values == a.maps[0].values);
  CHECK(b.maps[1].values == a.maps[1].values);

  activation_inhibition const gain{.size = 3, .stride = 2, .local_stride = 2, .base = base_kind::image, .batch = 7};
  CHECK(measure(gain, there, images).gain.values == measure(gain, planes, images).gain.values);

  cumulative_response const sum{.random = rng{3}, .size = 3, .stride = 1, .local_stride = 2, .where = {background_kind::grey}, .copies = 4};
  auto const c = measure(sum, planes, images), d = measure(sum, there, images);
  CHECK(d.curves == c.curves);
  CHECK(d.places == c.places);
  CHECK(d.forwards == c.forwards);
}

}  // namespace pareidolia_test
