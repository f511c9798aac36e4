// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <string_view>

namespace pareidolia {

/// Of the library; every result carries it. CMake reads it from here.
inline constexpr std::string_view version = "0.1.0";

}  // namespace pareidolia
