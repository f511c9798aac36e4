// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors

// All components: two engines agree on a small network, whose boundary is flat, and a picture is written.
#include <pareidolia/attack.hpp>
#include <pareidolia/engines/cpu.hpp>
#include <pareidolia/engines/reference.hpp>
#include <pareidolia/io/png.hpp>
#include <pareidolia/models/network.hpp>
#include <pareidolia/probes/principal_curvatures.hpp>

#include <cmath>

using namespace pareidolia;

int main() {
  graph const sum{.name = "sum", .input = {1, 2, 2}, .nodes = {{.name = "sum", .what = layer::inner_product{.outputs = 2}}}};
  weights const parameters{.parameters = {{"sum.weight", {{2, 4}, {1, 1, 1, 1, 1, 2, 3, 4}}}, {"sum.bias", {{2}, {0, 1}}}}};
  network const fast{cpu_engine{}, sum, parameters};
  network const exact{reference_engine<float>{}, sum, parameters};

  auto const image = filled<float, 4>({1, 1, 2, 2}, 0.5f);
  auto a = filled<float, 2>({1, 2}), b = a;
  auto one = fast.prepare(1);
  auto other = exact.prepare(1);
  fast.forward(as_view(image), as_view(a), one);
  exact.forward(as_view(image), as_view(b), other);

  auto const bent = measure(principal_curvatures{.extremes = 1}, fast, labelled_images{image, {}});
  bool const flat = bent.boundary.reached[0] && std::abs(bent.curvatures(0, 0)) < 1e-4;

  write_png("image.png", as_view(filled<float, 3>({1, 2, 2}, 0.5f)));
  return flat && std::abs(a(0, 1) - 6) < 1e-5f && std::abs(b(0, 1) - 6) < 1e-5f ? 0 : 1;
}
