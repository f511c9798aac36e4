// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>
#include <pareidolia/core/tensor.hpp>
#include <pareidolia/encodings/cppn_network.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace pareidolia::detail {

/// One row a network, as long as the longest needs: its numbers of outputs, of outputs and hidden nodes, and of connections; the
/// activations; for each connection from, to and gene. Indices above 2^24 would be rounded, but no network is so large.
[[nodiscard]] inline tensor<float, 2> pack(std::vector<cppn_network> const& networks) {
  std::size_t longest = 3;
  for (cppn_network const& n : networks) longest = std::max(longest, 3 + n.activations.size() + 3 * n.connections.size());
  auto rows = filled<float, 2>({networks.size(), longest});
  for (std::size_t i = 0; i < networks.size(); ++i) {
    float* to = as_view(rows).row(i).data();
    auto const put = [&to](auto number) { *to++ = static_cast<float>(number); };
    cppn_network const& n = networks[i];
    put(n.outputs), put(n.activations.size()), put(n.connections.size());
    for (cppn_activation const a : n.activations) put(static_cast<int>(a));
    for (auto const& c : n.connections) put(c.from), put(c.to), put(c.gene);
  }
  return rows;
}

/// The network of a row of pack(), number i of them. Errors: a row that is none.
[[nodiscard]] inline cppn_network unpacked(std::span<float const> row, std::size_t i) {
  std::size_t at = 0;
  auto const refuse = [&] { fail("cppn: packed network ", i, " is none from number ", at, " on; the file that it comes from is damaged"); };
  auto const below = [&](std::size_t limit) {
    if (at == row.size() || !(row[at] >= 0 && row[at] < static_cast<float>(limit) && row[at] == std::floor(row[at]))) refuse();
    return static_cast<cppn_network::index>(row[at++]);
  };
  cppn_network n;
  n.outputs = below(4);
  std::size_t const nodes = below(row.size()), connections = below(row.size());
  if (n.outputs == 0 || nodes < n.outputs || row.size() < 3 + nodes + 3 * connections) refuse();
  for (std::size_t k = 0; k < nodes; ++k) n.activations.push_back(static_cast<cppn_activation>(below(4)));
  for (std::size_t k = 0; k < connections; ++k) {
    cppn_network::connection c{below(n.nodes()), below(n.nodes()), row[at]};
    if (c.to < cppn_network::inputs || !(c.gene >= 0 && c.gene <= 1) || n.ancestors(c.from)[c.to]) refuse();
    n.connections.push_back(c);
    ++at;
  }
  return n;
}

[[nodiscard]] inline std::vector<cppn_network> unpack(view<float const, 2> rows) {
  std::vector<cppn_network> networks;
  for (std::size_t i = 0; i < rows.shape[0]; ++i) networks.push_back(unpacked(rows.row(i), i));
  return networks;
}

}  // namespace pareidolia::detail
