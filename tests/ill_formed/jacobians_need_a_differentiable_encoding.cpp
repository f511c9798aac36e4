// error: encoding: this optimizer follows gradients, add pullback(p, canvas, dx, dp) const
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<encoding, objective<space::host>, chooser> const a{};
  run(a, smooth_model<space::host>{}, blank({1, 2, 2}), rng(1));
}
