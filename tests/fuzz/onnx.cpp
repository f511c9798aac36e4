// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/loaders/onnx.hpp>

#include "weights.hpp"

// A network that was read can be planned, and finds its weights.
extern "C" int LLVMFuzzerTestOneInput(char const* data, std::size_t size) {
  auto const holds = [](pareidolia::onnx_network const& network) {
    if (!pareidolia_test::are_whole(network.parameters)) return false;
    try {
      return pareidolia::plan(network.structure).out.size() == network.structure.nodes.size();
    } catch (pareidolia::error const&) {
      return true;
    }
  };
  auto const read = [](std::filesystem::path const& path) { return pareidolia::read_onnx(path); };
  pareidolia_test::fuzz({data, size}, pareidolia::detail::allocation_limit(size), read, holds);
  return 0;
}
