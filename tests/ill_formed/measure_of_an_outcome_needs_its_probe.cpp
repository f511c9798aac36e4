// error: probe: to measure what a run found it needs a type result and result measure(model, outcome) const
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() { measure(probe<space::host>{}, model<space::host>{}, outcome{}); }
