// error: away_from: the objective has classes to leave already, use it as it is
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/opposite.hpp>

using namespace pareidolia;

int main() { return away_from{margin{}}.targeted; }
