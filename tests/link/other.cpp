// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include "every_header.hpp"

int other();
int other() { return 0; }
