// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/probes/unit_directions.hpp>

#include <pareidolia/attack.hpp>

#include <doctest/doctest.h>

#include <support/cuda.hpp>
#include <support/device.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace pareidolia_test {
namespace {

/// The images are their own only layer, "image".
template <space S>
struct looking_glass {
  static constexpr space memory = S;
  struct workspace {
    storage<float, 4, S> seen;
  };

  image_shape input() const { return {2, 3, 4}; }
  std::size_t classes() const { return 2; }
  workspace prepare(std::size_t n) const { return {storage<float, 4, S>({n, 2, 3, 4})}; }
  workspace prepare(std::size_t n, std::vector<std::string> const&) const { return prepare(n); }
  void forward(const_image_view<S> x, score_view<S> y, workspace& w) const {
    copy(x, w.seen.view().rows(0, x.shape[0]));
    copy(as_view(filled<float, 2>(y.shape)), y);
  }
  std::vector<std::string> layers() const { return {"image"}; }
  image_shape shape_of(std::string const&) const { return input(); }
  void activation(std::string const&, image_view<S> to, workspace& w) const {
    copy(const_image_view<S>(w.seen.view().rows(0, to.shape[0])), to);
  }
};

}  // namespace

TEST_CASE("units and directions of a model in device memory are those of the host") {
  if (!has_device()) return;
  labelled_images const images{random_values<4>({13, 2, 3, 4}, 1), std::vector<int>(13)};
  for (unit_kind const kind : {unit_kind::value, unit_kind::channel_mean}) {
    unit_directions const probe{.layer = "image", .random = rng{2}, .units = 9, .directions = 7, .top = 3, .kind = kind, .batch = 5};
    auto const here = measure(probe, looking_glass<space::host>{}, images), there = measure(probe, looking_glass<space::device>{}, images);
    CHECK(there.units == here.units);
    CHECK(there.natural.images == here.natural.images);
    CHECK(there.natural.scores == here.natural.scores);
    CHECK(there.arbitrary.images == here.arbitrary.images);
    CHECK(there.arbitrary.scores == here.arbitrary.scores);
  }
}

}  // namespace pareidolia_test
