// error: model: this probe follows gradients, add backward(dy, dx, workspace) const
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>
#include <pareidolia/probes/boundary_curvature.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() { measure(boundary_curvature{.random = rng(1)}, model<space::host>{}, blank({1, 2, 2})); }
