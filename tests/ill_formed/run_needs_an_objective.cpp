// error: objective: needs `static constexpr bool targeted` and value
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

struct half_an_objective : objective<space::host> {
  void targeted() = delete;
};

int main() {
  attack<encoding, half_an_objective, climber> const a{};
  run(a, model<space::host>{}, blank({1, 2, 2}), rng(1));
}
