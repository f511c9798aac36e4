// error: towards: the objective has classes to reach already, use it as it is
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/logit.hpp>
#include <pareidolia/objectives/opposite.hpp>

using namespace pareidolia;

int main() { return towards{logit{}}.targeted; }
