// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// What a run moves between host and device, which only an emulated device counts.

#include "emulation/machine.hpp"
#include "support/device.hpp"

#include <pareidolia/attack.hpp>
#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/core/device/storage.hpp>
#include <pareidolia/encodings/device/cppn.hpp>
#include <pareidolia/encodings/device/patch.hpp>
#include <pareidolia/encodings/device/pixels.hpp>
#include <pareidolia/objectives/device/class_probability.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <doctest/doctest.h>

#include <cstddef>

namespace pareidolia_test {
namespace {

using namespace pareidolia;

// Scores are the first values of an image. Nothing of it leaves the device.
struct first_values_model {
  static constexpr space memory = space::device;
  struct workspace {};
  image_shape input() const { return {3, 20, 20}; }
  std::size_t classes() const { return 10; }
  workspace prepare(std::size_t) const { return {}; }
  void forward(const_image_view<memory> x, score_view<memory> y, workspace&) const {
    for (std::size_t i = 0; i < x.shape[0]; ++i)
      copy(view<float const, 1, memory>{x.rows(i, 1).data, {classes()}}, view<float, 1, memory>{y.rows(i, 1).data, {classes()}});
  }
};

constexpr std::size_t children = 30, generations = 4, image_bytes = 3 * 20 * 20 * sizeof(float);

template <class E>
emulation::traffic of_generations(E const& encoding, std::size_t n) {
  attack const a{encoding, class_probability{}, map_elites{children, n}};
  emulation::traffic const before = emulation::moved;
  run(a, first_values_model{}, blank({3, 20, 20}), rng(1));
  return {emulation::moved.up - before.up, emulation::moved.down - before.down};
}

template <class E>
emulation::traffic of_one_step(E const& encoding) {
  auto const few = of_generations(encoding, generations), many = of_generations(encoding, 2 * generations);
  CHECK(few.up >= image_bytes);         // the canvas
  CHECK(few.down >= 10 * image_bytes);  // a champion for each class
  return {(many.up - few.up) / generations, (many.down - few.down) / generations};
}

}  // namespace

TEST_CASE("a generation on the device brings back a value for each class, and sends indices or small networks") {
  auto const direct = of_one_step(pixels{.crossover = 0.5f}), indirect = of_one_step(cppn{});
  constexpr std::size_t champions = 10 * 2 * sizeof(float), first_not_finite = sizeof(unsigned);
  CHECK(direct.down == champions + first_not_finite);
  CHECK(indirect.down == champions + first_not_finite);
  CHECK(direct.up < children * 16);
  CHECK(indirect.up < children * 1000);
}

TEST_CASE("donors of patches go to the device once, and then where they are to be seen") {
  patch const e{.sources = all_windows(random_values<4>({5, 3, 20, 20}, 1), 4, 2)};
  auto const first = of_generations(e, generations), second = of_generations(e, generations);
  CHECK(first.up - second.up == 5 * image_bytes);
  CHECK(of_one_step(e).up < children * 400);
}

TEST_CASE("a batch of images goes up while the device works, and a row of values comes back without waiting for the work behind it") {
  auto const images = random_values<4>({20, 3, 50, 50}, 1);
  auto const there = on_device(images), again = on_device(images);
  static_cast<void>(on_host(there.view()));
  auto const before = emulation::made;
  copy(as_view(images), there.view());
  copy(there.view(), again.view());
  CHECK(emulation::made.waits == before.waits);
  static_cast<void>(on_host(again.view().rows(0, 1)));
  CHECK(emulation::made.waits == before.waits + 1);
}

}  // namespace pareidolia_test
