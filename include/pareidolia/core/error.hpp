// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

namespace pareidolia {

/// Everything the library throws for input it cannot use. The message names the file, layer or argument and says what to do.
class error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

namespace detail {

/// Builds one message from streamable pieces.
template <class... Parts>
[[nodiscard]] std::string text(Parts const&... parts) {
  std::ostringstream out;
  (out << ... << parts);
  return std::move(out).str();
}

template <class... Parts>
[[noreturn]] void fail(Parts const&... parts) {
  throw error(text(parts...));
}

}  // namespace detail
}  // namespace pareidolia
