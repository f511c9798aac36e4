// error: model: needs `static constexpr space memory`, a type workspace
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

struct oracle {
  int operator()(const_image_view<space::host>) const { return 0; }
};

int main() {
  attack<encoding, objective<space::host>, climber> const a{};
  run(a, oracle{}, blank({1, 2, 2}), rng(1));
}
