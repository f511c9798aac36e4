// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/model_table.hpp>

#include <doctest/doctest.h>

#include <cmath>
#include <string>
#include <vector>

namespace {

using namespace pareidolia;

TEST_CASE("a table has a row for each model and a column for each figure, of which a model may have others") {
  struct found {
    std::vector<named_figure> all;
    [[nodiscard]] std::vector<named_figure> figures() const { return all; }
  };
  std::vector<measurement<found>> const models{
      {"GoogLeNet", {{{"decades", 2.3456}, {"share", .5}}}}, {"none", {}}, {"LeNet", {{{"share", 1}, {"queries", 12345}}}}};
  auto const t = table_of("Models", models);
  CHECK(t.title == "Models");
  CHECK(t.columns == std::vector<std::string>{"model", "decades", "share", "queries"});
  CHECK(t.rows ==
        std::vector<std::vector<std::string>>{{"GoogLeNet", "2.35", "0.5", "-"}, {"none", "-", "-", "-"}, {"LeNet", "-", "1", "12,345"}});
  CHECK(table_of("Models", std::vector<measurement<found>>{}).rows.empty());
}

TEST_CASE("a figure has three digits, and near 1 the first two that differ") {
  using detail::figure_text;
  CHECK(figure_text(1.000341) == "1.00034");
  CHECK(figure_text(.99984) == "0.99984");
  CHECK(figure_text(1.0004) == "1.00040");
  CHECK(figure_text(1.0061) == "1.0061");
  CHECK(figure_text(1) == "1");
  CHECK(figure_text(1 + 1e-12) == "1");
  CHECK(figure_text(1.0123) == "1.01");
  CHECK(figure_text(.98) == "0.98");
  CHECK(figure_text(12345.6) == "12,346");
  CHECK(figure_text(INFINITY) == "inf");
  CHECK(figure_text(std::nan("")) == "-");
}

}  // namespace
