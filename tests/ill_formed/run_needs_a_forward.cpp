// error: model: needs `static constexpr space memory`, a type workspace
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

struct half_a_model : model<space::host> {
  void forward() = delete;
};

int main() {
  attack<encoding, objective<space::host>, climber> const a{};
  run(a, half_a_model{}, blank({1, 2, 2}), rng(1));
}
