// SPDX-License-Identifier: MIT
// SPDX-FileCopyrightText: the pareidolia authors
#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>

namespace pareidolia_test {

/// That content deflated, wrapped as zlib's deflateInit2 understands window_bits.
inline std::string deflated(std::string const& content, int window_bits = MAX_WBITS) {
  z_stream stream{};
  if (deflateInit2(&stream, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY) != Z_OK) throw std::runtime_error("zlib does not start");
  std::string bytes(deflateBound(&stream, static_cast<uLong>(content.size())), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
  stream.avail_in = static_cast<uInt>(content.size());
  stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
  stream.avail_out = static_cast<uInt>(bytes.size());
  bool const complete = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  bytes.resize(stream.total_out);
  deflateEnd(&stream);
  if (!complete) throw std::runtime_error("zlib does not end");
  return bytes;
}

/// A gzip file of that content.
inline std::string gzip(std::string const& content) { return deflated(content, MAX_WBITS + 16); }

}  // namespace pareidolia_test
