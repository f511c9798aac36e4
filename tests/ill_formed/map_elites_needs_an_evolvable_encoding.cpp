// error: one needs an EvolvableEncoding: draw(children, rng) and vary(parents, children, rng)
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>
#include <pareidolia/optimizers/map_elites.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<encoding, classwise_objective<space::host>, map_elites> const a{};
  run(a, model<space::host>{}, blank({1, 2, 2}), rng(1));
}
