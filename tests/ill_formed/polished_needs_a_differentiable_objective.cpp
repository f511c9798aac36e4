// error: objective: this optimizer follows gradients, add seed(y, targets, dy) const
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>
#include <pareidolia/optimizers/polished.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<climbing_encoding, classwise_objective<space::host>, polished> const a{};
  run(a, smooth_model<space::host>{}, blank({1, 2, 2}), rng(1));
}
