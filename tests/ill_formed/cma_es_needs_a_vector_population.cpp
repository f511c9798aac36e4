// error: one that samples numbers needs a VectorPopulation: rows(), a view of (size, length)
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>
#include <pareidolia/optimizers/cma_es.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<evolvable_encoding, objective<space::host>, cma_es> const a{};
  run(a, model<space::host>{}, blank({1, 2, 2}), rng(1));
}
