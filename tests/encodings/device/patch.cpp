// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/device/patch.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/objectives/device/class_probability.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>
#include <support/small_models.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace pareidolia_test {
namespace {

patches some_patches(std::size_t channels) {
  auto donors = random_values<4>({3, channels, 12, 10}, 7);
  for (float& v : donors) v *= v;  // or differences would be exact
  return patches(donors, {{0, 0, 0, 12, 10}, {1, 2, 3, 4, 4}, {2, 5, 0, 3, 5}, {0, 11, 9, 1, 1}});
}

/// Lists that try the edges, sizes and opacities.
placements random_lists(std::size_t n, std::size_t copies, image_shape const& canvas, std::uint64_t seed, bool resized) {
  placements p{canvas, copies, std::vector<placement>(n * copies)};
  auto stream = rng(seed).stream(0);
  auto const near = [&](std::size_t side) { return static_cast<std::int32_t>(stream.below(static_cast<std::uint32_t>(side) + 12)) - 9; };
  for (placement& one : p.all) {
    if (stream.chance(.2f)) continue;
    one.source = stream.below(4);
    one.top = near(canvas[1]);
    one.left = near(canvas[2]);
    if (resized) one.scale = stream.uniform(.05f, 4);
    if (resized && stream.chance(.5f)) one.opacity = stream.uniform();
  }
  return p;
}

/// Images of the same lists by host and device.
struct both {
  tensor<float, 4> host, device;
};
both decoded(patch const& e, placements const& p, tensor<float, 4> const& canvas) {
  auto shape = as_view(canvas).shape;
  shape[0] = std::max(shape[0], p.size());
  both x{filled<float, 4>(shape), {}};
  auto const start = on_device(canvas), images = on_device(filled<float, 4>(shape, 77));
  e.decode(p, as_view(canvas), as_view(x.host));
  e.decode(p, start.view(), images.view());
  x.device = on_host(images.view());
  return x;
}

}  // namespace

TEST_CASE("patches that are pasted as they are give the host's images to the bit") {
  if (!has_device()) return;
  for (image_shape const& shape : {image_shape{3, 13, 31}, image_shape{1, 40, 16}, image_shape{3, 1, 1}})
    for (std::size_t copies : {1u, 6u})
      for (bool overlap : {true, false}) {
        patch const e{.sources = some_patches(shape[0]), .overlap = overlap};
        auto const canvas = random_values<4>({1, shape[0], shape[1], shape[2]}, copies);
        auto const x = decoded(e, random_lists(9, copies, shape, 3 + copies, false), canvas);
        CHECK(x.device == x.host);
      }
}

TEST_CASE("patches of another size, feathered and blended, give the host's images but for rounding") {
  if (!has_device()) return;
  for (image_shape const& shape : {image_shape{3, 13, 31}, image_shape{1, 40, 16}})
    for (float feather : {0.f, 1.5f, 4.f})
      for (float area : {1.f, .4f}) {
        patch const e{.sources = some_patches(shape[0]), .feather = feather, .area = area};
        auto const canvas = random_values<4>({1, shape[0], shape[1], shape[2]}, 5);
        auto const x = decoded(e, random_lists(20, 5, shape, 6, true), canvas);
        CHECK(largest_difference(x.host, x.device) < 1e-6f);
        CHECK(largest_difference(x.host, canvas) > 0);
      }
}

TEST_CASE("places far outside the canvas and great scales are those of the host") {
  if (!has_device()) return;
  image_shape const shape{3, 13, 31};
  auto const canvas = random_values<4>({1, 3, 13, 31}, 8);
  placements p{shape, 4, {}};
  for (std::int32_t far : {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max(), -5000})
    for (float scale : {1e-30f, 1.f, 1000.f}) p.all.insert(p.all.end(), {{0, far, 0, scale}, {0, 0, far, scale}, {0, far, far, scale}, {}});
  auto const x = decoded({.sources = some_patches(3)}, p, canvas);
  CHECK(largest_difference(x.host, x.device) < 1e-6f);
}

TEST_CASE("one list on many canvases and many on one are shown on the device as on the host") {
  if (!has_device()) return;
  image_shape const shape{3, 13, 31};
  patch const e{.sources = some_patches(3), .feather = 1};
  for (std::size_t genotypes : {1u, 3u, 6u, 12u})
    for (std::size_t canvases : {1u, 6u}) {
      if (genotypes == 3 && canvases == 1) continue;
      auto const canvas = random_values<4>({canvases, 3, 13, 31}, canvases);
      auto const x = decoded(e, random_lists(genotypes, 4, shape, genotypes, true), canvas);
      CHECK(largest_difference(x.host, x.device) < 1e-6f);
    }
}

TEST_CASE("empty lists show their canvases") {
  if (!has_device()) return;
  patch const e{.sources = some_patches(3)};
  auto const canvas = random_values<4>({2, 3, 13, 31}, 1);
  auto const start = on_device(canvas);
  auto const p = e.buffer(2, start.view());
  CHECK(p.copies == 8);
  CHECK(decoded(e, p, canvas).device == canvas);
}

TEST_CASE("what the host refuses is refused for the device too") {
  if (!has_device()) return;
  auto const canvas = random_values<4>({1, 1, 13, 31}, 1);
  placements const wrong{{1, 13, 31}, 1, {{4}}};
  CHECK_THROWS_WITH_AS(decoded({.sources = some_patches(1)}, wrong, canvas), "patch: a placement shows patch 4 of 4", error);
  auto const start = on_device(canvas), images = on_device(canvas);
  patch const e{.sources = some_patches(3)};
  CHECK_THROWS_WITH_AS(e.decode(wrong, start.view(), images.view()), doctest::Contains("the patches have 3 channels, the images 1"), error);
  CHECK_THROWS_WITH_AS(static_cast<void>(e.buffer(1, start.view())), doctest::Contains("the patches have 3 channels, the images 1"), error);
}

TEST_CASE("MAP-Elites evolves the same patches in both memories") {
  if (!has_device()) return;
  toy const model{{3, 6, 6}, 4};
  patch const e{.sources = all_windows(random_values<4>({4, 3, 6, 6}, 1), 2, 1), .copies = 6, .overlap = false, .area = .7f};
  attack const a{e, class_probability{}, map_elites{20, 10}};
  auto const here = run(a, model, blank(model.input()), rng(1));
  auto const there = run(a, as_device_model<toy>{model}, blank(model.input()), rng(1));
  CHECK(there.images == here.images);
  CHECK(there.labels == here.labels);
}

}  // namespace pareidolia_test
