// error: probe: needs a type result and result measure(model, x, labels) const
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() { measure(nothing{}, model<space::host>{}, blank({1, 2, 2})); }
