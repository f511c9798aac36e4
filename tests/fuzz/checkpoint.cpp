// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/checkpoint.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <numeric>
#include <optional>
#include <string>

#include "evolutions.hpp"
#include "fuzz.hpp"

namespace {

using namespace pareidolia;

/// What a run that is taken up relies on: as many bytes as type and shape say.
bool is_whole(state_array const& array) {
  std::size_t const each = array.type == "U8" ? 1 : array.type.ends_with("64") ? 8 : 4;
  return std::accumulate(array.shape.begin(), array.shape.end(), each, std::multiplies{}) == array.bytes.size();
}

struct keeper {
  saved_state const* state;

  [[nodiscard]] std::string name() const { return "the input"; }
  [[nodiscard]] std::optional<saved_state> restore() const { return *state; }
  [[nodiscard]] bool due(bool) const { return false; }
  void keep(saved_state const&) const {}
};

/// A run takes the state up and ends with images, or refuses it.
template <class E>
bool is_taken_up(E const& encoding, saved_state const& state) {
  try {
    auto const found = pareidolia_test::evolve(encoding, keeper{&state});
    return std::all_of(found.images.begin(), found.images.end(), [](float v) { return v >= 0 && v <= 1; });
  } catch (error const&) {
    return true;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(char const* data, std::size_t size) {
  pareidolia_test::fuzz({data, size}, detail::allocation_limit(size), read_state, [](saved_state const& state) {
    return std::all_of(state.arrays.begin(), state.arrays.end(), [](auto const& named) { return is_whole(named.second); }) &&
           is_taken_up(pixels{}, state) && is_taken_up(cppn{}, state);
  });
  return 0;
}
