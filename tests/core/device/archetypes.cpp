// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/core/device/batch.hpp>
#include <pareidolia/core/device/stopwatch.hpp>
#include <pareidolia/core/device/storage.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/staged.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <doctest/doctest.h>

#include <support/archetypes.hpp>

// run() and measure() on a device are compiled with the least types that the contracts allow. The bodies of these types know no device, so
// nothing is called.

namespace pareidolia_test {
namespace {

constexpr auto device_memory = space::device;
using canvas = labelled_images;

template <class E, class B, class O, class M, class... Sinks>
bool compiles() {
  outcome (*verb)(attack<E, B, O> const&, M const&, canvas const&, rng const&, Sinks&&...) = &run<E, B, O, M, Sinks...>;
  return verb != nullptr;
}

struct copyable_smooth_encoding : encoding_verbs {
  template <space S>
  void pullback(population<S> const&, view<float const, 4, S>, view<float const, 4, S>, population<S>&) const {}
};
struct watcher : pinned {
  void operator()(step const&) {}
};

}  // namespace

TEST_CASE("run and measure on a device ask of their parts no more than the contracts say") {
  CHECK(compiles<encoding, objective<device_memory>, climber, model<device_memory>, watcher&>());
  CHECK(compiles<encoding, classwise_objective<device_memory>, collector, model<device_memory>>());
  CHECK(compiles<smooth_encoding, smooth_objective<device_memory>, follower, smooth_model<device_memory>>());
  CHECK(compiles<scheduled_encoding, classwise_objective<device_memory>, map_elites, fingerprinted_model<device_memory>>());
  CHECK(compiles<staged<copyable_smooth_encoding>, smooth_objective<device_memory>, follower, smooth_model<device_memory>>());
  CHECK(compiles<staged<scheduled_encoding>, classwise_objective<device_memory>, map_elites, model<device_memory>>());
  probe<device_memory>::result (*verb)(probe<device_memory> const&, model<device_memory> const&, canvas const&) = &measure;
  CHECK((verb != nullptr));
}

}  // namespace pareidolia_test
