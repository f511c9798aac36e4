// error: model: this probe looks at a layer, add layers(), shape_of(layer), prepare(count, layers) and activation(layer, to, workspace) const
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>
#include <pareidolia/probes/unit_directions.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() { measure(unit_directions{.layer = "only", .random = rng(1)}, model<space::host>{}, blank({1, 2, 2})); }
