// error: model: it computes in device memory, which an engine brings
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<encoding, objective<space::device>, climber> const a{};
  run(a, model<space::device>{}, blank({1, 2, 2}), rng(1));
}
