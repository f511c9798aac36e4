// error: optimizer: needs start(encoding, canvas, rng) const that returns a search with ask
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() {
  attack<encoding, objective<space::host>, nothing> const a{};
  run(a, model<space::host>{}, blank({1, 2, 2}), rng(1));
}
