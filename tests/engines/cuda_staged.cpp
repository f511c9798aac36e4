// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/engines/cuda_staged.hpp>

#include <pareidolia/engine.hpp>
#include <pareidolia/model.hpp>
#include <pareidolia/models/network.hpp>

// tests/engines/cuda.cpp runs the conformance suite on it.

using namespace pareidolia;

static_assert(Engine<staged_cuda_engine> && staged_cuda_engine::memory == space::host);
static_assert(DifferentiableModel<network<staged_cuda_engine>> && TrainableModel<network<staged_cuda_engine>> &&
              LayeredModel<network<staged_cuda_engine>>);
