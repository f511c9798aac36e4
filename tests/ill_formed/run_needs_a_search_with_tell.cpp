// error: optimizer: its search needs tell(evaluation), tell(classwise_evaluation) or tell(evaluation, gradients)
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<encoding, objective<space::host>, deaf> const a{};
  run(a, model<space::host>{}, blank({1, 2, 2}), rng(1));
}
