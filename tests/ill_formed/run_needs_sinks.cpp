// error: sink: each argument after the rng must be callable with `step const&` and return void or verdict
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<encoding, objective<space::host>, climber> const a{};
  run(a, model<space::host>{}, blank({1, 2, 2}), rng(1), 7);
}
