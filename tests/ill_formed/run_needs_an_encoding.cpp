// error: encoding: needs a type template population<space>, buffer
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

struct half_an_encoding : encoding {
  void decode() = delete;
};

int main() {
  attack<half_an_encoding, objective<space::host>, climber> const a{};
  run(a, model<space::host>{}, blank({1, 2, 2}), rng(1));
}
