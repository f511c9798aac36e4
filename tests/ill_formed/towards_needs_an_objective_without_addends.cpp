// error: towards, away_from: addends on the image stay as they are, write towards{objective} + addend
// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/objectives/distortion.hpp>
#include <pareidolia/objectives/margin.hpp>
#include <pareidolia/objectives/opposite.hpp>
#include <pareidolia/objectives/penalised.hpp>

using namespace pareidolia;

int main() { return towards{margin{} + distortion{}}.targeted; }
