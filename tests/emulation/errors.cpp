// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// What the engine says on machines that few have at hand.

#include "emulation/machine.hpp"
#include "support/device.hpp"

#include <pareidolia/engines/cuda.hpp>
#include <pareidolia/models/initialize.hpp>
#include <pareidolia/models/network.hpp>

#include <doctest/doctest.h>

#include <cuda_runtime_api.h>

#include <cstddef>
#include <cstdlib>
#include <string>

namespace pareidolia_test {
namespace {

using namespace pareidolia;

template <class F>
std::string message(F const& of) {
  try {
    of();
  } catch (error const& e) {
    return e.what();
  }
  return {};
}
std::string message_on(emulation::machine const& other) {
  emulation::changed_machine const change(other);
  return message([] { detail::cudnn::session const session; });
}

}  // namespace

TEST_CASE("a missing or old driver, no device, an old device and an old cuDNN are a sentence each") {
  CHECK(message_on({}).empty());
  CHECK(message_on({.driver = 0}) ==
        "cuda engine: no CUDA device was found, because there is no driver; install NVIDIA's, or use cpu_engine");
  CHECK(message_on({.driver = 11080})
            .starts_with("cuda engine: no CUDA device was found, because the driver is for CUDA 11.8 and the program for "));
  CHECK(
      message_on({.devices = 0, .driver = CUDART_VERSION}).starts_with("cuda engine: no CUDA device was found; nvidia-smi must list one"));
  CHECK(message_on({.major = 7}) ==
        "cuda engine: the device has compute capability 7.0; 8.0 (Ampere) or newer is needed, or use cpu_engine");
  CHECK(message_on({.cudnn_version = 90102}).starts_with("cuda engine: cuDNN 9.1.2 was loaded, and 9.8 or newer is needed"));
}

TEST_CASE("where memory runs out, the engine names what was asked for and what is free, and a batch that fits") {
  using namespace layer;
  graph const g{"wide", {3, 40, 40}, {}, {{"conv", convolution{.outputs = 8}}, {"sigmoid", activation{.kind = function::sigmoid}}}};
  network const net{cuda_engine{}, g, xavier(g, rng(1))};
  constexpr std::size_t many = 500, room = std::size_t{40} << 20;
  auto const x = on_device(random_values<4>({many, 3, 40, 40}, 1));
  storage<float, 2, space::device> const y({many, net.classes()});
  auto const forward = [&](std::size_t n) {
    auto work = net.prepare(n);
    net.forward(x.view().rows(0, n), y.view().rows(0, n), work);
  };
  forward(1);  // the weights are where they will be
  std::size_t free = 0, total = 0;
  cudaMemGetInfo(&free, &total);
  emulation::machine small = emulation::emulated;
  small.memory = total - free + room;
  emulation::changed_machine const change(small);

  auto const check_advice = [&](std::string const& said, std::string const& asked) {
    CAPTURE(said);
    CHECK(said.starts_with("cuda engine: device memory ran out: "));
    CHECK(said.find(asked) != std::string::npos);
    std::string const advice = " MB are free; prepare the network for a smaller batch: ";
    auto const at = said.find(advice);
    REQUIRE(at != std::string::npos);
    std::size_t const fits = std::strtoul(said.c_str() + at + advice.size(), nullptr, 10);
    CHECK(fits > 200);
    CHECK(fits < many);
    CHECK_NOTHROW(forward(fits));
  };
  check_advice(message([&] { forward(many); }), " MB were asked for a batch's activations, ");
  check_advice(message([&] { static_cast<void>(net.prepare(20 * many)); }), " MB were asked for a batch of images, ");
  graph const larger{"larger", {3, 3000, 3000}, {}, {{"relu", activation{}}}};
  network const none{cuda_engine{}, larger, {}};
  CHECK(message([&] { static_cast<void>(none.prepare(1)); }).ends_with("; not even one image fits; free memory, or use cpu_engine"));
}

}  // namespace pareidolia_test
