// error: one that pastes patches needs the encoding patch
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>
#include <pareidolia/optimizers/deepception.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<smooth_encoding, smooth_objective<space::host>, deepception<>> const a{};
  run(a, smooth_model<space::host>{}, blank({1, 2, 2}), rng(1));
}
