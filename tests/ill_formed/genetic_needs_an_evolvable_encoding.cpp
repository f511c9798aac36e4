// error: an evolutionary one needs an EvolvableEncoding: draw(children, rng) and vary(parents, children, rng)
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>
#include <pareidolia/optimizers/genetic.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<encoding, objective<space::host>, genetic> const a{};
  run(a, model<space::host>{}, blank({1, 2, 2}), rng(1));
}
