// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/encodings/staged.hpp>

#include <pareidolia/attack.hpp>
#include <pareidolia/encodings/pixels.hpp>
#include <pareidolia/objectives/class_probability.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <doctest/doctest.h>

#include <support/archetypes.hpp>
#include <support/small_models.hpp>

namespace pareidolia_test {
namespace {

constexpr auto host_memory = space::host, device_memory = space::device;

// It can do what its encoding can, in either memory; here no device's memory is known, and none is touched.
static_assert(Encoding<staged<evolvable_encoding>, host_memory> && Encoding<staged<evolvable_encoding>, device_memory>);
static_assert(EvolvableEncoding<staged<evolvable_encoding>, device_memory> &&
              !ScheduledEncoding<staged<evolvable_encoding>, device_memory>);
static_assert(!DifferentiableEncoding<staged<evolvable_encoding>, device_memory>);
static_assert(ScheduledEncoding<staged<scheduled_encoding>, host_memory> && ScheduledEncoding<staged<scheduled_encoding>, device_memory>);
static_assert(DifferentiableEncoding<staged<smooth_encoding>, host_memory> &&
              DifferentiableEncoding<staged<smooth_encoding>, device_memory>);
static_assert(!EvolvableEncoding<staged<smooth_encoding>, device_memory>);
static_assert(std::same_as<population_t<staged<pixels>, host_memory>, population_t<pixels, host_memory>>);

}  // namespace

TEST_CASE("on a host model a staged encoding is the encoding itself") {
  pixels_model const model{{1, 2, 3}};
  attack const plain{pixels{.halve_every = 2}, class_probability{}, map_elites{.children = 10, .generations = 5}};
  attack const through{staged{pixels{.halve_every = 2}}, class_probability{}, map_elites{.children = 10, .generations = 5}};
  CHECK(run(through, model, blank({1, 2, 3}), rng(1)).images == run(plain, model, blank({1, 2, 3}), rng(1)).images);
}

}  // namespace pareidolia_test
