// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <pareidolia/core/error.hpp>

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>

namespace pareidolia::detail {

[[nodiscard]] inline bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b"); }

/// The content of a gzip file of one member, at most `limit` bytes of it. Errors: damaged, cut short, followed by other bytes, larger.
[[nodiscard]] inline std::string gunzip(std::string_view bytes, std::size_t limit) {
  if (bytes.size() > std::numeric_limits<uInt>::max()) fail("the gzip file is larger than 4 GiB");
  struct inflater {
    z_stream stream{};
    inflater() {
      if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK) fail("zlib could not be started");
    }
    inflater(inflater const&) = delete;
    inflater& operator=(inflater const&) = delete;
    ~inflater() { inflateEnd(&stream); }
  } inflate_state;
  z_stream& stream = inflate_state.stream;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());

  std::string content;
  std::size_t filled = 0;
  for (int status = Z_OK; status != Z_STREAM_END;) {
    if (filled == content.size()) content.resize(std::min(limit + 1, std::max<std::size_t>(2 * filled, 65536)));
    if (filled > limit) fail("the gzip file holds more than ", limit, " bytes");
    auto const room = static_cast<uInt>(std::min<std::size_t>(content.size() - filled, std::numeric_limits<uInt>::max()));
    stream.next_out = reinterpret_cast<Bytef*>(content.data() + filled);
    stream.avail_out = room;
    status = inflate(&stream, Z_NO_FLUSH);
    filled += room - stream.avail_out;
    if (status == Z_BUF_ERROR || (status == Z_OK && stream.avail_in == 0 && stream.avail_out != 0)) fail("the gzip file is cut short");
    if (status != Z_OK && status != Z_STREAM_END) fail("the gzip file is damaged");
  }
  if (stream.avail_in != 0) fail("the gzip file is followed by ", stream.avail_in, " other bytes");
  if (filled > limit) fail("the gzip file holds more than ", limit, " bytes");
  content.resize(filled);
  return content;
}

}  // namespace pareidolia::detail
