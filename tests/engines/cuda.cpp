// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/engines/cuda.hpp>
#include <pareidolia/engines/cuda_staged.hpp>
#include <pareidolia/models/network.hpp>

#include "engines/conformance.hpp"
#include "support/cuda.hpp"

#include <doctest/doctest.h>

using namespace pareidolia;
using namespace pareidolia_test;

static_assert(Engine<cuda_engine> && Engine<staged_cuda_engine>);

TEST_CASE("the cuda engine agrees with the reference on every layer, forward and both backwards") {
  if (!has_device()) return;
  check_conformance(staged_cuda_engine{}, 1e-4);
}

TEST_CASE("the cuda engine shows the activations of its layers") {
  if (!has_device()) return;
  check_activations(staged_cuda_engine{}, 1e-4);
}
