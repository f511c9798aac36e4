// error: deepception: its strategy needs a type memory, ask(memory, round, random_stream) const and choose
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/optimizers/deepception.hpp>

using namespace pareidolia;

struct aimless {
  struct memory {};
};

int main() { return deepception<aimless>{}.queries == 0; }
