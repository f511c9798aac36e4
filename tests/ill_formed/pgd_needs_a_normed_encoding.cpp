// error: project(p, canvas), steepest(p, canvas, g) and scatter(p, rows, ids, rng)
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>
#include <pareidolia/optimizers/pgd.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<smooth_encoding, smooth_objective<space::host>, pgd> const a{};
  run(a, smooth_model<space::host>{}, blank({1, 2, 2}), rng(1));
}
