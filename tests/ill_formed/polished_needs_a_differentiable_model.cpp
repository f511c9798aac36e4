// error: model: this optimizer follows gradients, add backward(dy, dx, workspace) const
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>
#include <pareidolia/optimizers/polished.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<climbing_encoding, smooth_classwise_objective<space::host>, polished> const a{};
  run(a, model<space::host>{}, blank({1, 2, 2}), rng(1));
}
