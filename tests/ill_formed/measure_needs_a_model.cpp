// error: model: needs `static constexpr space memory`, a type workspace
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/attack.hpp>

#include <support/archetypes.hpp>

using namespace pareidolia_test;

int main() { measure(probe<space::host>{}, nothing{}, blank({1, 2, 2})); }
