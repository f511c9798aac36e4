// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#include <pareidolia/io/patch_report.hpp>

#include <doctest/doctest.h>
TEST_CASE("x") {
  using namespace pareidolia;
  (void)sizeof(gallery_of("t", local_response::result{}, labelled_images{}, 3));
  std::vector<measurement<local_response::result>> v;
  CHECK(table_of("t", v).columns.size() == 1);
  }
